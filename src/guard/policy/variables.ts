/**
 * Programs that a script names by a variable (`CC=gcc; $CC x.c`, `for tool in node npm; do $tool --version; done`):
 * where every value that the variable can have stands in the script, each is judged.
 */
import { INTEGERS, namesIn } from '../shell/arithmetic.ts';
import { knownWord, type Script, type SimpleCommand, type Word } from '../shell/script.ts';

/** Commands that can give a variable a value that does not stand in the script. */
const OPAQUE = new Set([
  'eval',
  'source',
  '.',
  'read',
  'mapfile',
  'readarray',
  'printf',
  'getopts',
  'declare',
  'typeset',
  'local',
  'let',
  'trap',
  'alias',
  'enable',
  'wait',
  'command',
  'builtin',
]);

const REFERENCE = /^(")?\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})\1$/;

/**
 * What the command may be, one for each value; undefined when that cannot be known.
 * @param environment variables the script starts with
 */
export function possibleCommands(
  command: SimpleCommand,
  script: Script,
  environment: Readonly<Record<string, string>>,
): readonly SimpleCommand[] | undefined {
  const [first, ...args] = command.words;
  const [, quote, bare, braced] = REFERENCE.exec(first?.source ?? '') ?? [];
  const name = bare ?? braced;
  if (name === undefined) return undefined;
  const values = valuesOf(name, script, environment);
  return values?.flatMap((value) => {
    const words = quote ? [value] : value.split(/[ \t\n]+/).filter((each) => each !== '');
    const all: Word[] = [...words.map(knownWord), ...args];
    return all.length > 0 ? [{ ...command, words: all }] : [];
  });
}

function valuesOf(name: string, script: Script, environment: Readonly<Record<string, string>>): readonly string[] | undefined {
  // Not set (yet), it is nothing, and the next word is the program.
  const values = new Set(['']);
  if (environment[name] !== undefined) values.add(environment[name]);
  for (const { words, assignments } of script.commands) {
    const runs = words[0];
    if (runs && (runs.value === undefined ? !REFERENCE.test(runs.source) : OPAQUE.has(runs.value))) return undefined;
    for (const { name: set, value } of assignments) {
      if (set === 'IFS') return undefined;
      if (set !== name) continue;
      if (value.value === undefined || /[*?[]/.test(value.value)) return undefined;
      values.add(value.value);
    }
  }
  return values.size > 1 ? [...values] : undefined;
}

/** What was said of all scripts of a command, those inside others among them. */
export interface Evaluation {
  readonly evaluated: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
  readonly commands: readonly SimpleCommand[];
  /** Variables that programs set for what they run (`env X=…`). */
  readonly set: SimpleCommand['assignments'];
  /** Variables the outermost script starts with. */
  readonly environment: Readonly<Record<string, string>>;
  /** A script inside has parameters that are not followed. */
  readonly nested: boolean;
}

/**
 * Variables that are evaluated as arithmetic and whose value could run a command then, as in
 * `x='a[$(date)]'; echo $((x))`: those that may hold anything but a number, or a name for which the same holds.
 */
export function dangerousArithmetic({ evaluated, functions, commands, set, environment, nested }: Evaluation): readonly string[] {
  const assignments = [...set, ...commands.flatMap((command) => command.assignments)];
  const integers = assignments.filter(({ name }) => INTEGERS.has(name));
  if (evaluated.size === 0 && integers.length === 0) return [];
  const reached = new Set([...evaluated, ...integers.flatMap(({ value }) => namesIn(value.value ?? ''))]);
  // A set is walked on while it grows: what a variable names is evaluated too.
  for (const name of reached) {
    const values = assignments.flatMap((each) => (each.name === name ? [each.value.value] : []));
    for (const value of [...values, environment[name]]) {
      if (value !== undefined && isHarmless(value, '')) for (const each of namesIn(value)) reached.add(each);
    }
  }
  const dangerous = integers.filter(({ value }) => !isHarmless(value.value, value.source)).map(({ name }) => name);
  const others = [...reached].filter((name) => {
    if (environment[name] !== undefined && !isHarmless(environment[name], '')) return true;
    if (assignments.some(({ name: its, value }) => its === name && !isHarmless(value.value, value.source))) return true;
    const isPositional = /^(?:\d+|[@*])$/.test(name);
    if (isPositional && nested && name !== '0') return true;
    return commands.some(({ words: [first, ...args] }) => {
      if (first?.value === undefined) return false;
      if (isPositional)
        return (
          (first.value === 'set' || functions.has(first.value)) && args.some(({ value, source }) => !isHarmless(value, source))
        );
      return OPAQUE.has(first.value) && args.some(({ value }) => value === undefined || value === name);
    });
  });
  return [...dangerous, ...others];
}

function isHarmless(value: string | undefined, source: string): boolean {
  return value === undefined ? /^"?\$(?:\(\(.*\)\)|#|\{#\w+\})"?$/s.test(source) : !/[[$`]/.test(value);
}
