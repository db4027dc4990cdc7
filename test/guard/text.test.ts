import { describe, expect, it } from 'vitest';
import { isBinary, safeText, showOutput } from '../../src/guard/text.ts';

describe('text from outside', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['a window title that ends in BEL', '\u001b]0;pwned\u0007text', 'text'],
    ['a hyperlink that ends in ST', '\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['a control string without an end', 'a\u001bPq#0;2;0', 'a'],
    ['a title that the next escape cuts off', '\u001b]0;title\u001b[31mred', 'red'],
    ['no more than its line to a title without an end', 'a\u001b]0;title\nb\u001b[0m\nc\u0007', 'a\nb\nc'],
    ['an image of several lines', 'a\u001bPq\n#0\n\u001b\\b', 'ab'],
    ['what writes to the clipboard, in 8 bits', 'a\u009d52;c;eA==\u009cb', 'ab'],
    ['a control sequence that is cut off', 'a\u001b[38;5', 'a'],
    ['an 8-bit control sequence', '\u009b31mred', 'red'],
    ['cursor moves that overwrite what was shown', 'rm -rf /\u001b[2K\rls', 'rm -rf /\nls'],
    ['a lone escape at the end', 'a\u001b', 'a'],
    ['bells, backspaces and form feeds', 'a\u0007\u0008\u000cb', 'ab'],
    ['Windows line ends', 'a\r\nb', 'a\nb'],
    ['a reversed file name', 'gnp.\u202eexe', 'gnp.exe'],
    ['letters struck twice and lines under them', 'N\bNA\bA _\bx_\by', 'NA xy'],
    ['line ends that only some programs see', 'a\u2028b\u0085c', 'a\nb\nc'],
    ['an Arabic letter mark and isolates', 'a\u061cb\u2066c\u2069', 'abc'],
    ['fillers and soft hyphens', 'a\u3164\u00ad\u034fb', 'ab'],
    ['joiners between letters that are never joined', 'ad\u200dmin', 'admin'],
    ['bytes smuggled in variation selectors', `ok\u{e0101}\u{e01ef}\ufe00${'\ufe01\ufe02'.repeat(9)}`, 'ok\ufe00'],
    ['zero-width characters', 'ad\u200bmin\ufeff', 'admin'],
    ['a privacy message and an application command', 'a\u001b^secret\u001b\\b\u001b_cmd\u0007c', 'abc'],
    ['a character set switch and a full reset', 'a\u001b(0b\u001bcc', 'abc'],
    ['a cursor report and a key that is typed back', 'a\u001b[6nb\u001b[?1;2c', 'ab'],
    ['delete and 8-bit controls', 'a\u007fb\u0084c', 'abc'],
    ['marks of writing direction', 'a\u200eb\u200fc\u202ad\u202b\u202ce', 'abcde'],
    ['notes between lines and musical brackets', 'a\ufff9b\ufffac\ufffb\u{1d173}d', 'abcd'],
    ['blanks of other alphabets that show nothing', 'a\u115fb\u17b4c\u180ed\uffa0e', 'abcde'],
    ['joining hints that hide in words', 'pass\u200cword\u2060s\u2063', 'passwords'],
    ['words in invisible tag characters', 'ok\u{e0001}\u{e0041}\u{e0042}\u{e0020}', 'ok'],
  ])('loses %s', (_, given, shown) => expect(safeText(given)).toBe(shown));

  it.each([
    'plain',
    'tab\tand\nline',
    'ünïcödé 世界',
    '👩‍💻 family',
    '1️⃣ ❤️ क्‍ष',
    '𝒳',
    'مرحبا שלום',
    '🏳️‍🌈 ❤️‍🔥 👍🏽',
    'עִבְרִית',
    '한국어',
    'naïve café',
  ])('keeps %j as it is', (text) => expect(safeText(text)).toBe(text));
});

it('names that NUL separates stay apart', () => expect(safeText('one.txt\0two.txt\0')).toBe('one.txt␀two.txt␀'));

it.each(['\u001b]0;a', '\u009d\n', '\u0090\n', '\u001bP\n', '\u001b[0', '\u009b1', '\u200d', '\ufe0f', 'a\b', '_\b', '\r'])(
  'many of %j take no long time',
  (piece) => {
    const startedMs = performance.now();
    safeText(piece.repeat(300_000 / piece.length));
    expect(performance.now() - startedMs).toBeLessThan(1000);
  },
);

describe('bytes', () => {
  it('with NUL are binary', () => expect(isBinary(new Uint8Array([65, 0, 66]))).toBe(true));
  it('that are mostly no UTF-8 are binary', () => expect(isBinary(new Uint8Array(100).fill(0xff))).toBe(true));
  it('of UTF-8 text with one broken character are text', () =>
    expect(isBinary(Buffer.concat([Buffer.from('grüße '.repeat(20)), Buffer.from([0xff])]))).toBe(false));
  it('that are none are text', () => expect(isBinary(new Uint8Array())).toBe(false));
});

describe('output', () => {
  const output = (head: string | Uint8Array, tail: string | Uint8Array = '', omittedBytes = 0) => {
    const [first, last] = [Buffer.from(head), Buffer.from(tail)];
    return showOutput({ head: first, tail: last, omittedBytes, totalBytes: first.length + last.length + omittedBytes });
  };

  it('that is clean is shown as it is', () => expect(output('grüße\n')).toEqual({ text: 'grüße\n', omittedBytes: 0 }));

  it('says how much is missing between head and tail', () =>
    expect(output('first\n', 'last\n', 500)).toEqual({ text: 'first\n\n[… 500 bytes left out …]\nlast\n', omittedBytes: 500 }));

  it('that was cut inside a character is no broken output: the rest of the character is left out too', () => {
    const smile = Buffer.from('😀');
    const head = Buffer.concat([Buffer.from('a'), smile.subarray(0, 3)]);
    const tail = Buffer.concat([smile.subarray(1), Buffer.from('z')]);
    expect(output(head, tail, 10)).toEqual({ text: 'a\n[… 16 bytes left out …]\nz', omittedBytes: 16 });
    expect(output('a😀', '😀z', 10)).toEqual({ text: 'a😀\n[… 10 bytes left out …]\n😀z', omittedBytes: 10 });
    expect(output('aé', 'éz', 10)).toEqual({ text: 'aé\n[… 10 bytes left out …]\néz', omittedBytes: 10 });
  });

  it('with bytes that are no UTF-8 shows them as � and says so', () => {
    expect(output(Buffer.from('gr\u00fc\u00dfe, Welt', 'latin1'))).toEqual({
      text: 'gr��e, Welt',
      omittedBytes: 0,
      flaw: 'invalid_utf8',
    });
    expect(output('a real \ufffd')).toEqual({ text: 'a real \ufffd', omittedBytes: 0 });
  });

  it('that is binary is told by size and beginning, also where only its tail is', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect(output(bytes)).toMatchObject({ flaw: 'binary', text: expect.stringContaining('binary, 256 bytes') });
    expect(output(bytes).text).toContain(bytes.subarray(0, 64).toString('base64'));
    expect(output('text', bytes, 10).flaw).toBe('binary');
  });

  it('of names that NUL separates is text', () => expect(output('one.txt\0two.txt\0').flaw).toBeUndefined());
});
