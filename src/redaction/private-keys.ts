/** Private keys in PEM armour (RFC 7468, RFC 9580), also when a part of the block is missing. */
import type { Shape } from './shape.ts';

const KIND = 'private-key';
const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
/** Characters of a block at most: the largest RSA keys have 13,000. */
const LONGEST = 32 * 1024;
/** What every key has and talk about keys has not. */
const BODY = /[A-Za-z0-9+/=]{32}/;
/**
 * A line of a block with what may stand around it: indentation, a diff's sign, a string in a program, line ends as two
 * characters; or one of the headers that old formats have.
 */
const LINE =
  /[ \t"'`+>|,.-]{0,16}(?:-{5}E?N?D?[A-Z0-9 ]{0,60}-{0,4}$|[A-Za-z0-9+/=]{1,100}|[A-Za-z0-9-]{3,20}: [^\n\\]{0,100}|)[ \t"'`+,;]{0,8}(?:\\?\r?\n|\\r|\\n|$)/y;
/** Characters of a line with what stands around it. */
const LONGEST_LINE = 130;
/** A line before the end of a block whose beginning is missing. */
const EARLIER_LINE = /^[ \t"'`+>|,.-]{0,16}[A-Za-z0-9+/=]{1,100}[ \t"'`+,;\\nr]{0,8}$/;

const WHOLE: Shape = {
  anchors: ['-----BEGIN '],
  find(text, at) {
    BEGIN.lastIndex = at;
    if (!BEGIN.test(text)) return undefined;
    const body = BEGIN.lastIndex;
    const window = text.slice(body, body + LONGEST);
    const next = window.indexOf('-----BEGIN ');
    const block = next < 0 ? window : window.slice(0, next);
    const close = block.indexOf('-----END ');
    END.lastIndex = body + close;
    const end = close >= 0 && END.test(text) ? END.lastIndex : endOfLines(text, body, body + block.length);
    return BODY.test(text.slice(body, end)) ? { start: at, end, kind: KIND } : undefined;
  },
};

/** Cut off at its beginning: the tail of a long output. */
const TAIL: Shape = {
  anchors: ['-----END '],
  find(text, at) {
    END.lastIndex = at;
    if (!END.test(text)) return undefined;
    const end = END.lastIndex;
    let start = at;
    for (;;) {
      const near = text.slice(Math.max(0, start - LONGEST_LINE), start);
      const line = near.slice(near.lastIndexOf('\n', near.length - 2) + 1);
      if (line === '' || !EARLIER_LINE.test(line.replace(/\r?\n$/, ''))) break;
      start -= line.length;
    }
    return BODY.test(text.slice(start, at)) ? { start, end, kind: KIND } : undefined;
  },
};

/** Whether a block begins here that could go on behind the end of the text. */
export function isUnfinishedKey(text: string, at: number): boolean {
  BEGIN.lastIndex = at;
  if (!BEGIN.test(text)) return /^-----BEGIN [A-Z0-9 ]{0,60}-{0,5}$/.test(text.slice(at, at + 100));
  const body = BEGIN.lastIndex;
  return text.length - at < LONGEST && endOfLines(text, body, text.length) === text.length;
}

export const PRIVATE_KEY_SHAPES: readonly Shape[] = [WHOLE, TAIL];

function endOfLines(text: string, from: number, limit: number): number {
  let end = from;
  while (end < limit) {
    LINE.lastIndex = end;
    if (!LINE.test(text) || LINE.lastIndex === end) break;
    end = LINE.lastIndex;
  }
  return end;
}
