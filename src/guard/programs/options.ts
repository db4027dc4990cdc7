/** Takes the arguments of a program apart as the program itself would: options, their values, operands. */
import type { Word } from '../shell/script.ts';

/** What an option's value, or an operand, is to the program. */
export type Use =
  | 'text'
  | 'reads'
  | 'writes'
  | 'works in'
  | 'program'
  | 'script'
  | 'code'
  | 'runs file'
  | 'connects'
  | 'unknown'
  | 'variable';

export interface Grammar {
  /** Options with a value, `-o` or `--output`, and what the value is. */
  readonly values?: Readonly<Record<string, Use>>;
  /** Options without a value that matter. */
  readonly flags?: Readonly<Record<string, Use | 'marks'>>;
  /** Options end at the first operand (POSIX); otherwise both may be mixed (GNU). */
  readonly operandsEnd?: boolean;
  /** Long options begin with one dash (find, java, openssl …). */
  readonly singleDash?: boolean;
  /** An argument that is not known, or a file name put in for a glob, could be an option that matters. */
  readonly careful?: boolean;
}

export interface Found {
  readonly option: string;
  readonly value: Word | undefined;
  readonly use: Use | 'marks';
}

export interface Arguments {
  readonly options: readonly Found[];
  readonly operands: readonly Word[];
  /** Why the arguments cannot be taken apart. */
  readonly unknown: string | undefined;
  has(...options: readonly string[]): boolean;
  value(...options: readonly string[]): Word | undefined;
}

export function takeApart(args: readonly Word[], grammar: Grammar): Arguments {
  const { values = {}, flags = {}, operandsEnd = false, singleDash = false, careful = false } = grammar;
  const options: Found[] = [];
  const operands: Word[] = [];
  const longs = Object.keys(values).filter((each) => each.startsWith('--'));
  const longFlags = Object.keys(flags).filter((each) => each.startsWith('--'));
  let unknown: string | undefined;
  let at = 0;

  const add = (option: string, value: Word | undefined, use: Use | 'marks') => options.push({ option, value, use });

  function long(text: string, word: Word): void {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const full =
      longs.includes(name) || longFlags.includes(name)
        ? [name]
        : [...longs, ...longFlags].filter((each) => each.startsWith(name));
    // An abbreviation that could be several options counts as each of them.
    for (const option of full.length > 0 ? full : [name]) {
      const use = values[option];
      if (use !== undefined) add(option, equals === -1 ? args[++at] : part(word, text, equals + 1), use);
      else add(option, undefined, flags[option] ?? 'marks');
    }
  }

  function cluster(text: string, word: Word): void {
    for (let index = 1; index < text.length; index++) {
      const option = `-${text[index]}`;
      const use = values[option];
      if (use !== undefined) {
        add(option, index + 1 < text.length ? part(word, text, index + 1) : args[++at], use);
        return;
      }
      add(option, undefined, flags[option] ?? 'marks');
    }
  }

  /** An option that is written out, with a value that is not known: `--eval="$x"`, `-o$x`. */
  function startsOption(word: Word): boolean {
    const known = /^[\w\-=.,:/+%@]*/.exec(word.source)?.[0] ?? '';
    const value: Word = { source: word.source, value: undefined, expands: false };
    if (known.startsWith('--') && known.includes('=')) {
      const name = known.slice(0, known.indexOf('='));
      const options = [...longs, ...longFlags].filter((each) => each === name || each.startsWith(name));
      for (const option of options) add(option, value, values[option] ?? flags[option] ?? 'marks');
      return true;
    }
    if (!/^-[A-Za-z]/.test(known)) return false;
    for (const letter of known.slice(1)) {
      const use = values[`-${letter}`];
      if (use !== undefined) {
        add(`-${letter}`, value, use);
        return true;
      }
      add(`-${letter}`, undefined, flags[`-${letter}`] ?? 'marks');
    }
    if (careful) unknown ??= word.source;
    return true;
  }

  for (; at < args.length; at++) {
    const word = args[at] as Word;
    const text = word.value;
    if (text === undefined) {
      if (startsOption(word)) continue;
      if (careful && couldBeOption(word)) unknown ??= word.source;
      operands.push(word);
      if (operandsEnd && !couldBeOption(word)) {
        operands.push(...args.slice(at + 1));
        break;
      }
      continue;
    }
    if (text === '--') {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (text.startsWith('-') && text.length > 1) {
      if (text.startsWith('--')) long(text, word);
      else if (singleDash) {
        const use = values[text];
        if (use !== undefined) add(text, args[++at], use);
        else add(text, undefined, flags[text] ?? 'marks');
      } else cluster(text, word);
      continue;
    }
    operands.push(word);
    if (operandsEnd) {
      operands.push(...args.slice(at + 1));
      break;
    }
  }
  return {
    options,
    operands,
    unknown,
    has: (...names) => options.some(({ option }) => names.includes(option)),
    value: (...names) => options.findLast(({ option }) => names.includes(option))?.value,
  };
}

/** A word that is not known, and may turn out to begin with a dash. */
export function couldBeOption({ value, source }: Word): boolean {
  if (value !== undefined) return value.startsWith('-');
  return /^["']*(?:[$`*?[{-]|$)/.test(source);
}

/** The rest of a word as a word of its own. */
export function part(word: Word, text: string, from: number): Word {
  return { source: word.source, value: text.slice(from), expands: false };
}
