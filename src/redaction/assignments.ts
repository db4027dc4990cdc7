/** Secrets told by the name they are assigned to: `password=…`, `"api_key": "…"`, `--token …`, `PGPASSWORD=…`. */
import { isPassword, isRandom, type Writing } from './literal-values.ts';
import type { Shape } from './shape.ts';
import type { Span } from './span.ts';

/** Characters of a name before its last word, and of a value, that are looked at. */
const LONGEST_NAME = 48;
const LONGEST_VALUE = 512;
/** A value that is no secret and so long is passed over by half. */
const LONG_VALUE = 128;

const PASSWORD_NAME = /(?:pass(?:word|wd|phrase)|(?<=[_-]|^|\b)pwd|(?<=_)pass)\d{0,2}/iy;
const SECRET_NAME =
  /(?:secret(?:[_-]?(?:access)?[_-]?key)?|token(?:[_-]?secret)?|api[_-]?(?:secret[_-]?)?key|access[_-]?key(?:[_-]?secret)?|private[_-]?key|credentials?|(?:encryption|signing|account|master|auth)[_-]?key)\d{0,2}/iy;
const SIGN = /(?:\\?["'`]\]?|\])?([ \t]{0,16})(?::=|=>|=(?![=~>])|:(?![:=/]))([ \t]{0,16})/y;
const QUOTE = /[bfru]{0,2}(\\?["'`])/iy;
const BARE = /[^\s"'`<>()[\]{},;&|\\]{1,256}/y;
const VARIABLE = /[^\s"'`;&|]{1,256}/y;
/** Tokens that continue a list, which who lists needs. */
const NO_SECRET_TOKEN = /(?:next|page|paging|pagination|continuation|continue|cursor|sync|start|end|max)[_-]?$/i;

export const ASSIGNMENT_SHAPES: readonly Shape[] = [
  assigned('password', ['passw', 'passphrase', '_pass', 'pwd'], PASSWORD_NAME, isPassword),
  assigned(
    'secret',
    [
      ...['secret', 'token', 'credential', 'accesskey', 'access_key', 'access-key', 'apikey', 'api_key', 'api-key'],
      ...['privatekey', 'private_key', 'private-key', 'encryption', 'signing', 'accountkey', 'account_key', 'master', 'auth_key'],
    ],
    SECRET_NAME,
    isRandom,
  ),
];

function assigned(
  kind: string,
  anchors: readonly string[],
  name: RegExp,
  isSecret: (value: string, writing: Writing) => boolean,
): Shape {
  return {
    anchors,
    find(text, anchor) {
      const at = text[anchor] === '_' ? anchor + 1 : anchor;
      name.lastIndex = at;
      if (!name.test(text)) return undefined;
      const end = name.lastIndex;
      const start = startOfName(text, at);
      if (NO_SECRET_TOKEN.test(text.slice(start, at))) return undefined;
      const sign = signAfter(text, start, end);
      if (!sign) return undefined;
      const value = valueAt(text, start, end, sign);
      if (!value) return undefined;
      if (isSecret(text.slice(value.start, value.end), value.writing)) return { start: value.start, end: value.end, kind };
      // One long word full of names would else be looked through again from each of them.
      return value.end - value.start < LONG_VALUE ? undefined : { end: value.start + LONG_VALUE / 2 };
    },
  };
}

function startOfName(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < LONGEST_NAME && isNameCharacter(text.charCodeAt(start - 1))) start--;
  return start;
}

function isNameCharacter(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d;
}

interface Sign {
  readonly end: number;
  readonly tight: boolean;
  readonly option: boolean;
}

/** The sign between name and value; behind an option a blank will do. */
function signAfter(text: string, start: number, end: number): Sign | undefined {
  SIGN.lastIndex = end;
  const [, before, after] = SIGN.exec(text) ?? [];
  const option = text.startsWith('--', start);
  if (before !== undefined) return { end: SIGN.lastIndex, tight: before === '' && after === '', option };
  // Manuals have the description there, behind several blanks.
  if (option && text[end] === ' ' && text[end + 1] !== ' ') return { end: end + 1, tight: true, option };
  return undefined;
}

function valueAt(text: string, nameStart: number, nameEnd: number, sign: Sign): (Span & { writing: Writing }) | undefined {
  const { tight, option } = sign;
  const name = text.slice(nameStart, nameEnd);
  const variable = tight && !option && name === name.toUpperCase() && text[nameEnd] === '=';
  QUOTE.lastIndex = sign.end;
  const quote = QUOTE.exec(text)?.[1];
  if (quote !== undefined) {
    const start = QUOTE.lastIndex;
    const rest = text.slice(start, start + LONGEST_VALUE);
    const content = rest.slice(0, endOfQuote(rest, quote));
    if (/\s/.test(content) && !variable) return undefined;
    const writing = { quoted: true, variable, tight, next: '', code: false };
    return { start, end: start + content.length, kind: undefined, writing };
  }
  const bare = variable ? VARIABLE : BARE;
  bare.lastIndex = sign.end;
  if (!bare.test(text)) return undefined;
  const end = bare.lastIndex;
  const next = text.slice(end, end + 2);
  // Between other words only a value that is joined to its name belongs to it for certain.
  if (!tight && !/^(?:$|[\r\n,;([{"'`\\}])/.test(next)) return undefined;
  return {
    start: sign.end,
    end,
    kind: undefined,
    writing: { quoted: false, variable, tight, next, code: isCode(text, nameStart, sign) },
  };
}

function endOfQuote(rest: string, quote: string): number {
  const close = rest.indexOf(quote);
  const line = rest.search(/[\r\n]/);
  if (close < 0) return line < 0 ? rest.length : line;
  return line >= 0 && line < close ? line : close;
}

/** In a list of arguments, behind a dot or a word that declares. */
function isCode(text: string, nameStart: number, { tight }: Sign): boolean {
  const before = text.slice(Math.max(0, nameStart - 12), nameStart);
  return /[(,.]\s*$/.test(before) || (!tight && /(?:const|let|var|def|final|val)\s+$/.test(before));
}
