/**
 * Programs that a script names by a variable (`CC=gcc; $CC x.c`, `for tool in node npm; do $tool --version; done`):
 * where every value that the variable can have stands in the script, each is judged.
 */
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

/**
 * Variables that the script evaluates as arithmetic and whose value could run a command then, as in
 * `x='a[$(date)]'; echo $((x))`: those that may hold anything but a number or a name.
 * @param environment variables the script starts with
 */
export function dangerousArithmetic(script: Script, environment: Readonly<Record<string, string>>): readonly string[] {
  if (script.evaluated.size === 0) return [];
  const harmless = (value: string | undefined, source: string) =>
    value === undefined ? /^"?\$(?:\(\(.*\)\)|#|\{#\w+\})"?$/s.test(source) : !/[[$`]/.test(value);
  return [...script.evaluated].filter((name) => {
    if (environment[name] !== undefined && !harmless(environment[name], '')) return true;
    return script.commands.some(({ words, assignments }) => {
      if (assignments.some((each) => each.name === name && !harmless(each.value.value, each.value.source))) return true;
      const [first, ...args] = words;
      return (
        first?.value !== undefined && OPAQUE.has(first.value) && args.some(({ value }) => value === undefined || value === name)
      );
    });
  });
}
