/** Deno and Bun, which run code as their subcommands say, and calculators that run scripts. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { fromInput } from './interpreters.ts';
import {
  type Program,
  type ReadContext,
  RUNS_PROJECT,
  reads,
  runsCode,
  runsFile,
  runsScript,
  unknown,
  writes,
} from './program.ts';
import { isStandardInput } from './shells.ts';

/** dc(1): `!` and a line, unless a comparison follows. */
function ofDc(text: string | undefined): readonly Effect[] {
  if (text === undefined) return [runsCode('dc', 'that is not known')];
  return [...text.matchAll(/!(?![<>=])(.*)/g)].flatMap(([, script]) => runsScript(script, ''));
}

const DENO_RUNS = /^(?:run|test|bench|task|serve|compile|repl|install|jupyter|x)$/;

function readDeno(args: readonly Word[], context: ReadContext): readonly Effect[] {
  const words = args.filter(({ value }) => !/^-./.test(value ?? ''));
  const [command, file] = words;
  if (command === undefined) return args.length > 0 ? [] : fromInput('JavaScript', context);
  if (command.value === 'eval') return [runsCode('JavaScript', 'eval')];
  if (command.value === 'task') return [RUNS_PROJECT];
  if (DENO_RUNS.test(command.value ?? '')) {
    const plain = file && isStandardInput(file) ? fromInput('JavaScript', context, true) : file ? runsFile(file) : [RUNS_PROJECT];
    return args.some(({ value }) => value === undefined) && !file
      ? [...plain, unknown('gets options that cannot be known')]
      : plain;
  }
  if (/^(?:fmt|clean|add|remove|upgrade|init|publish)$/.test(command.value ?? '')) return [writes('.')];
  if (/^(?:lint|check|info|doc|types|coverage|help|completions|outdated|cache)$/.test(command.value ?? '')) return [reads('.')];
  return runsFile(command);
}

export const RUNTIMES: readonly Program[] = [
  {
    names: 'deno',
    class: 'runs',
    about: 'runs JavaScript: eval, run, test, a file, or standard input',
    read: (args, _taken, context) => readDeno(args, context),
  },
  {
    names: 'bun',
    class: 'runs',
    about: 'runs JavaScript, scripts and packages of a project',
    grammar: {
      values: {
        special: '-e --eval -p --print',
        'runs file': '-r --preload -c --config',
        'works in': '--cwd',
        reads: '--env-file',
        program: '--shell',
      },
      optionsFirst: true,
    },
    read: (_args, taken, context) => {
      if (taken.has('-e', '--eval', '-p', '--print')) return [runsCode('JavaScript', '-e')];
      const [command, file] = taken.operands;
      if (!command) return taken.has('--version', '-v', '--help', '--revision') ? [] : fromInput('JavaScript', context);
      if (command.value === 'x')
        return [RUNS_PROJECT, ...(file ? [{ kind: 'runs', argv: taken.operands.slice(1) } as const] : [])];
      if (command.value === 'run' && file && /[./]/.test(file.value ?? '.'))
        return isStandardInput(file) ? fromInput('JavaScript', context, true) : runsFile(file);
      return /[./]/.test(command.value ?? '.') ? runsFile(command) : [RUNS_PROJECT];
    },
  },
  { names: 'bc', class: 'reads', about: 'calculates', operands: 'reads' },
  {
    names: 'dc',
    class: 'reads',
    about: 'calculates; `!` runs a script',
    grammar: { values: { special: '-e --expression -f --file' } },
    read: (_args, taken, { piped, stdin }) => {
      const files = [...taken.values('-f', '--file'), ...taken.operands].filter((word) => !isStandardInput(word));
      const given = taken.values('-e', '--expression').map(({ value }) => value);
      const input = piped && files.length === 0 && given.length === 0 ? [stdin] : [];
      return [...files.flatMap(runsFile), ...[...given, ...input].flatMap(ofDc)];
    },
  },
];
