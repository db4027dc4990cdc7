/** Compilers: they read and write files; some options have them run or load something else. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, RUNS_PROJECT, reads, runs, runsFile, unknown, writes } from './program.ts';

const C_SHOWS = new Set([
  '-E',
  '-fsyntax-only',
  '-M',
  '-MM',
  '-dumpversion',
  '-dumpmachine',
  '-dumpspecs',
  '-print-search-dirs',
  '-print-sysroot',
  '-version',
  '-help',
  '-v',
  '-print-file-name',
  '-print-prog-name',
  '-print-multiarch',
]);

function readC(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const effects: Effect[] = [];
  for (const { value } of args) {
    if (value === undefined) continue;
    if (value.startsWith('@')) effects.push(unknown('takes options from a file'));
    else if (/^-fplugin(?:-arg-\w+)?=/.test(value) && !value.startsWith('-fplugin-arg'))
      effects.push(unknown(`is given ${value.slice(0, 40)}, which loads code`));
    else if (/^-(?:Xclang|fpass-plugin|load|specs|fuse-ld=.*\/)/.test(value))
      effects.push(unknown(`is given ${value.slice(0, 40)}, which can load or run anything`));
    else if (/^-Wl,.*plugin|^-Wl,.*(?:^|,)-?-?dynamic-linker/.test(value))
      effects.push(unknown(`is given ${value.slice(0, 40)}, which loads code`));
  }
  effects.push(...taken.operands.filter(({ value }) => !/^[@-]/.test(value ?? '')).map(reads));
  const shows = taken.items.some(({ option }) => option !== undefined && C_SHOWS.has(option));
  if (taken.has('-o') || shows || taken.operands.length === 0) return effects;
  return [...effects, writes(taken.has('-c') ? '*.o' : taken.has('-S') ? '*.s' : 'a.out')];
}

export const COMPILERS: readonly Program[] = [
  {
    names: 'gcc cc c99 c89 g++ c++ clang clang++ tcc gfortran gdc nvcc cpp emcc em++ icc icx',
    versioned: true,
    class: 'reads',
    about: 'compiles; options that load plug-ins or run other programs are found',
    grammar: {
      oneDash: true,
      values: {
        writes: '-o -MF -dumpdir -MJ -foutput-dir',
        reads: '-include -imacros -isystem -iquote -idirafter -T',
        unknown: '-B -wrapper -ccbin -Xlinker',
        text: '-I -L -l -D -U -x -MT -MQ -u -z -arch -target -isysroot -Xpreprocessor -Xassembler -framework -G -O? -W? -f? -m? -g? -std -aux-info -include-pch',
      },
      careful: true,
    },
    read: (args, taken) => [
      ...readC(args, taken),
      ...taken.values('-wrapper').flatMap((word) => runs(word.value ? [{ ...word, value: word.value.split(',')[0] }] : [])),
    ],
  },
  {
    names: 'ld ld.bfd ld.gold ld.lld lld mold as nasm yasm',
    versioned: true,
    class: 'reads',
    about: 'links or assembles',
    grammar: {
      oneDash: true,
      values: {
        writes: '-o -Map -MF',
        'runs file': '-plugin',
        reads: '-T -script',
        text: '-L -l -e -m -f -z -h -soname -rpath -dynamic-linker -I -D -u -arch -target',
      },
      careful: true,
    },
    operands: 'reads',
    read: (args, taken) => [
      ...(taken.has('-o') ? [] : [writes('a.out')]),
      ...(args.some(({ value }) => value?.startsWith('@')) ? [unknown('takes options from a file')] : []),
    ],
  },
  {
    names: 'strip objcopy',
    versioned: true,
    class: 'writes',
    about: 'changes object files',
    grammar: { values: { writes: '-o', 'runs file': '--plugin', text: '-R -K -N -j -I -O -B -F' } },
    operands: 'writes',
  },
  {
    names: 'ghc',
    versioned: true,
    class: 'runs',
    about: 'compiles Haskell; -e runs it',
    grammar: { oneDash: true, values: { special: '-e', writes: '-o -outputdir -odir -hidir', reads: '-package-db' } },
    read: (args, taken) => {
      if (taken.has('-e')) return [{ kind: 'runs code', language: 'Haskell', how: '-e' }];
      const loads = args.some(({ value }) => /^-(?:pgm|fplugin|F$)/.test(value ?? ''));
      return [
        ...(loads ? [unknown('is given programs that it runs')] : []),
        ...taken.operands.map(reads),
        ...(taken.has('-o') || taken.operands.length === 0 ? [] : [writes('.')]),
      ];
    },
  },
  {
    names: 'rustfmt gofmt goimports clang-format clang-tidy shfmt',
    versioned: true,
    class: 'writes',
    about: 'works on code',
    grammar: { values: { text: '--edition --config -style -d -l -i -ln -r -s', reads: '--config-path', 'runs file': '--load' } },
    operands: 'writes',
  },
  {
    names: 'javac kotlinc-jvm',
    class: 'reads',
    about: 'compiles Java',
    grammar: {
      oneDash: true,
      values: {
        writes: '-d -s -h',
        'runs file': '-processorpath -processor-path',
        reads: '-cp -classpath -sourcepath -p',
        text: '-source -target -release -encoding -processor',
        unknown: '-J -Xplugin',
      },
      careful: true,
    },
    operands: 'reads',
    read: (_args, taken) => (taken.has('-d') || taken.operands.length === 0 ? [] : [writes('*.class')]),
  },
  { names: 'jar', class: 'writes', about: 'packs Java classes' },
  {
    names: 'swiftc dmd ldc2 fpc gnatmake tinygo flex lex bison yacc protoc swig moc uic rcc',
    class: 'writes',
    about: 'compiles',
    grammar: {
      values: { writes: '-o --output -d --defines? --header-file', unknown: '--plugin -gcc', text: '-I -L -l' },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'swift',
    class: 'runs',
    about: 'builds and runs Swift',
    grammar: { values: { code: '-e' } },
    read: (_args, taken) =>
      taken.has('--version') ? [] : taken.operands[0]?.value?.endsWith('.swift') ? runsFile(taken.operands[0]) : [RUNS_PROJECT],
  },
  {
    names: 'pdflatex latex xelatex lualatex tex latexmk bibtex biber',
    class: 'runs',
    about: 'sets documents; -shell-escape lets them run programs',
    grammar: {
      oneDash: true,
      values: { writes: '-output-directory -outdir -jobname', code: '-e', text: '-interaction -pdflatex? -fmt' },
    },
    operands: 'reads',
    read: (_args, taken) => [
      writes('.'),
      ...(taken.has('-shell-escape', '-enable-write18', '-shell-restricted', '-pdflatex', '-e', '-r')
        ? [unknown('lets a document run programs')]
        : []),
    ],
  },
];
