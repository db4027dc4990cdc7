import { Failure } from '../errors.ts';

/**
 * The regular expressions of file searches: what ripgrep's engine and JavaScript's have in common, read once and
 * written for both. JavaScript decides what matches; ripgrep only finds the lines worth asking about, so its
 * version of the pattern may match more, never less. That is what makes both ways of searching agree.
 *
 * Each line is looked at by itself, without its line ending. `\d`, `\w`, `\s` and `\b` are ASCII.
 */
export interface SearchPattern {
  /** For whole lines. */
  readonly line: RegExp;
  /** For the beginning of a line too long to be looked at whole: the cut is not taken for the end of the line. */
  readonly cutLine: RegExp;
  /** For ripgrep's default engine. */
  readonly ripgrep: string;
  /** Nothing in the pattern repeats, so matching cannot become slow. */
  readonly plain: boolean;
}

interface Written {
  readonly js: string;
  readonly rg: string;
  readonly cut?: string;
}

const DIGIT = '0-9';
const WORD = '0-9A-Za-z_';
const SPACE = '\\t\\x0b\\x0c\\r ';
const CLASSES: Readonly<Record<string, string>> = { d: DIGIT, w: WORD, s: SPACE };
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: '\\t ',
  digit: DIGIT,
  lower: 'a-z',
  punct: '!-/:-@\\[-`\\{-~',
  space: SPACE,
  upper: 'A-Z',
  word: WORD,
  xdigit: '0-9A-Fa-f',
};
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d };
const ASSERTIONS: Readonly<Record<string, Written>> = {
  // For JavaScript a line has no mark before it and no carriage return behind; ripgrep has to step over them.
  '^': { js: '(?:^)', rg: '(?:^\\x{FEFF}?|$)' },
  $: { js: '(?:$)', rg: '(?:\\r?$)', cut: '(?:[])' },
  // With case ignored, JavaScript would count the Kelvin sign and the long s among the ASCII letters.
  b: { js: '(?-i:\\b)', rg: '(?-u:\\b)', cut: '(?-i:\\b(?!$))' },
  B: { js: '(?-i:\\B)', rg: '(?-u:\\B)', cut: '(?-i:\\B(?!$))' },
};
const MAX_REPEAT = 1000;
const MAX_PATTERN = 4096;
/** Broken UTF-8 reaches JavaScript as one U+FFFD for up to three bytes. */
const BROKEN = '(?-u:[\\x80-\\xFF]){1,3}';
/** A character is up to four bytes, broken ones included. */
const ANY: Written = { js: '.', rg: '(?:(?-u:[^\\n]){1,4})' };

function refuse(pattern: string, why: string): Failure {
  return new Failure('invalid_input', `The regular expression ${JSON.stringify(pattern)} cannot be used: ${why}.`, {
    hint: 'Use plain characters, ., [a-z], \\d \\w \\s \\b, ^ $, ( ) |, * + ? {m,n}; a leading (?i) ignores case.',
  });
}

/** @throws Failure `invalid_input`, naming what is not understood */
export function compileSearchPattern(pattern: string, caseSensitive: boolean): SearchPattern {
  if (pattern.length > MAX_PATTERN) throw refuse(`${pattern.slice(0, 40)}…`, `it is longer than ${MAX_PATTERN} characters`);
  const inlineFlag = pattern.startsWith('(?i)');
  const ignoreCase = !caseSensitive || inlineFlag;
  const body = [...(inlineFlag ? pattern.slice(4) : pattern)];
  const parts: Written[] = [];
  let plain = true;
  let at = 0;
  // What a quantifier may follow: something that matches characters.
  let repeatable = false;
  const add = (written: Written, canRepeat: boolean) => {
    parts.push(written);
    repeatable = canRepeat;
  };
  while (at < body.length) {
    const character = body[at] as string;
    const quantifier = readQuantifier(body, at, pattern);
    if (quantifier) {
      if (!repeatable) throw refuse(pattern, `there is nothing before ${JSON.stringify(quantifier.text)} that could repeat`);
      add(both(quantifier.text), false);
      plain = plain && quantifier.text === '?';
      at = quantifier.end;
    } else if (character === '(') {
      at = readGroupStart(body, at, pattern);
      add(both('(?:'), false);
    } else if (character === '[') {
      const { written, end } = readClass(body, at, pattern);
      add(written, true);
      at = end;
    } else if (character === '\\') {
      const { written, end } = readEscape(body, at, pattern);
      add(written, !Object.values(ASSERTIONS).includes(written));
      at = end;
    } else {
      if (character === '^' || character === '$') add(ASSERTIONS[character] as Written, false);
      else if (character === '|') add(both('|'), false);
      else if (character === ')') add(both(')'), true);
      else if (character === '.') add(ANY, true);
      else add(literal(character.codePointAt(0) as number, pattern), true);
      at += 1;
    }
  }
  const flags = ignoreCase ? 'isu' : 'su';
  try {
    return {
      line: new RegExp(parts.map(({ js }) => js).join(''), flags),
      cutLine: new RegExp(parts.map(({ js, cut }) => cut ?? js).join(''), flags),
      ripgrep: (ignoreCase ? '(?i)' : '') + parts.map(({ rg }) => rg).join(''),
      plain,
    };
  } catch (cause) {
    throw refuse(pattern, (cause as Error).message.replace(/^Invalid regular expression: .*: /s, '').toLowerCase());
  }
}

function both(text: string): Written {
  return { js: text, rg: text };
}

function literal(codePoint: number, pattern: string): Written {
  if (codePoint === 0x0a) throw refuse(pattern, 'a line break cannot match, every line is looked at by itself');
  if (codePoint === 0 || (codePoint >= 0xd800 && codePoint <= 0xdfff)) throw refuse(pattern, 'it names a character no text has');
  const character = String.fromCodePoint(codePoint);
  if (/[0-9A-Za-z_]/.test(character)) return both(character);
  const hexadecimal = codePoint.toString(16);
  return { js: `\\u{${hexadecimal}}`, rg: `\\x{${hexadecimal}}` };
}

function readQuantifier(body: readonly string[], at: number, pattern: string): { text: string; end: number } | undefined {
  const first = body[at] as string;
  let end = at + 1;
  if (first === '{') {
    const closing = body.indexOf('}', at);
    const counted = closing < 0 ? null : /^(\d+)(?:,(\d*))?$/.exec(body.slice(at + 1, closing).join(''));
    // Any other brace is a brace: `if (x) {` is looked for more often than it is meant as a mistake.
    if (!counted) return undefined;
    if (Math.max(Number(counted[1]), Number(counted[2] ?? 0)) > MAX_REPEAT) {
      throw refuse(pattern, `it repeats more than ${MAX_REPEAT} times`);
    }
    end = closing + 1;
  } else if (first !== '*' && first !== '+' && first !== '?') {
    return undefined;
  }
  if (body[end] === '?') end += 1;
  if (body[end] === '+' || body[end] === '*') throw refuse(pattern, 'a repetition is repeated');
  const text = body.slice(at, end).join('');
  return { text, end };
}

function readGroupStart(body: readonly string[], at: number, pattern: string): number {
  if (body[at + 1] !== '?') return at + 1;
  const rest = body.slice(at, at + 80).join('');
  if (rest.startsWith('(?:')) return at + 3;
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
  if (named) return at + named[0].length;
  if (/^\(\?<?[=!]/.test(rest)) throw refuse(pattern, 'it looks ahead or behind, which a search in linear time cannot');
  throw refuse(pattern, `"${rest.slice(0, 4)}" is not known here`);
}

/** The code point an escape stands for, or undefined when it stands for something else. */
function readEscapedCharacter(
  body: readonly string[],
  at: number,
  pattern: string,
): { codePoint: number; end: number } | undefined {
  const letter = body[at + 1];
  if (letter === undefined) throw refuse(pattern, 'it ends with a backslash');
  if (CONTROLS[letter] !== undefined) return { codePoint: CONTROLS[letter], end: at + 2 };
  const coded = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|[xu]\{([0-9A-Fa-f]{1,6})\})/.exec(body.slice(at, at + 12).join(''));
  if (coded) {
    const codePoint = Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? '', 16);
    if (codePoint > 0x10ffff) throw refuse(pattern, 'it names a character that does not exist');
    return { codePoint, end: at + coded[0].length };
  }
  return /[0-9A-Za-z]/.test(letter) ? undefined : { codePoint: letter.codePointAt(0) as number, end: at + 2 };
}

function readEscape(body: readonly string[], at: number, pattern: string): { written: Written; end: number } {
  const character = readEscapedCharacter(body, at, pattern);
  if (character) return { written: literal(character.codePoint, pattern), end: character.end };
  const letter = body[at + 1] as string;
  const assertion = ASSERTIONS[letter];
  if (assertion) return { written: assertion, end: at + 2 };
  if (CLASSES[letter]) return { written: both(`[${CLASSES[letter]}]`), end: at + 2 };
  const opposite = CLASSES[letter.toLowerCase()];
  if (opposite) return { written: negatedClass(opposite, opposite), end: at + 2 };
  if (/[1-9k]/.test(letter)) throw refuse(pattern, 'it refers back to a group, which a search in linear time cannot');
  const property = /^\\([pP])(?:\{(\^?)([A-Za-z_=]{1,40})\}|([A-Z]))/.exec(body.slice(at, at + 50).join(''));
  if (property) {
    const name = property[3] ?? property[4];
    const negated = (property[1] === 'P') !== (property[2] === '^');
    const text = `\\${negated ? 'P' : 'p'}{${name}}`;
    return { written: { js: text, rg: negated ? `(?:${text}|${BROKEN})` : text }, end: at + property[0].length };
  }
  throw refuse(pattern, `"\\${letter}" is not known here`);
}

function negatedClass(js: string, rg: string): Written {
  return { js: `[^${js}]`, rg: `(?:[^${rg}]|${BROKEN})` };
}

function readClass(body: readonly string[], start: number, pattern: string): { written: Written; end: number } {
  let at = start + 1;
  const negated = body[at] === '^';
  if (negated) at += 1;
  let js = '';
  let rg = '';
  const add = (written: Written) => {
    js += written.js;
    rg += written.rg;
  };
  for (let first = true; first || body[at] !== ']'; first = false) {
    if (body[at] === undefined) throw refuse(pattern, 'a [ has no ]');
    const named = body[at] === '[' ? /^\[:(\^?)([a-z]+):\]/.exec(body.slice(at, at + 12).join('')) : null;
    const shorthand = body[at] === '\\' ? CLASSES[body[at + 1] ?? ''] : undefined;
    if (named) {
      const members = POSIX[named[2] ?? ''];
      if (!members || named[1]) throw refuse(pattern, `"${named[0]}" is not known here`);
      add(both(members));
      at += named[0].length;
    } else if (shorthand) {
      add(both(shorthand));
      at += 2;
    } else {
      const low = readMember(body, at, pattern);
      at = low.end;
      let high = low;
      if (body[at] === '-' && body[at + 1] !== ']' && body[at + 1] !== undefined) {
        high = readMember(body, at + 1, pattern);
        at = high.end;
      }
      if (high.codePoint < low.codePoint) throw refuse(pattern, 'a range in [ ] runs backwards');
      add(literal(low.codePoint, pattern));
      if (high !== low) {
        add(both('-'));
        add(literal(high.codePoint, pattern));
      }
    }
  }
  return { written: negated ? negatedClass(js, rg) : { js: `[${js}]`, rg: `[${rg}]` }, end: at + 1 };
}

function readMember(body: readonly string[], at: number, pattern: string): { codePoint: number; end: number } {
  const character = body[at];
  if (character === undefined) throw refuse(pattern, 'a [ has no ]');
  if (character !== '\\') return { codePoint: character.codePointAt(0) as number, end: at + 1 };
  if (body[at + 1] === 'b') throw refuse(pattern, '"\\b" has no meaning inside [ ]');
  const escaped = readEscapedCharacter(body, at, pattern);
  if (!escaped) throw refuse(pattern, `"\\${body[at + 1]}" is not known inside [ ]`);
  return escaped;
}
