import { describe, expect, it } from 'vitest';
import { isBinary, safeText } from '../../src/guard/text.ts';

describe('text from outside', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['a window title that ends in BEL', '\u001b]0;pwned\u0007text', 'text'],
    ['a hyperlink that ends in ST', '\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['a control string without an end', 'a\u001bPq#0;2;0', 'a'],
    ['an 8-bit control sequence', '\u009b31mred', 'red'],
    ['cursor moves that overwrite what was shown', 'rm -rf /\u001b[2K\rls', 'rm -rf /\nls'],
    ['a lone escape at the end', 'a\u001b', 'a'],
    ['bells, backspaces and form feeds', 'a\u0007\u0008\u000cb', 'ab'],
    ['Windows line ends', 'a\r\nb', 'a\nb'],
    ['a reversed file name', 'gnp.\u202eexe', 'gnp.exe'],
    ['zero-width characters', 'ad\u200bmin\ufeff', 'admin'],
    [
      'words in invisible tag characters',
      'ok\u{e0041}\u{e0042}\u{e0020}',
      'ok\u{e0041}\u{e0042}'.replace(/[\u{e0020}-\u{e007f}]/gu, ''),
    ],
  ])('loses %s', (_, given, shown) => expect(safeText(given)).toBe(shown));

  it.each(['plain', 'tab\tand\nline', 'ünïcödé 世界', '👩‍💻 family'])('keeps %j as it is', (text) =>
    expect(safeText(text)).toBe(text),
  );
});

describe('bytes', () => {
  it('with NUL are binary', () => expect(isBinary(new Uint8Array([65, 0, 66]))).toBe(true));
  it('that are mostly no UTF-8 are binary', () => expect(isBinary(new Uint8Array(100).fill(0xff))).toBe(true));
  it('of UTF-8 text with one broken character are text', () =>
    expect(isBinary(Buffer.concat([Buffer.from('grüße '.repeat(20)), Buffer.from([0xff])]))).toBe(false));
  it('that are none are text', () => expect(isBinary(new Uint8Array())).toBe(false));
});
