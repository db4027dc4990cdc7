/** One row of the table of programs, and the words to write rows with. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect, ProgramClass } from './effect.ts';
import { type Arguments, type Grammar, takeApart, type Use } from './options.ts';
import { LATER_WORDS, splitAtBlanks } from './unknown-words.ts';

export interface ReadContext {
  /** Standard input is a pipe or a file. */
  readonly piped: boolean;
  /** What comes on standard input, when it is known. */
  readonly stdin?: string | undefined;
  /** What it was called, where its name is that of the file behind (`xzcat` for xz): some go by that. */
  readonly calledAs?: string | undefined;
}

/** `argv`: this operand and all that follow are a command. */
export type OperandUse = Use | 'argv';

/** What the arguments of a program, or of one of its subcommands, mean. */
export interface Row {
  /** All its names, with a blank between. */
  readonly names: string;
  readonly grammar?: Grammar;
  /** What its operands are: all of them, or one after the other, the last for all that follow. */
  readonly operands?: OperandUse | readonly OperandUse[];
  /** What else it does, for grammars of its own. */
  read?(args: readonly Word[], taken: Arguments, context: ReadContext): readonly Effect[];
}

export interface Program extends Row {
  /** It is also called with its version behind the name: `python3.11`, `gcc-12`. */
  readonly versioned?: boolean;
  /** How dangerous it is beside its effects. */
  readonly class: ProgramClass;
  /** For people: what it does, in a few words. */
  readonly about: string;
}

/** The effects of arguments, as a row of a table says. */
export function readRow(
  { grammar = {}, operands, read }: Omit<Row, 'names'>,
  args: readonly Word[],
  context: ReadContext,
): readonly Effect[] {
  const taken = takeApart(args, grammar);
  const effects: Effect[] = [];
  for (const { option, use, word } of taken.items) {
    if (option !== undefined) effects.push(...effectsOf(use, word, `by its option ${option}`));
  }
  const [doubt] = taken.doubts;
  if (doubt && grammar.careful) effects.push(doubtful(doubt));
  if (operands) effects.push(...ofOperands(taken.operands, typeof operands === 'string' ? [operands] : operands));
  if (read) effects.push(...read(args, taken, context));
  return effects;
}

function ofOperands(words: readonly Word[], uses: readonly OperandUse[]): readonly Effect[] {
  const effects: Effect[] = [];
  for (const [index, word] of words.entries()) {
    const use = uses[Math.min(index, uses.length - 1)] ?? 'text';
    if (use === 'argv') return [...effects, ...runs(words.slice(index))];
    effects.push(...effectsOf(use, word, 'by an argument'));
  }
  return effects;
}

/** Rows found by their names. */
export function byName<R extends Row>(rows: readonly R[]): ReadonlyMap<string, R> {
  return new Map(rows.flatMap((row) => row.names.split(' ').map((name) => [name, row] as const)));
}

export const unknown = (reason: string): Effect => ({ kind: 'unknown', reason });
export const reads = (path: Word | string): Effect => ({ kind: 'reads', path: asWord(path) });
export const writes = (path: Word | string): Effect => ({ kind: 'writes', path: asWord(path) });
export const connects = (host?: Word): Effect => ({ kind: 'connects', host });
export const controls = (reason: string): Effect => ({ kind: 'controls', reason });
export const runsCode = (language: string, how: string): Effect => ({ kind: 'runs code', language, how });
/** It makes or changes files in a folder that its arguments do not name one by one, files of code among them. */
export function writesInto(folder: Word): Effect {
  const { value, source, expands } = folder;
  return writes(value === undefined ? { source: `${source}/*`, value, expands } : `${value}/*`);
}
/** The same for the working directory. */
export const WRITES_HERE: Effect = { kind: 'writes', path: knownWord('./*') };
/** It runs code of files that it finds itself: a project's, its own configuration. */
export const RUNS_PROJECT: Effect = { kind: 'runs file', path: undefined };

const asWord = (path: Word | string) => (typeof path === 'string' ? knownWord(path) : path);
const shown = ({ source }: Word) => (source.length > 40 ? `${source.slice(0, 40)}…` : source);

export const isUnknown = ({ value }: Word) => value === undefined;
/** Arguments that are no options, for programs whose options take no value that matters. */
export const withoutOptions = (args: readonly Word[]) => args.filter(({ value }) => !value?.startsWith('-'));

/** A command; nothing for no words. */
export function runs(argv: readonly Word[]): readonly Effect[] {
  return argv.length > 0 ? [{ kind: 'runs', argv }] : [];
}

/** @param where end of a sentence, for a script that is not known: `by its option -x` */
export function runsScript(script: Word | string | undefined, where: string): readonly Effect[] {
  if (script === undefined) return [];
  const word = asWord(script);
  return word.value === undefined ? [given(word, where)] : [{ kind: 'runs script', script: word }];
}

/** A file of code; one whose name is not known could be any, standard input as well. */
export function runsFile(path: Word): readonly Effect[] {
  const [, scheme = '', rest = ''] = /^(data|https?|file):(.*)$/is.exec(path.value ?? '') ?? [];
  if (/^file$/i.test(scheme)) return runsFile(knownWord(rest.replace(/^\/\/[^/]*/, '')));
  if (scheme !== '') return [runsCode('its own', `from ${shown(path).slice(0, 40)}`)];
  const effect: Effect = { kind: 'runs file', path };
  return path.value === undefined
    ? [effect, unknown(`would run ${shown(path)}, and which file that is cannot be known`)]
    : [effect];
}

/** The same, where what runs a script also writes to its standard input. */
export function fed(effects: readonly Effect[]): readonly Effect[] {
  return effects.map((effect) => (effect.kind === 'runs script' || effect.kind === 'runs' ? { ...effect, fed: true } : effect));
}

const given = (word: Word, where: string): Effect => unknown(`is told to run ${shown(word)} ${where}, which cannot be known`);

/** An argument that is not known where one could run or write anything. */
export const doubtful = (word: Word): Effect =>
  unknown(`gets ${shown(word)}, which could be an option that runs or writes something`);

/** `NAME=value`, its value perhaps unknown; undefined when the word is nothing of the kind. */
export function assignment(word: Word): Effect | undefined {
  const [, name, text] = /^([^=]+?)\+?=(.*)$/s.exec(word.value ?? '') ?? [];
  if (name !== undefined) return { kind: 'sets variable', name, value: knownWord(text ?? '') };
  const [, started] = word.value === undefined ? (/^["']?([A-Za-z_]\w*)\+?=/.exec(word.source) ?? []) : [];
  return started === undefined
    ? undefined
    : { kind: 'sets variable', name: started, value: { source: word.source, value: undefined, expands: false } };
}

/** What comes of one word by its use. @param where end of a sentence: `by its option -x` */
export function effectsOf(use: Use, word: Word | undefined, where: string): readonly Effect[] {
  if (word === undefined) return use === 'unknown' ? [unknown(`can run or write anything ${where}`)] : [];
  switch (use) {
    case 'text':
    case 'special':
      return [];
    case 'reads':
    case 'writes':
      // Standard input or output.
      return word.value === '-' || word.value === '' ? [] : [{ kind: use, path: word }];
    case 'works in':
      return [{ kind: use, path: word }];
    case 'program': {
      if (word.value === '') return [];
      // What it is told besides is not known.
      const told = unknown(`is given a program to run ${where}`);
      return word.value === undefined ? [told] : [...runs([word, LATER_WORDS]), told];
    }
    case 'command': {
      const argv = word.value === undefined ? undefined : splitAtBlanks(word.value);
      return argv ? runs(argv) : [given(word, where)];
    }
    case 'script':
      return runsScript(word, where);
    case 'filter':
      return fed(runsScript(word, where));
    case 'code':
      return [runsCode('its own', where)];
    case 'runs file':
      return runsFile(word);
    case 'connects':
      return [connects(word)];
    case 'variable': {
      const set = assignment(word);
      return set ? [set] : word.value === undefined ? [unknown(`sets a variable that cannot be known ${where}`)] : [];
    }
    case 'unknown':
      return [unknown(`is given ${shown(word)} ${where}, which can run or write anything`)];
  }
}

/** A program that only reads the files it is given. */
export function reader(names: string, about: string, values: Grammar['values'] = {}): Program {
  return { names, class: 'reads', about, grammar: { values }, operands: 'reads' };
}
