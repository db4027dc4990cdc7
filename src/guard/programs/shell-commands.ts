/** Commands of the shell itself (POSIX.1-2024 2.15; Bash manual 4). */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { assignment, fed, isUnknown, type Program, reads, runs, unknown, writes } from './program.ts';
import { joinedWords, mayBeOption } from './unknown-words.ts';

/** A script as text: where it is not known, the policy says so by itself. */
const script = (word: Word | undefined): readonly Effect[] => (word ? [{ kind: 'runs script', script: word }] : []);

/** Variables whose names are given and whose values come from somewhere else. */
const setsNamed = (names: readonly (Word | undefined)[]): readonly Effect[] =>
  names.flatMap((word): Effect[] => {
    if (!word) return [];
    if (word.value === undefined) return [unknown(`sets a variable whose name is computed (${word.source})`)];
    const value: Word = { source: word.source, value: undefined, expands: false };
    return [{ kind: 'sets variable', name: word.value.replace(/\[.*$/s, ''), value }];
  });

function declares(args: readonly Word[]): readonly Effect[] {
  const options = args.filter(({ value }) => /^-\w/.test(value ?? ''));
  if (options.some(({ value }) => value?.includes('n') && !value.includes('p'))) {
    const names = args.filter(({ value }) => !value?.startsWith('-'));
    // To assign to the other name is then to set the variable it stands for.
    if (names.length > 0 && !options.some(({ value }) => /[fF]/.test(value ?? '')))
      return [unknown('gives a variable another name')];
  }
  return declared(args);
}

function declared(args: readonly Word[]): readonly Effect[] {
  return args.flatMap((word): Effect[] => {
    const set = assignment(word);
    if (set) return [set];
    return word.value === undefined ? [unknown(`sets a variable that is computed (${word.source})`)] : [];
  });
}

const changesCommands = unknown('changes which program a name stands for');

const plain = (names: string, about: string): Program => ({ names, class: 'reads', about });

export const SHELL_COMMANDS: readonly Program[] = [
  plain(
    ': true false break continue return exit logout suspend times fg bg disown caller dirs',
    'does nothing outside the shell',
  ),
  plain('echo pwd let type help umask ulimit shift popd compopt unalias select', 'prints, compares or changes the shell itself'),
  {
    names: 'test [ [[',
    class: 'reads',
    about: 'compares; -v looks up a variable, and evaluates its subscript',
    read: (args) =>
      args.some((word, index) => {
        const [before, after] = [args[index - 1], args[index + 1]];
        // One that is not known may be the operator.
        const looksUp = word.value === '-v' || word.value === '-R' || (isUnknown(word) && (!before || before.value === '!'));
        return looksUp && after !== undefined && isUnknown(after) && args.length < index + 4;
      })
        ? [unknown('looks up a variable whose name is computed')]
        : [],
  },
  {
    names: 'wait',
    class: 'reads',
    about: 'waits; -p sets a variable',
    grammar: { values: { special: '-p' } },
    read: (_args, taken) => setsNamed(taken.values('-p')),
  },
  {
    names: 'jobs',
    class: 'runs',
    about: 'shows jobs; -x runs a command',
    read: (args) => (args[0]?.value === '-x' ? runs(args.slice(1)) : args[0] && isUnknown(args[0]) ? [changesCommands] : []),
  },
  {
    names: 'printf',
    class: 'reads',
    about: 'prints; -v sets a variable',
    grammar: { values: { special: '-v' }, optionsFirst: true },
    read: (args, taken) =>
      taken.has('-v')
        ? setsNamed([taken.value('-v')])
        : args[0] && isUnknown(args[0]) && mayBeOption(args[0]) && args.length > 2
          ? [unknown('could set any variable')]
          : [],
  },
  {
    names: 'read',
    class: 'reads',
    about: 'sets variables from its input',
    grammar: { values: { special: '-a', text: '-d -i -n -N -p -t -u' }, careful: true },
    read: (_args, taken) => setsNamed([...taken.operands, taken.value('-a')]),
  },
  {
    names: 'mapfile readarray',
    class: 'reads',
    about: 'sets an array from its input',
    grammar: { values: { script: '-C', text: '-c -d -n -O -s -u' }, careful: true },
    read: (_args, taken) => setsNamed(taken.operands),
  },
  {
    names: 'getopts',
    class: 'reads',
    about: 'sets a variable from the arguments',
    grammar: { optionsFirst: true },
    read: (_args, taken) => setsNamed(taken.operands.slice(1, 2)),
  },
  { names: 'export readonly', class: 'reads', about: 'sets variables', read: (args) => declared(args) },
  { names: 'declare typeset local', class: 'reads', about: 'sets variables', read: (args) => declares(args) },
  {
    names: 'unset',
    class: 'reads',
    about: 'removes variables and functions',
    // Without these, names are looked up in another way.
    read: (_args, { operands }) =>
      setsNamed(operands.filter(({ value }) => value === undefined || /^(?:PATH|HOME|IFS)$/.test(value))),
  },
  {
    names: 'set',
    class: 'reads',
    about: 'changes how the shell works, or its arguments',
    read: (args) => {
      const end = args.findIndex(({ value }) => value === '--' || value === '-');
      const options = end === -1 ? args : args.slice(0, end);
      const marked = options.some(({ value }) => /^-[a-zA-Z]*k|^keyword$/.test(value ?? ''));
      return marked || (end === -1 && options[0] && isUnknown(options[0]) && mayBeOption(options[0]))
        ? [unknown('may turn arguments into variables')]
        : [];
    },
  },
  plain('shopt', 'changes how the shell works'),
  {
    names: 'cd pushd',
    class: 'reads',
    about: 'changes the working directory',
    grammar: { flags: '-L -P -e -n' },
    read: (_args, { operands }) =>
      /^[+-]\d+$/.test(operands[0]?.value ?? '')
        ? []
        : [{ kind: 'works in', path: operands[0] ?? { source: '~', value: undefined, expands: true } }],
  },
  {
    names: 'hash',
    class: 'reads',
    about: 'remembers where programs are; -p says where',
    grammar: { values: { special: '-p' }, careful: true },
    read: (_args, taken) => (taken.has('-p') ? [changesCommands] : []),
  },
  {
    names: 'history',
    class: 'reads',
    about: 'shows commands of before; -a and -w write them to a file',
    grammar: { optionsFirst: true },
    read: (_args, taken) =>
      taken.has('-a', '-w')
        ? taken.operands.slice(0, 1).map(writes)
        : taken.has('-r', '-n')
          ? taken.operands.slice(0, 1).map(reads)
          : [],
  },
  {
    names: 'fc',
    class: 'runs',
    about: 'runs commands of before',
    read: (args) => (args[0]?.value === '-l' ? [] : [unknown('runs commands of before')]),
  },
  {
    names: 'eval',
    class: 'runs',
    about: 'runs its arguments as a script',
    read: (args) => {
      const words = args[0]?.value === '--' ? args.slice(1) : args;
      return words.length > 0 ? script(joinedWords(words)) : [];
    },
  },
  {
    names: 'exec',
    class: 'runs',
    about: 'runs its arguments in place of the shell',
    grammar: { values: { text: '-a' }, optionsFirst: true, careful: true },
    operands: 'argv',
  },
  {
    names: 'command',
    class: 'runs',
    about: 'runs its arguments; -v and -V only tell what would run',
    grammar: { optionsFirst: true },
    read: (_args, taken) => (taken.has('-v', '-V') ? [] : runs(taken.operands)),
  },
  { names: 'builtin', class: 'runs', about: 'runs a command of the shell', operands: 'argv', grammar: { optionsFirst: true } },
  {
    names: 'source .',
    class: 'runs',
    about: 'runs a file in the shell',
    grammar: { values: { special: '-p' }, optionsFirst: true },
    operands: ['runs file', 'text'],
  },
  {
    names: 'trap',
    class: 'runs',
    about: 'runs a script at the end, or at a signal',
    grammar: { optionsFirst: true },
    read: (_args, taken) => {
      const [action] = taken.operands;
      const resets = taken.operands.length < 2 || taken.has('-p', '-l') || /^(?:-|\d+|)$/.test(action?.value ?? 'x');
      return resets ? [] : script(action);
    },
  },
  {
    names: 'alias',
    class: 'runs',
    about: 'gives a script a name',
    read: (args) =>
      args.flatMap((word): readonly Effect[] => {
        if (word.value === undefined) return script(word);
        const equals = word.value.indexOf('=');
        return equals === -1 ? [] : script(knownWord(word.value.slice(equals + 1)));
      }),
  },
  {
    names: 'compgen',
    class: 'runs',
    about: 'prints completions; -C runs a script, -W expands words',
    grammar: { values: { script: '-C', special: '-W', text: '-F -A -G -P -S -X -o -V' }, careful: true },
    read: (_args, taken) => {
      const words = taken.value('-W');
      return words && (words.value === undefined || /[$`]/.test(words.value))
        ? [unknown('expands words that could run programs')]
        : [];
    },
  },
  {
    names: 'complete',
    class: 'runs',
    about: 'says how to complete commands',
    grammar: { values: { script: '-C', text: '-F -W -A -G -P -S -X -o' }, careful: true },
  },
  {
    names: 'bind',
    class: 'runs',
    about: 'binds keys to scripts',
    grammar: { values: { unknown: '-x', 'runs file': '-f', text: '-m -q -u -r' }, careful: true },
  },
  {
    names: 'enable',
    class: 'runs',
    about: 'switches commands of the shell on and off; -f loads them from a file',
    grammar: { values: { 'runs file': '-f' }, careful: true },
    read: (_args, taken) => (taken.has('-f', '-n', '-d') && taken.items.length > 1 ? [changesCommands] : []),
  },
  {
    names: 'coproc',
    class: 'runs',
    about: 'runs its arguments beside the shell',
    read: (args) =>
      args.some(({ value }) => value === '{' || value === '(') ? [unknown('runs a compound command')] : fed(runs(args)),
  },
];
