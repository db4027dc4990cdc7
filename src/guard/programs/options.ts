/** Takes the arguments of a program apart as the program itself would (POSIX.1-2024 XBD 12.2, getopt_long(3)). */
import type { Word } from '../shell/script.ts';
import { beginningOf, mayBeOption, rest } from './unknown-words.ts';

/** What an option's value, or an operand, is to the program. */
export type Use =
  /** Nothing that matters here. */
  | 'text'
  | 'reads'
  | 'writes'
  | 'works in'
  /** A program's name or path, started as it is. */
  | 'program'
  /** A program with arguments, split at blanks. */
  | 'command'
  /** Text for a shell. */
  | 'script'
  /** Text for a shell that is fed what the program works on. */
  | 'filter'
  /** Text in a language of the program's own. */
  | 'code'
  | 'runs file'
  | 'connects'
  | 'variable'
  /** Whatever it is, it can run or change anything. */
  | 'unknown'
  /** The program's own reader looks at it. */
  | 'special';

export interface Grammar {
  /**
   * Options with a value, by what the value is: `{ writes: '-o --output' }`. With `?` behind it an option has a value
   * only where it is attached: `-i? --color?`.
   */
  readonly values?: Readonly<Partial<Record<Use, string>>>;
  /** Options without a value that matter to the reader, or that others begin with. */
  readonly flags?: string;
  /** Options end at the first operand, as POSIX has it and wrappers do; otherwise both may be mixed. */
  readonly optionsFirst?: boolean;
  /** Long options are never abbreviated. */
  readonly exact?: boolean;
  /** Long options may be written with `_` for `-`. */
  readonly underscores?: boolean;
  /** Long options begin with one dash (`java`, `openssl`, `go`). */
  readonly oneDash?: boolean;
  /** Some option runs or writes something, so that an argument that is not known may do so. */
  readonly careful?: boolean;
}

export interface Item {
  /** Undefined for an operand. */
  readonly option?: string;
  readonly use: Use;
  /** Value of the option, or the operand. */
  readonly word: Word | undefined;
}

export interface Arguments {
  /** Options and operands in their order. */
  readonly items: readonly Item[];
  readonly operands: readonly Word[];
  /** Arguments that may be options, or end as several arguments. */
  readonly doubts: readonly Word[];
  has(...options: readonly string[]): boolean;
  /** The last value given. */
  value(...options: readonly string[]): Word | undefined;
  values(...options: readonly string[]): readonly Word[];
}

interface Kind {
  readonly use: Use;
  readonly attachedOnly: boolean;
}

interface Compiled {
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly longs: readonly string[];
}

const compiled = new WeakMap<Grammar, Compiled>();

function compile(grammar: Grammar): Compiled {
  const known = compiled.get(grammar);
  if (known) return known;
  const kinds = new Map<string, Kind>();
  const longs = new Set<string>();
  for (const [use, options] of Object.entries(grammar.values ?? {}) as [Use, string][]) {
    for (const option of options.split(' ')) {
      const attachedOnly = option.endsWith('?');
      const name = attachedOnly ? option.slice(0, -1) : option;
      kinds.set(name, { use, attachedOnly });
      longs.add(name);
    }
  }
  for (const flag of grammar.flags?.split(' ') ?? []) longs.add(flag);
  const made = { kinds, longs: [...longs].filter((name) => name.startsWith('--')) };
  compiled.set(grammar, made);
  return made;
}

export function takeApart(args: readonly Word[], grammar: Grammar): Arguments {
  const { kinds, longs } = compile(grammar);
  const items: Item[] = [];
  const operands: Word[] = [];
  const doubts: Word[] = [];
  let at = 0;

  function next(): Word | undefined {
    const word = args[++at];
    // `$x` and `*` may be more than the value.
    if (word && word.value === undefined) {
      const { text, several } = beginningOf(word);
      if (several || (word.expands && text === '')) doubts.push(word);
    }
    return word;
  }

  function addOperands(words: readonly Word[]): void {
    operands.push(...words);
    for (const word of words) items.push({ use: 'text', word });
  }

  function long(word: Word, text: string, whole: boolean): void {
    const equals = text.indexOf('=');
    if (equals === -1 && !whole) {
      doubts.push(word);
      return;
    }
    const given = equals === -1 ? text : text.slice(0, equals);
    const name = grammar.underscores ? given.replaceAll('_', '-') : given;
    const isWhole = grammar.exact || kinds.has(name) || longs.includes(name);
    const names = isWhole ? [name] : longs.filter((each) => each.startsWith(name));
    const attached = equals === -1 ? undefined : rest(word, equals + 1);
    // An abbreviation that several options begin with counts as each of them.
    const takesNext = attached === undefined && names.some((each) => kinds.get(each)?.attachedOnly === false);
    const value = takesNext ? next() : attached;
    for (const option of names.length > 0 ? names : [name]) {
      items.push({ option, use: kinds.get(option)?.use ?? 'text', word: value });
    }
  }

  function cluster(word: Word, text: string, whole: boolean): void {
    for (let index = 1; index < text.length; index++) {
      const option = `-${text[index]}`;
      const kind = kinds.get(option);
      const hasRest = index + 1 < text.length || !whole;
      if (kind) {
        const value = hasRest ? rest(word, index + 1) : kind.attachedOnly ? undefined : next();
        items.push({ option, use: kind.use, word: value });
        return;
      }
      items.push({ option, use: 'text', word: undefined });
    }
    if (!whole) doubts.push(word);
  }

  function oneDash(word: Word, text: string, whole: boolean): void {
    const equals = text.indexOf('=');
    if (equals === -1 && !whole) {
      doubts.push(word);
      return;
    }
    const given = (equals === -1 ? text : text.slice(0, equals)).replace(/^--/, '-');
    const short = given.slice(0, 2);
    const name = kinds.has(given) || !kinds.has(short) ? given : short;
    const kind = kinds.get(name);
    const attached = name !== given ? rest(word, 2) : equals === -1 ? undefined : rest(word, equals + 1);
    const value = attached ?? (kind && !kind.attachedOnly ? next() : undefined);
    items.push({ option: name, use: kind?.use ?? 'text', word: value });
  }

  for (; at < args.length; at++) {
    const word = args[at] as Word;
    const { text, whole, several } = beginningOf(word);
    if (whole && text === '--') {
      addOperands(args.slice(at + 1));
      break;
    }
    if (text.length > 1 && text.startsWith('-')) {
      if (several) doubts.push(word);
      if (grammar.oneDash) oneDash(word, text, whole);
      else if (text.startsWith('--')) long(word, text, whole);
      else cluster(word, text, whole);
      continue;
    }
    if (!whole && mayBeOption(word)) doubts.push(word);
    if (grammar.optionsFirst) {
      addOperands(args.slice(at));
      break;
    }
    addOperands([word]);
  }
  return {
    items,
    operands,
    doubts,
    has: (...options) => items.some(({ option }) => option !== undefined && options.includes(option)),
    value: (...options) => items.findLast(({ option }) => option !== undefined && options.includes(option))?.word,
    values: (...options) =>
      items.flatMap(({ option, word }) => (option !== undefined && options.includes(option) && word ? [word] : [])),
  };
}
