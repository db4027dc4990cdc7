/** What a program does beside its own work, by its arguments. */
import type { Word } from '../shell/script.ts';
import { ARCHIVES } from './archives.ts';
import { BUILD_TOOLS } from './build-tools.ts';
import type { Effect, ProgramReading } from './effect.ts';
import { FILE_TOOLS } from './file-tools.ts';
import { INTERPRETERS } from './interpreters.ts';
import { NETWORK } from './network.ts';
import { takeApart, type Use } from './options.ts';
import type { Program, ReadContext } from './program.ts';
import { SHELL } from './shell-commands.ts';
import { SYSTEM } from './system.ts';
import { TEXT_TOOLS } from './text-tools.ts';
import { VERSION_CONTROL } from './version-control.ts';
import { WRAPPERS } from './wrappers.ts';

const TABLE: ReadonlyMap<string, Program> = new Map(
  [
    ...SHELL,
    ...WRAPPERS,
    ...INTERPRETERS,
    ...FILE_TOOLS,
    ...TEXT_TOOLS,
    ...ARCHIVES,
    ...VERSION_CONTROL,
    ...BUILD_TOOLS,
    ...NETWORK,
    ...SYSTEM,
  ].flatMap((program) => program.names.split(' ').map((name) => [name, program] as const)),
);

/** Names of all programs that the table knows. */
export const KNOWN_PROGRAMS: ReadonlySet<string> = new Set(TABLE.keys());

/**
 * @param name plain name of the program, `git`, `python3.11`
 * @returns undefined for a program that the table does not know
 */
export function readProgram(name: string, args: readonly Word[], context: ReadContext): ProgramReading | undefined {
  const program = find(name);
  if (!program) return undefined;
  const { grammar = {}, operands } = program;
  const taken = takeApart(args, grammar);
  const effects: Effect[] = [];
  for (const { value, use, option } of taken.options) {
    if (use !== 'marks') effects.push(...effectOf(use, value, `its option ${option}`));
  }
  if (taken.unknown !== undefined && grammar.careful) {
    effects.push({ kind: 'unknown', reason: `gets ${taken.unknown}, which could be an option that runs or writes something` });
  }
  if (operands === 'argv') {
    if (taken.operands.length > 0) effects.push({ kind: 'runs', argv: taken.operands });
  } else if (typeof operands === 'string') {
    for (const each of taken.operands) effects.push(...effectOf(operands, each, 'an argument'));
  } else if (operands) {
    const [first, others] = operands;
    const [head, ...rest] = taken.operands;
    if (head) effects.push(...effectOf(first, head, 'an argument'));
    if (others === 'argv') {
      if (rest.length > 0) effects.push({ kind: 'runs', argv: rest });
    } else for (const each of rest) effects.push(...effectOf(others, each, 'an argument'));
  }
  effects.push(...(program.read?.(args, taken, context) ?? []));
  return { class: program.class, effects };
}

/** What is understood of a program, for people; undefined for one that the table does not know. */
export function describeProgram(name: string): string | undefined {
  return find(name)?.about;
}

function find(name: string): Program | undefined {
  if (/^ld(?:-linux|-musl|64\.so|\.so|-\d)/.test(name)) return TABLE.get('ld.so');
  return TABLE.get(name) ?? TABLE.get(ALIASES.get(name) ?? '') ?? TABLE.get(name.replace(/(?:-?\d+(?:\.\d+)*|\.\w+)$/, ''));
}

const ALIASES = new Map([
  ['mawk', 'awk'],
  ['gawk', 'awk'],
  ['nawk', 'awk'],
  ['original-awk', 'awk'],
  ['nodejs', 'node'],
  ['vim.basic', 'vim'],
  ['vim.tiny', 'vim'],
  ['bsdtar', 'tar'],
]);

function effectOf(use: Use, value: Word | undefined, where: string): Effect[] {
  if (value === undefined) return [];
  switch (use) {
    case 'text':
      return [];
    case 'reads':
      return value.value === '-' ? [] : [{ kind: 'reads', path: value }];
    case 'writes':
      return value.value === '-' ? [] : [{ kind: 'writes', path: value }];
    case 'works in':
      return [{ kind: 'works in', path: value }];
    case 'program':
      // What it is told besides is not known.
      return [
        { kind: 'runs script', script: value },
        { kind: 'unknown', reason: `is given a program to run by ${where}` },
      ];
    case 'script':
      return [{ kind: 'runs script', script: value }];
    case 'code':
      return [{ kind: 'runs code', language: 'other', how: where }];
    case 'runs file':
      return [{ kind: 'runs file', path: value }];
    case 'connects':
      return [{ kind: 'connects', host: value }];
    case 'variable':
      return variable(value);
    case 'unknown':
      return [{ kind: 'unknown', reason: `is given ${where}, which can run or write anything` }];
  }
}

function variable(word: Word): Effect[] {
  const [, name, text] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word.value ?? '') ?? [];
  if (name !== undefined) return [{ kind: 'sets variable', name, value: { source: word.source, value: text, expands: false } }];
  const [, started] = /^([A-Za-z_]\w*)=/.exec(word.source) ?? [];
  if (started)
    return [{ kind: 'sets variable', name: started, value: { source: word.source, value: undefined, expands: false } }];
  return [];
}
