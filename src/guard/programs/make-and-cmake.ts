/** make, CMake and Ninja: they run what the files of a project say, and what is put into them by arguments. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, RUNS_PROJECT, reads, runs, runsCode, runsFile, runsScript, unknown, writes } from './program.ts';
import { isStandardInput } from './shells.ts';

/** Variables of a Makefile that name programs. */
const MAKE_PROGRAMS =
  /^(?:SHELL|MAKE|CC|CXX|CPP|LD|AR|AS|FC|GO|CARGO|NODE|NPM|PYTHON3?|RM|CP|MV|INSTALL|LEX|YACC|RANLIB|STRIP|SED|AWK|GREP|TAR)$/;

/** `make NAME=value`: make expands the value, and recipes run what some names stand for. */
function makeVariable(word: Word): readonly Effect[] {
  const [, name, sign, value] = /^([^=\s:!+?]+)([:!+?]*=)(.*)$/s.exec(word.value ?? '') ?? [];
  if (name === undefined || value === undefined) return [];
  if (sign === '!=') return runsScript(value, '');
  if (/\$[({]\s*(?:shell|eval|file|guile|call)\b/.test(value))
    return [unknown(`is given ${name}=, which it expands and which can run programs`)];
  if (/^(?:\.SHELLFLAGS|MAKEFLAGS|MFLAGS|GNUMAKEFLAGS|MAKEFILES|\.RECIPEPREFIX)$/.test(name))
    return [unknown(`is given ${name}=, which can make it run anything`)];
  return MAKE_PROGRAMS.test(name) && value !== '' ? runsScript(value, '') : [];
}

function readMake(taken: Arguments): readonly Effect[] {
  const shows = taken.has('--version', '-v', '--help');
  const files = taken.values('-f', '--file', '--makefile');
  return [
    ...(shows || files.length > 0 ? [] : [RUNS_PROJECT]),
    ...files.flatMap((file) => (isStandardInput(file) ? [runsCode('make', 'from its input')] : runsFile(file))),
    ...taken.operands.flatMap(makeVariable),
    ...foldersOf(taken, '-C', '--directory'),
  ];
}

/** Each folder counts from the one before; only one can be told. */
function foldersOf(taken: Arguments, ...options: readonly string[]): readonly Effect[] {
  const folders = taken.values(...options);
  const [first] = folders;
  if (!first) return [];
  const values = folders.map(({ value }) => value);
  const path: Word = values.every((value) => value !== undefined)
    ? {
        source: first.source,
        value: values.reduce((all, each) => (each.startsWith('/') ? each : `${all}/${each}`)),
        expands: false,
      }
    : { source: first.source, value: undefined, expands: folders.length === 1 && first.expands };
  return [{ kind: 'works in', path }];
}

const CMAKE_PROGRAMS =
  /^(?:CMAKE_(?:\w+_)?(?:COMPILER|COMPILER_LAUNCHER|LINKER_LAUNCHER|LINKER|AR|RANLIB|MAKE_PROGRAM|COMMAND|CROSSCOMPILING_EMULATOR)|CMAKE_RULE_LAUNCH_\w+)$/;
const CMAKE_FILES = /^(?:CMAKE_TOOLCHAIN_FILE|CMAKE_PROJECT_\w*INCLUDE\w*|CMAKE_MODULE_PATH|CMAKE_USER_MAKE_RULES_OVERRIDE\w*)$/;

function cmakeVariable({ value }: Word): readonly Effect[] {
  const [, name, text] = /^([^:=]+)(?::\w+)?=(.*)$/s.exec(value ?? '') ?? [];
  if (value === undefined) return [unknown('is given a variable that cannot be known')];
  if (name === undefined || text === undefined) return [];
  if (CMAKE_PROGRAMS.test(name)) return runsScript(text.replaceAll(';', ' '), '');
  return CMAKE_FILES.test(name) ? runsFile({ source: text, value: text, expands: false }) : [];
}

/** `cmake -E`: tools of its own, some of which run a command. */
function cmakeTool(words: readonly Word[]): readonly Effect[] {
  const [tool, ...rest] = words;
  const plain = rest.filter(({ value }) => !value?.startsWith('-'));
  switch (tool?.value) {
    case 'env': {
      const at = rest.findIndex(({ value }) => value === undefined || !/^--|=/.test(value));
      return at === -1 ? [] : runs(rest.slice(at));
    }
    case 'time':
      return runs(rest);
    case 'chdir':
      return [...plain.slice(0, 1).map((path): Effect => ({ kind: 'works in', path })), ...runs(rest.slice(1))];
    case 'echo':
    case 'echo_append':
    case 'environment':
    case 'capabilities':
    case 'sleep':
    case 'true':
    case 'false':
      return [];
    case 'cat':
    case 'compare_files':
    case 'md5sum':
    case 'sha256sum':
      return plain.map(reads);
    case 'copy':
    case 'copy_directory':
    case 'copy_if_different':
    case 'rename':
    case 'create_symlink':
    case 'create_hardlink':
      return [...plain.slice(0, -1).map(tool.value === 'rename' ? writes : reads), ...plain.slice(-1).map(writes)];
    case 'make_directory':
    case 'rm':
    case 'remove':
    case 'remove_directory':
    case 'touch':
    case 'touch_nocreate':
      return plain.map(writes);
    default:
      return [unknown(`runs its tool ${tool?.source ?? ''}, which is not followed`)];
  }
}

function readCmake(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const tool = args.findIndex(({ value }) => value === '-E');
  if (tool !== -1) return cmakeTool(args.slice(tool + 1));
  if (taken.has('-version', '-help')) return [];
  const build = taken.value('-build') ?? taken.value('-install');
  const definitions = taken.values('-D').flatMap(cmakeVariable);
  if (taken.has('-P')) return definitions;
  return [RUNS_PROJECT, ...definitions, ...[build, taken.value('-B')].flatMap((folder) => (folder ? [writes(folder)] : []))];
}

export const MAKE_AND_CMAKE: readonly Program[] = [
  {
    names: 'make gmake bmake',
    class: 'runs',
    about: 'runs the recipes of a Makefile; variables that it expands or runs are found',
    grammar: {
      values: {
        special: '-f --file --makefile -C --directory',
        code: '--eval -E',
        reads: '-I --include-dir',
        text: '-j? --jobs? -l? --load-average? -o --old-file --assume-old -W --what-if --new-file --assume-new -O? --output-sync? --debug?',
      },
      flags:
        '--just-print --dry-run --print-data-base --silent --question --touch --keep-going --environment-overrides --ignore-errors --always-make',
      careful: true,
    },
    read: (_args, taken) => readMake(taken),
  },
  {
    names: 'cmake',
    class: 'runs',
    about: 'runs CMakeLists.txt; -E runs tools of its own, -P a script',
    grammar: {
      oneDash: true,
      values: {
        special: '-D -build -install -E -B -open',
        'runs file': '-P -C -toolchain',
        reads: '-S',
        text: '-G -T -A -U -target -config -preset -j -parallel -prefix -component -log-level',
      },
      careful: true,
    },
    read: (args, taken) => readCmake(args, taken),
  },
  {
    names: 'ninja samu',
    class: 'runs',
    about: 'runs the commands of a build file',
    grammar: { values: { 'works in': '-C', 'runs file': '-f', text: '-j -k -l -d -w', special: '-t' }, optionsFirst: true },
    read: (_args, taken) => (taken.has('-t', '--version') ? [] : [RUNS_PROJECT]),
  },
];
