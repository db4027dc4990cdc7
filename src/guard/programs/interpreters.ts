/** Programs that run code: from an argument, a file, or their input. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar, Use } from './options.ts';
import type { Program, ReadContext } from './program.ts';

interface Interpreter {
  readonly names: string;
  readonly language: string;
  /** Options whose value is code. */
  readonly code?: readonly string[];
  /** Options that name a file of code to run. */
  readonly files?: readonly string[];
  /** Options that end the looking for a file: a module, a version, a syntax check. */
  readonly instead?: readonly string[];
  readonly values?: Readonly<Record<string, Use>>;
  readonly grammar?: Grammar;
}

/** Modules of Python that run code in their arguments or on their input. */
const RUNS_ARGUMENTS = /^(?:timeit|pdb|code|cProfile|profile|trace|runpy|idlelib|IPython|doctest|asyncio|this|antigravity)\b/;

function interpreter({ names, language, code = [], files = [], instead = [], values = {}, grammar = {} }: Interpreter): Program {
  const uses = Object.fromEntries([
    ...Object.entries(values),
    ...code.map((option) => [option, 'text'] as const),
    ...files.map((option) => [option, 'runs file'] as const),
  ]);
  return {
    names,
    class: 'runs',
    about: `runs ${language} code: from a file, ${code.length > 0 ? `${code.join(' ')}, ` : ''}or its input`,
    grammar: { operandsEnd: true, values: uses, careful: true, ...grammar },
    read(_args, taken, context): Effect[] {
      const option = taken.options.find((each) => code.includes(each.option));
      if (option) return [{ kind: 'runs code', language, how: option.option }];
      const module = taken.value('-m')?.value;
      if (language === 'Python' && module !== undefined && RUNS_ARGUMENTS.test(module))
        return [{ kind: 'runs code', language, how: `-m ${module}` }];
      if (taken.has(...instead, '--version', '--help', '-V'))
        return taken.has(...instead) && instead.length > 0 ? [{ kind: 'runs file', path: undefined }] : [];
      const [file] = taken.operands;
      if (file && file.value !== '-') return [{ kind: 'runs file', path: file }];
      return fromInput(language, context);
    },
  };
}

function fromInput(language: string, { piped }: ReadContext): Effect[] {
  // With an empty input there is nothing to run.
  return piped ? [{ kind: 'runs code', language, how: 'from its input' }] : [];
}

const SHELL_GRAMMAR: Grammar = {
  operandsEnd: true,
  careful: true,
  values: { '-O': 'text', '+O': 'text', '-o': 'text', '--rcfile': 'runs file', '--init-file': 'runs file' },
};

/** `sh -c script`, `sh file`, `sh` with a script on its input. */
function readShell(args: readonly Word[], context: ReadContext): Effect[] {
  let at = 0;
  let takesScript = false;
  let takesInput = false;
  for (; at < args.length; at++) {
    const { value, source } = args[at] as Word;
    if (value === undefined) return [{ kind: 'runs script', script: { source, value: undefined, expands: false } }];
    if (value === '--' || value === '-') {
      at++;
      break;
    }
    if (/^--(?:rcfile|init-file)$/.test(value)) return [{ kind: 'runs file', path: args[at + 1] }];
    if (value.startsWith('--')) continue;
    if (!/^[-+]./.test(value)) break;
    if (value.startsWith('-') && value.includes('c')) takesScript = true;
    if (value.startsWith('-') && value.includes('s')) takesInput = true;
    if (/[oO]$/.test(value)) at++;
  }
  const rest = args.slice(at);
  if (takesScript) return rest[0] ? [{ kind: 'runs script', script: rest[0] }] : [];
  if (rest[0] && !takesInput) return [{ kind: 'runs file', path: rest[0] }];
  if (context.stdin !== undefined)
    return [{ kind: 'runs script', script: { source: 'its input', value: context.stdin, expands: false } }];
  return context.piped ? [{ kind: 'runs script', script: { source: 'its input', value: undefined, expands: false } }] : [];
}

/** awk: a program in its first operand, or in files. */
function readAwk(taken: Parameters<NonNullable<Program['read']>>[1]): Effect[] {
  if (taken.has('-f', '--file', '-E', '--exec', '-l', '--load', '-i', '--include')) return [];
  const [program, ...files] = taken.operands;
  const effects: Effect[] = files
    .filter(({ value }) => !/^[A-Za-z_]\w*=/.test(value ?? ''))
    .map((path) => ({ kind: 'reads', path }));
  if (!program) return effects;
  if (program.value === undefined) {
    // What the shell puts in could hold anything, a call of system() too.
    return [...effects, { kind: 'unknown', reason: 'gets a program that is computed' }];
  }
  const source = program.value.replace(/"(?:[^"\\]|\\.)*"/gs, '""').replace(/\/(?:[^/\\\n]|\\.)+\//g, '//');
  if (/\bsystem\s*\(|\bgetline\b|@load|@include|\|&?/.test(source.replace(/\|\|/g, ' ')))
    effects.push({ kind: 'runs code', language: 'awk', how: 'system(), a pipe or getline' });
  else if (/\bprintf?\b[^;}\n]*>/.test(source))
    effects.push({ kind: 'unknown', reason: 'writes to files that its program names' });
  return effects;
}

export const INTERPRETERS: readonly Program[] = [
  {
    names: 'sh bash dash ash zsh ksh mksh rbash busybox-sh',
    class: 'runs',
    about: 'runs a script: -c, a file, or its input',
    grammar: SHELL_GRAMMAR,
    read: (args, _taken, context) => readShell(args, context),
  },
  {
    names: 'fish csh tcsh elvish nu xonsh pwsh osh',
    class: 'runs',
    about: 'is a shell of another language',
    grammar: { values: { '-c': 'text' } },
    read: (_args, taken, context) =>
      taken.has('-c')
        ? [{ kind: 'runs code', language: 'shell', how: '-c' }]
        : taken.operands[0]
          ? [{ kind: 'runs file', path: taken.operands[0] }]
          : fromInput('shell', context),
  },
  interpreter({
    names: 'python python3 python2 pypy pypy3 ipython',
    language: 'Python',
    code: ['-c'],
    instead: ['-m'],
    values: { '-m': 'text', '-W': 'text', '-X': 'text', '-Q': 'text' },
  }),
  interpreter({
    names: 'node deno-node',
    language: 'JavaScript',
    code: ['-e', '--eval', '-p', '--print', '-pe', '--input-type'],
    files: ['-r', '--require', '--import', '--loader', '--experimental-loader', '--env-file', '--experimental-config-file'],
    instead: ['--test', '--run', '-c', '--check', '--watch-path'],
    values: { '-C': 'text', '--conditions': 'text', '--test-name-pattern': 'text', '--run': 'text', '--watch-path': 'text' },
  }),
  interpreter({
    names: 'perl',
    language: 'Perl',
    code: ['-e', '-E'],
    values: { '-M': 'unknown', '-m': 'unknown', '-I': 'reads', '-d': 'unknown' },
  }),
  interpreter({
    names: 'ruby jruby',
    language: 'Ruby',
    code: ['-e'],
    files: ['-r'],
    values: { '-I': 'reads', '-C': 'works in', '-E': 'text', '-F': 'text', '-W': 'text' },
  }),
  interpreter({
    names: 'php',
    language: 'PHP',
    code: ['-r', '-R', '-B', '-E', '--run', '--process-code'],
    files: ['-f', '--file', '-F', '--process-file', '-z'],
    values: { '-d': 'unknown', '-c': 'reads', '-t': 'reads', '-S': 'text' },
  }),
  interpreter({ names: 'lua luajit', language: 'Lua', code: ['-e'], files: ['-l'] }),
  interpreter({ names: 'tclsh wish', language: 'Tcl' }),
  interpreter({ names: 'Rscript R r', language: 'R', code: ['-e'], files: ['-f', '--file'] }),
  interpreter({ names: 'julia', language: 'Julia', code: ['-e', '--eval', '-E', '--print'], files: ['-L', '--load'] }),
  interpreter({
    names: 'guile scheme racket sbcl ghci ghc runghc ocaml scala groovy elixir erl clojure osascript',
    language: 'its own',
    code: ['-e', '-c', '--eval', '--eval-file', '-eval', '--exec', '-f'],
  }),
  interpreter({
    names: 'java',
    language: 'Java',
    files: ['-jar'],
    values: { '-cp': 'reads', '-classpath': 'reads', '--class-path': 'reads' },
    grammar: { singleDash: true },
  }),
  interpreter({ names: 'm4', language: 'm4' }),
  {
    names: 'deno bun',
    class: 'runs',
    about: 'runs JavaScript: eval, run, test, a file',
    read: (args, _taken, context) => {
      const [command] = args.filter(({ value }) => !value?.startsWith('-'));
      if (
        args.some(
          ({ value }) => value === 'eval' || value === '-e' || value === '--eval' || value === '-p' || value === '--print',
        )
      )
        return [{ kind: 'runs code', language: 'JavaScript', how: 'eval' }];
      if (!command) return fromInput('JavaScript', context);
      return [{ kind: 'runs file', path: undefined }];
    },
  },
  {
    names: 'awk',
    class: 'reads',
    about: 'works on lines; system(), pipes and redirections in its program are found',
    grammar: {
      values: {
        '-f': 'runs file',
        '--file': 'runs file',
        '-E': 'runs file',
        '--exec': 'runs file',
        '-F': 'text',
        '--field-separator': 'text',
        '-v': 'text',
        '--assign': 'text',
        '-i': 'runs file',
        '--include': 'runs file',
        '-l': 'unknown',
        '--load': 'unknown',
        '-e': 'code',
        '--source': 'code',
        '-o': 'text',
        '-d': 'text',
        '-p': 'text',
        '-D': 'unknown',
        '--debug': 'unknown',
      },
      operandsEnd: true,
      careful: true,
    },
    read: (_args, taken) => readAwk(taken),
  },
  {
    names: 'jq yq gojq',
    class: 'reads',
    about: 'works on JSON',
    grammar: {
      values: {
        '-f': 'reads',
        '--from-file': 'reads',
        '-L': 'reads',
        '--arg': 'text',
        '--argjson': 'text',
        '--slurpfile': 'text',
        '--rawfile': 'text',
        '--indent': 'text',
      },
      flags: { '-i': 'unknown', '--inplace': 'unknown' },
    },
    operands: ['text', 'reads'],
  },
  { names: 'bc', class: 'reads', about: 'calculates' },
  {
    names: 'dc',
    class: 'runs',
    about: 'calculates; `!` in its program runs a script',
    grammar: { values: { '-e': 'code', '--expression': 'code', '-f': 'runs file', '--file': 'runs file' } },
    read: (_args, _taken, context) => fromInput('dc', context),
  },
  {
    names: 'sqlite3',
    class: 'writes',
    about: 'works on a database; .shell and .system run scripts',
    grammar: {
      singleDash: true,
      values: { '-cmd': 'text', '-init': 'runs file', '-separator': 'text', '-newline': 'text', '-nullvalue': 'text' },
    },
    read: (args, taken, context) => [
      ...(taken.operands[0] ? [{ kind: 'writes', path: taken.operands[0] } as const] : []),
      ...(args.some(
        ({ value }) =>
          value === undefined ||
          /^\s*\.(?:sh|shell|sy|system|load|open|output|once|import|read|save|backup|clone|excel|archive|ar)\b|load_extension|writefile|edit\s*\(/im.test(
            value,
          ),
      )
        ? [{ kind: 'unknown', reason: 'gets a script that can run programs or write files' } as const]
        : []),
      ...fromInput('SQL', context),
    ],
  },
  {
    names: 'psql mysql mariadb redis-cli mongo mongosh',
    class: 'writes',
    about: 'talks to a database',
    grammar: {
      values: {
        '-f': 'runs file',
        '--file': 'runs file',
        '-h': 'connects',
        '--host': 'connects',
        '-o': 'writes',
        '--output': 'writes',
        '-L': 'writes',
        '-c': 'text',
        '--command': 'text',
        '-e': 'text',
        '--execute': 'text',
        '-U': 'text',
        '-d': 'text',
        '-p': 'text',
        '-u': 'text',
        '-v': 'text',
      },
    },
    read: (args, _taken, context) => [
      { kind: 'connects', host: undefined },
      ...(args.some(({ value }) => value !== undefined && /\\(?:!|o|g|w|copy)|\bsystem\b|^\\/i.test(value))
        ? [{ kind: 'unknown', reason: 'gets a script that can run programs or write files' } as const]
        : []),
      ...fromInput('SQL', context),
    ],
  },
];
