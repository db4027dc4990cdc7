/** Compilers: they read and write files; some options have them run or load something else. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import {
  connects,
  effectsOf,
  type Program,
  RUNS_PROJECT,
  reads,
  runs,
  runsFile,
  runsScript,
  unknown,
  withoutOptions,
  writes,
} from './program.ts';
import { rest } from './unknown-words.ts';

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

/** `-exec`, `-toolexec` and linkers named in -ldflags run programs (go help build). */
const goFlags = (taken: Arguments): readonly Effect[] =>
  taken
    .values('-ldflags', '-gcflags', '-gccgoflags')
    .flatMap((flags) =>
      flags.value === undefined || /extld|toolexec|plugin/.test(flags.value)
        ? [unknown(`is given ${flags.source.slice(0, 40)}, which can run programs`)]
        : [],
    );

function readGo(taken: Arguments): readonly Effect[] {
  const [command, ...words] = taken.operands;
  const effects = [...goFlags(taken)];
  switch (command?.value) {
    case undefined:
      return command ? [...effects, unknown('gets a subcommand that is computed')] : effects;
    case 'version':
    case 'help':
    case 'doc':
    case 'list':
      return effects;
    case 'env':
      return taken.has('-w', '-u') ? [...effects, unknown('changes its settings, which can name programs')] : effects;
    case 'tool':
      return words[0] ? [...effects, unknown(`runs ${words[0].source}, a tool that is not followed`)] : effects;
    case 'run':
      return [
        ...effects,
        ...words.slice(0, 1).flatMap((file) => (file.value?.endsWith('.go') ? runsFile(file) : [RUNS_PROJECT])),
      ];
    case 'get':
    case 'install':
      return [...effects, RUNS_PROJECT, connects()];
    case 'fmt':
    case 'mod':
    case 'work':
    case 'fix':
    case 'clean':
      return [...effects, writes('.')];
    default:
      return [...effects, RUNS_PROJECT];
  }
}

const CARGO_SHOWS = /^(?:metadata|tree|version|search|locate-project|pkgid|read-manifest|verify-project|help|info|report)$/;
const CARGO_BUILDS =
  /^(?:build|b|test|t|run|r|check|c|bench|doc|d|rustc|rustdoc|clippy|fix|package|install|miri|expand|llvm-cov|tarpaulin|nextest|flamegraph|udeps|bloat|asm)$/;
const CARGO_WRITES =
  /^(?:new|init|clean|fmt|add|remove|rm|generate-lockfile|vendor|uninstall|sort|machete|deny|audit|outdated|hack)$/;
const CARGO_CONNECTS = /^(?:update|fetch|publish|login|logout|owner|yank)$/;

function readCargo(taken: Arguments): readonly Effect[] {
  const [command] = taken.operands.filter(({ value }) => !value?.startsWith('+'));
  if (!command) return [];
  const name = command.value ?? '';
  if (CARGO_SHOWS.test(name)) return [];
  if (CARGO_BUILDS.test(name)) return [RUNS_PROJECT, ...(name === 'install' ? [connects()] : [])];
  if (CARGO_WRITES.test(name)) return [writes('.')];
  if (CARGO_CONNECTS.test(name)) return [connects()];
  if (name === 'watch')
    return [RUNS_PROJECT, ...taken.values('-s', '--shell').flatMap((script) => runsScript(script, 'by its option -s'))];
  return [unknown(`has no subcommand ${name}: it may be an alias, or a program of its own`)];
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
    names: 'rustc rustdoc clippy-driver',
    class: 'reads',
    about: 'compiles Rust; a linker named in -C runs',
    grammar: {
      values: {
        special: '-C --codegen',
        writes: '-o --out-dir',
        'runs file': '--sysroot',
        reads: '-L --extern',
        text: '--edition --crate-type --crate-name --emit --target --cfg --print -A -W -D -F --test-args',
        unknown: '-Z',
      },
      exact: true,
      careful: true,
    },
    operands: 'reads',
    read: (_args, taken) => [
      ...taken.values('-C', '--codegen').flatMap((word) => {
        if (word.value?.startsWith('linker=')) return effectsOf('program', rest(word, 7), 'by its option -C linker');
        return word.value === undefined || /^(?:ar|link-args?|llvm-args|dlltool)=/.test(word.value)
          ? [unknown(`is given ${word.source.slice(0, 40)}, which can run programs`)]
          : [];
      }),
      ...(taken.has('-o', '--out-dir') || taken.operands.length === 0 ? [] : [writes('.')]),
    ],
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
    names: 'cargo',
    class: 'runs',
    about: 'builds and runs Rust',
    grammar: {
      values: {
        unknown: '--config -Z',
        writes: '--target-dir --root --artifact-dir',
        'works in': '-C',
        reads: '--manifest-path --lockfile-path',
        special: '-s --shell',
        text: '-p --package -F --features -j --jobs --bin --example --test --bench --target --profile --message-format --color --registry --index --git --branch --tag --rev --version --exclude --edition',
      },
      exact: true,
      careful: true,
    },
    read: (_args, taken) => readCargo(taken),
  },
  {
    names: 'rustup',
    class: 'runs',
    about: 'installs Rust; run runs a program with it',
    read: (args, _taken, { calledAs }) => {
      // Under their names it starts the programs that it has installed.
      if (calledAs !== undefined && calledAs !== 'rustup') return [];
      const [command, ...words] = withoutOptions(args);
      if (command?.value === 'run') return runs(words[0] ? args.slice(args.indexOf(words[0]) + 1) : []);
      return !command || /^(?:show|which|doc|man|check|completions|help)$/.test(command.value ?? '') ? [] : [connects()];
    },
  },
  {
    names: 'go',
    versioned: true,
    class: 'runs',
    about: 'builds and runs Go; -exec, -toolexec and linkers in flags run programs',
    grammar: {
      oneDash: true,
      values: {
        command: '-exec -toolexec',
        program: '-vettool',
        writes: '-o -outputdir -coverprofile -cpuprofile -memprofile -pkgdir',
        'works in': '-C',
        reads: '-modfile -overlay',
        special: '-ldflags -gcflags -gccgoflags -asmflags',
        text: '-run -bench -count -timeout -tags -p -v? -race? -short? -mod -buildmode -compiler -f -u? -w? -parallel -cpu -fuzz -json?',
      },
      careful: true,
    },
    read: (_args, taken) => readGo(taken),
  },
  { names: 'golangci-lint staticcheck dlv delve', class: 'runs', about: 'works on Go code', read: () => [RUNS_PROJECT] },
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
