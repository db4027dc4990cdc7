/** Commands of the shell itself. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Program } from './program.ts';

const script = (words: readonly Word[]): Effect[] => {
  if (words.length === 0) return [];
  const known = words.every(({ value }) => value !== undefined);
  const source = words.map((each) => each.source).join(' ');
  return [
    {
      kind: 'runs script',
      script: { source, value: known ? words.map(({ value }) => value).join(' ') : undefined, expands: false },
    },
  ];
};

/** `NAME=value` words of export and its like. */
const assignments = (words: readonly Word[]): Effect[] =>
  words.flatMap((word): Effect[] => {
    if (word.value === undefined) {
      const [, started] = /^["']?([A-Za-z_]\w*)\+?=/.exec(word.source) ?? [];
      if (started === undefined) return [{ kind: 'unknown', reason: `sets a variable whose name is computed (${word.source})` }];
      return [{ kind: 'sets variable', name: started, value: { source: word.source, value: undefined, expands: false } }];
    }
    // With -n a name stands for another variable.
    if (/^-[A-Za-z]*n/.test(word.value)) return [{ kind: 'unknown', reason: 'gives a variable another name' }];
    const [, name, text] = /^([A-Za-z_]\w*)\+?=(.*)$/s.exec(word.value) ?? [];
    return name === undefined ? [] : [{ kind: 'sets variable', name, value: knownWord(text ?? '') }];
  });

const setsVariables = (names: readonly (Word | undefined)[]): Effect[] =>
  names.flatMap((word): Effect[] =>
    word?.value === undefined
      ? word
        ? [{ kind: 'unknown', reason: `sets a variable whose name is computed (${word.source})` }]
        : []
      : [
          {
            kind: 'sets variable',
            name: word.value.replace(/\[.*$/s, ''),
            value: { source: word.source, value: undefined, expands: false },
          },
        ],
  );

export const SHELL: readonly Program[] = [
  {
    names:
      ': true false break continue return exit wait times jobs fg bg disown suspend logout caller dirs hash type umask ulimit shift help',
    class: 'reads',
    about: 'does nothing outside the shell',
    read: (args, _taken, _context) =>
      args.some(({ value }) => value === '-p') && args.length > 2
        ? [{ kind: 'unknown', reason: 'gives a name another file' }]
        : [],
  },
  { names: 'echo pwd test [ [[ compgen', class: 'reads', about: 'prints or compares what it is given' },
  {
    names: 'printf',
    class: 'reads',
    about: 'prints; -v sets a variable',
    grammar: { values: { '-v': 'text' }, operandsEnd: true },
    read: (_args, taken) => setsVariables([taken.value('-v')]),
  },
  {
    names: 'read',
    class: 'reads',
    about: 'sets variables from its input',
    grammar: {
      values: { '-a': 'text', '-d': 'text', '-i': 'text', '-n': 'text', '-N': 'text', '-p': 'text', '-t': 'text', '-u': 'text' },
    },
    read: (_args, taken) => setsVariables([...taken.operands, ...(taken.value('-a') ? [taken.value('-a')] : [])]),
  },
  {
    names: 'mapfile readarray',
    class: 'reads',
    about: 'sets an array; -C runs a script',
    grammar: { values: { '-C': 'script', '-c': 'text', '-d': 'text', '-n': 'text', '-O': 'text', '-s': 'text', '-u': 'text' } },
    read: (_args, taken) => setsVariables(taken.operands),
  },
  {
    names: 'getopts',
    class: 'reads',
    about: 'sets a variable',
    read: (_args, taken) => setsVariables(taken.operands.slice(1, 2)),
  },
  { names: 'export declare typeset local readonly', class: 'reads', about: 'sets variables', read: (args) => assignments(args) },
  {
    names: 'unset',
    class: 'reads',
    about: 'removes variables and functions',
    read: (_args, taken) => setsVariables(taken.operands),
  },
  { names: 'let', class: 'reads', about: 'calculates' },
  {
    names: 'set shopt',
    class: 'reads',
    about: 'changes how the shell works',
    read: (args) =>
      args.some(({ value }) => value === undefined) && args[0]?.value !== '--'
        ? [{ kind: 'unknown', reason: 'changes how the shell works in a way that is computed' }]
        : [],
  },
  {
    names: 'cd pushd',
    class: 'reads',
    about: 'changes the working directory',
    read: (_args, { operands }) => [{ kind: 'works in', path: operands[0] ?? { source: '~', value: undefined, expands: true } }],
  },
  { names: 'popd', class: 'reads', about: 'changes the working directory back' },
  {
    names: 'eval',
    class: 'runs',
    about: 'runs its arguments as a script',
    read: (args) => script(args[0]?.value === '--' ? args.slice(1) : args),
  },
  {
    names: 'exec',
    class: 'runs',
    about: 'runs its arguments in place of the shell',
    grammar: { values: { '-a': 'text' }, operandsEnd: true },
    operands: 'argv',
  },
  {
    names: 'command',
    class: 'runs',
    about: 'runs its arguments; with -v and -V only tells',
    grammar: { operandsEnd: true },
    read: (_args, taken) =>
      taken.has('-v', '-V') || taken.operands.length === 0 ? [] : [{ kind: 'runs', argv: taken.operands }],
  },
  { names: 'builtin', class: 'runs', about: 'runs a command of the shell', operands: 'argv', grammar: { operandsEnd: true } },
  {
    names: 'source .',
    class: 'runs',
    about: 'runs a file in the shell',
    operands: ['runs file', 'text'],
    grammar: { operandsEnd: true },
  },
  {
    names: 'trap',
    class: 'runs',
    about: 'runs a script at the end, or at a signal',
    read: (_args, { operands }) => (operands.length > 1 ? script(operands.slice(0, 1)) : []),
  },
  {
    names: 'alias',
    class: 'runs',
    about: 'gives a script a name',
    read: (args) =>
      args.flatMap((word): Effect[] => {
        if (word.value === undefined) return [{ kind: 'runs script', script: word }];
        const equals = word.value.indexOf('=');
        return equals === -1 ? [] : [{ kind: 'runs script', script: knownWord(word.value.slice(equals + 1)) }];
      }),
  },
  {
    names: 'history',
    class: 'reads',
    about: 'shows what was typed; -w and its like write files',
    read: (args) =>
      args.some(({ value }) => value === undefined || /^-[anrwsp]/.test(value))
        ? [{ kind: 'unknown', reason: 'reads or writes a file of commands' }]
        : [],
  },
  { names: 'unalias', class: 'reads', about: 'removes an alias' },
  {
    names: 'complete compopt',
    class: 'runs',
    about: 'has scripts run for completion',
    grammar: {
      values: {
        '-C': 'script',
        '-F': 'text',
        '-W': 'text',
        '-A': 'text',
        '-G': 'text',
        '-P': 'text',
        '-S': 'text',
        '-X': 'text',
        '-o': 'text',
      },
    },
  },
  {
    names: 'bind',
    class: 'runs',
    about: 'binds keys',
    grammar: { values: { '-x': 'unknown', '-f': 'runs file', '-m': 'text', '-q': 'text', '-u': 'text', '-r': 'text' } },
  },
  {
    names: 'enable',
    class: 'runs',
    about: 'switches commands of the shell; -f loads code',
    grammar: { values: { '-f': 'runs file' } },
    read: (_args, taken) =>
      taken.has('-f', '-n') ? [{ kind: 'unknown', reason: 'changes what commands of the shell are' }] : [],
  },
  {
    names: 'coproc',
    class: 'runs',
    about: 'runs its arguments beside the shell',
    read: (args) =>
      args.some(({ value }) => value === '{' || value === '(')
        ? [{ kind: 'runs script', script: { source: 'coproc', value: undefined, expands: false } }]
        : script(args),
  },
];
