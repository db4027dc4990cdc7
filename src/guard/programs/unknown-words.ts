/** What is known of a word that the shell has yet to expand: how it begins, and whether it may become several words. */
import { knownWord, type Word } from '../shell/script.ts';

export interface Beginning {
  /** Characters that the word is sure to begin with. */
  readonly text: string;
  /** That is all of it. */
  readonly whole: boolean;
  /** It may become several words, of which only the first begins so (`$x`, `"$@"`). */
  readonly several: boolean;
}

/** Paths, so never options; no script may set HOME where programs are named one by one. */
const HOME = /^(?:~|"?\$(?:HOME\b|\{HOME\}))/;

export function beginningOf({ value, source }: Word): Beginning {
  if (value !== undefined) return { text: value, whole: true, several: false };
  if (HOME.test(source)) return { text: '/', whole: false, several: splits(source.replace(HOME, '')) };
  let text = '';
  let quote = '';
  let at = 0;
  for (; at < source.length; at++) {
    const character = source[at] as string;
    if (quote === "'") {
      if (character === "'") quote = '';
      else text += character;
    } else if (character === '\\') {
      at++;
      if (source[at] !== '\n') text += source[at] ?? '';
    } else if (character === '"') quote = quote === '' ? '"' : '';
    else if (character === '$' || character === '`') break;
    else if (quote === '' && character === "'") quote = "'";
    else if (quote === '' && GLOB.test(character)) break;
    else text += character;
  }
  return { text, whole: false, several: splits(source) };
}

const GLOB = /[*?[{]/;

/** Whether an expansion stands outside double quotes, or is a list even inside them. */
function splits(source: string): boolean {
  let quote = '';
  for (let at = 0; at < source.length; at++) {
    const character = source[at];
    if (quote === "'") {
      if (character === "'") quote = '';
    } else if (character === '\\') at++;
    else if (character === '"') quote = quote === '' ? '"' : '';
    else if (quote === '' && character === "'") quote = "'";
    else if (character === '`' || character === '$') {
      if (quote === '' || /^\$(?:@|\{[^}]*@)/.test(source.slice(at))) return true;
      // What a quoted substitution holds is quoted as a whole.
      if (character === '`' || source[at + 1] === '(' || source[at + 1] === '{') return false;
    }
  }
  return false;
}

/** Whether the program may take the word, or one that comes of it, for an option. */
export function mayBeOption(word: Word): boolean {
  const { text, whole, several } = beginningOf(word);
  return several || text.startsWith('-') || (!whole && text === '');
}

/** The rest of a word as a word of its own, as in `--output=FILE`. */
export function rest(word: Word, from: number): Word {
  const { value, source, expands } = word;
  if (value !== undefined) return knownWord(value.slice(from));
  const quoted = source.startsWith('"') ? '"' : '';
  const after = quoted + source.slice(from + quoted.length);
  return { source: beginningOf(word).text.length >= from ? after : source, value: undefined, expands };
}

/** One argument that is known only when the program runs, such as what find puts in for `{}`. @param start how it begins */
export function laterWord(start = ''): Word {
  return { source: `${start.replace(/[^\w./+:@%,=-]/g, '\\$&')}"$1"`, value: undefined, expands: false };
}

/** Any number of arguments that are known only when the program runs, such as what xargs adds. */
export const LATER_WORDS: Word = { source: '"$@"', value: undefined, expands: false };

/** Words put together as `eval` and `ssh` do; unknown as soon as one of them is. */
export function joinedWords(words: readonly Word[]): Word {
  const values = words.map(({ value }) => value);
  if (values.every((value) => value !== undefined)) return knownWord(values.join(' '));
  return { source: words.map(({ source }) => source).join(' '), value: undefined, expands: false };
}

/** A string split at blanks as programs do that start another one without a shell; undefined when it is not plain. */
export function splitAtBlanks(text: string): readonly Word[] | undefined {
  const words: Word[] = [];
  for (const [piece] of text.matchAll(/(?:"[^"\\]*"|'[^']*'|[^\s"'\\])+|["'\\]/g)) {
    if (piece === '"' || piece === "'" || piece === '\\') return undefined;
    words.push(knownWord(piece.replace(/"([^"]*)"|'([^']*)'/g, '$1$2')));
  }
  return words;
}
