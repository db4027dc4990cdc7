/**
 * Whether what is assigned to a name such as `password` is a secret itself, or a program's way to one, a word about it or
 * a place-holder. Masking those would make source code unreadable.
 */

/** Words that stand after such names in types, forms, messages and manuals. */
const WORDS: ReadonlySet<string> = new Set(
  (
    'string text number integer int boolean bool bytes object any unknown null nil none undefined void true false yes no ' +
    'required optional hidden visible enabled disabled default empty missing invalid incorrect wrong weak expired unset ' +
    'password passwd passphrase token apikey api_key key credential credentials username user name value ' +
    'changed update updated create reset forgot confirm new old current input prompt auto inherit file'
  ).split(' '),
);

/** What points to a value elsewhere, or stands for any: variables, templates, tags, stars, masks. */
const REFERENCE = /^(?:\$[A-Za-z_{(]|%[A-Za-z({]|[{<([]|#\{|![A-Za-z]+$|(.)\1+$|\.\.\.|\u2026)|\$\{|\{\{|\[redacted/;
/** Numbers as programs write them. */
const NUMBER = /^(?:0x[\da-f]+|\d+(?:\.\d+)?(?:[a-z]{1,3})?)$/i;
const PATH = /^(?:~|\.{0,2})\/[\w.@/-]*$|^[a-z][a-z0-9+.-]*:\/\//;
/** Names with dots between them: members, keys of messages. */
const MEMBER = /^[A-Za-z_$][\w$]*(?:(?:\.|\?\.|::|->)[A-Za-z_$][\w$]*)+$/;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Words that dots, dashes or underscores hold together. */
const NAME = /^[A-Za-z]+(?:[._:/-][A-Za-z]+)*$/;

/** `$NAME`, `{{ name }}`, `<name>`, `%s`, `****`, `[redacted]`. */
export function isReference(value: string): boolean {
  return REFERENCE.test(value);
}

/** How a value is written, and what stands around it. */
export interface Writing {
  readonly quoted: boolean;
  /** As in the environment: `PGPASSWORD=…`. */
  readonly variable: boolean;
  /** No blanks around the sign: `password=…`. */
  readonly tight: boolean;
  /** The two characters behind a bare value; fewer at the end of the text. */
  readonly next: string;
  /** In a list of arguments, or in a declaration: what is not quoted there is a name. */
  readonly code: boolean;
}

export function isPassword(value: string, { quoted, variable, tight, next, code }: Writing): boolean {
  if (value.length < 4 || isReference(value) || WORDS.has(value.toLowerCase()) || isPath(value)) return false;
  if (variable) return !MEMBER.test(value);
  const telling = /[^A-Za-z]/.test(value.replace(/[?!.:]+$/, ''));
  if (quoted) return telling ? !NAME.test(value) : /^[a-z]{6,}$/.test(value);
  // Behind a semicolon without a blank the next setting follows, no statement.
  const joined = tight && /^;\S/.test(next);
  if (isCode(value, joined ? '' : next, code) || (!tight && NUMBER.test(value))) return false;
  if (telling && !NAME.test(value)) return true;
  // A plain word: in connection strings and logs, where nothing of a program follows.
  return tight && (joined || /^(?:[\s&]|$)/.test(next)) && !/^[A-Z_]+$/.test(value);
}

/** For names of tokens and keys: these are long and random, and whatever is not is something else. */
export function isRandom(value: string, { quoted, variable, next, code }: Writing): boolean {
  if (value.length < 8 || isReference(value) || isPath(value) || MEMBER.test(value)) return false;
  if (!quoted && !variable && isCode(value, next, code)) return false;
  const { digits, mixed } = charactersOf(value);
  if (digits === value.length) return false;
  if (digits === 0) return quoted && mixed && value.length >= 32 && !NAME.test(value);
  if (variable) return true;
  if (digits === 1) return mixed && value.length >= 24 && (quoted || !IDENTIFIER.test(value));
  return value.length >= 16 || (mixed && value.length >= 12);
}

function charactersOf(value: string): { readonly digits: number; readonly mixed: boolean } {
  let [digits, upper, lower] = [0, 0, 0];
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits++;
    else if (code >= 0x41 && code <= 0x5a) upper++;
    else if (code >= 0x61 && code <= 0x7a) lower++;
  }
  return { digits, mixed: upper > 0 && lower > 0 };
}

function isCode(value: string, next: string, code: boolean): boolean {
  return /^[([]/.test(next) || MEMBER.test(value) || ((code || /^[;,]/.test(next)) && IDENTIFIER.test(value));
}

function isPath(value: string): boolean {
  return PATH.test(value) && !(value.length >= 32 && /\d/.test(value) && /[A-Z]/.test(value) && !value.includes('.'));
}
