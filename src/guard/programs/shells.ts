/** Shells: a script comes as an argument, from a file, or on standard input (sh(1), bash(1)). */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import { doubtful, type Program, type ReadContext, RUNS_PROJECT, runsCode, runsFile } from './program.ts';
import { mayBeOption } from './unknown-words.ts';

const STANDARD_INPUT = /^\/(?:dev\/(?:stdin|fd\/0)|proc\/(?:self|thread-self)\/fd\/0)$/;

/** Whether a file of that name is standard input. */
export const isStandardInput = (word: Word) => word.value === '-' || STANDARD_INPUT.test(word.value ?? '');

const UNKNOWN_INPUT: Word = { source: 'standard input', value: undefined, expands: false };

function scriptFromInput({ piped, stdin }: ReadContext): readonly Effect[] {
  if (!piped) return [];
  return [{ kind: 'runs script', script: stdin === undefined ? UNKNOWN_INPUT : knownWord(stdin) }];
}

/** Long options of Bash and others that have a value. */
const LONG_WITH_VALUE = /^--(?:rcfile|init-file|emulate)$/;

function readShell(args: readonly Word[], context: ReadContext): readonly Effect[] {
  const effects: Effect[] = [];
  let takesScript = false;
  let takesInput = false;
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] as Word;
    const { value } = word;
    if (value === undefined) {
      if (mayBeOption(word)) effects.push(doubtful(word));
      break;
    }
    if (value === '--' || value === '-') {
      at++;
      break;
    }
    if (LONG_WITH_VALUE.test(value)) {
      const file = args[++at];
      if (file && value !== '--emulate') effects.push(...runsFile(file));
      continue;
    }
    if (/^--(?:version|help)$/.test(value)) return effects;
    if (value.startsWith('--')) continue;
    if (!/^[-+]./.test(value)) break;
    // Every `o` and `O` of a cluster has a value of its own.
    for (const letter of value.slice(1)) {
      if (letter === 'c' && value.startsWith('-')) takesScript = true;
      else if (letter === 's' && value.startsWith('-')) takesInput = true;
      else if (letter === 'o' || letter === 'O' || letter === 'A') at++;
    }
  }
  const [first] = args.slice(at);
  if (takesScript) return first ? [...effects, { kind: 'runs script', script: first }] : effects;
  if (first && !takesInput && !STANDARD_INPUT.test(first.value ?? '')) return [...effects, ...runsFile(first)];
  return [...effects, ...scriptFromInput(context)];
}

const FOREIGN: Grammar = {
  values: { special: '-c --commands --command -Command -C -EncodedCommand -e', 'runs file': '-f -File -rcfile', text: '-d -o' },
  optionsFirst: true,
  careful: true,
};

export const SHELLS: readonly Program[] = [
  {
    names: 'sh bash dash ash zsh zsh5 rzsh ksh ksh93 rksh rksh93 mksh rmksh mksh-static oksh rbash lksh rlksh yash posh',
    class: 'runs',
    about: 'runs a script: of -c, of a file (--rcfile and --init-file too), or from standard input',
    read: (args, _taken, context) => readShell(args, context),
  },
  {
    names: 'fish csh tcsh elvish nu xonsh pwsh powershell osh ysh rc es ion murex',
    class: 'runs',
    about: 'runs a script in a shell language that is not read here',
    grammar: FOREIGN,
    read: (args, taken, context) => {
      if (args.some(({ value }) => /^-(?:c|C|e|Command|EncodedCommand)|^--command/i.test(value ?? '')))
        return [runsCode('shell', '-c')];
      const [file] = taken.operands;
      if (file) return runsFile(file);
      return context.piped && !taken.has('--version', '--help') ? [runsCode('shell', 'from its input')] : [];
    },
  },
  {
    names: 'bats shellspec shunit2',
    class: 'runs',
    about: 'runs tests written for a shell',
    read: () => [RUNS_PROJECT],
  },
];
