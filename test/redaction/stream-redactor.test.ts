import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/redaction/redactor.ts';
import { createByteRedactor, createStreamRedactor } from '../../src/redaction/stream-redactor.ts';

/** The text in pieces of these lengths, the last one repeated. */
function piecesOf(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, index = 0; at < text.length; index++) {
    const length = lengths[Math.min(index, lengths.length - 1)] ?? 1;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

function streamed(text: string, lengths: readonly number[], known: readonly string[] = []): string {
  const stream = createStreamRedactor(createRedactor(() => known));
  return (
    piecesOf(text, lengths)
      .map((piece) => stream.push(piece))
      .join('') + stream.flush()
  );
}

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;
const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${`${'MIIEpAIB'.repeat(8)}\n`.repeat(12)}-----END RSA PRIVATE KEY-----`;
const WORDS = [
  ...['plain', 'words', 'password', '=', ': ', ' ', '\n', '"', '(', ',', ';', 'hunter2', 'Authorization: Bearer ', 'token', '--'],
  ...[
    'const ',
    'https://',
    'user:',
    '@host',
    '-----BEGIN ',
    'x'.repeat(40),
    'API_KEY=',
    'ä',
    '😀',
    '0123456789abcdef',
    'sk-',
    'pwd',
  ],
  ...[TOKEN, KEY, 'dGhlIHNlY3JldCB2YWx1ZQ==', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMQ'],
];

describe('text that comes in pieces', () => {
  it.each([1, 2, 3, 7, 1000])('loses its secrets whatever the pieces, here of %i characters', (length) => {
    const text = `a\nDB_PASSWORD=hunter2 and ${TOKEN}.\n${KEY}\nknown: blue-horse-42!\npassword: hunter3\nend`;
    expect(streamed(text, [length], ['blue-horse-42!'])).toBe(
      'a\nDB_PASSWORD=[redacted:password] and [redacted:github-token].\n[redacted:private-key]\nknown: [redacted]\npassword: [redacted:password]\nend',
    );
  });

  it('never shows a known secret', () => {
    const secret = fc
      .string({ unit: 'grapheme', minLength: 6, maxLength: 40 })
      .filter((text) => text.trim().length >= 6 && !'[redacted]'.includes(text.trim()));
    fc.assert(
      fc.property(
        secret,
        fc.string(),
        fc.string(),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (value, before, after, lengths) => {
          expect(streamed(before + value + after, lengths, [value])).not.toContain(value.trim());
        },
      ),
    );
  });

  it('comes out as the whole would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (words, lengths) => {
          const text = words.join('');
          // Of a quotation that is not ended a stream masks what it can tell: the secret, and less of what is before it.
          fc.pre((text.match(/"/g)?.length ?? 0) % 2 === 0);
          expect(streamed(text, lengths, ['dGhl'])).toBe(createRedactor(() => []).text(text));
        },
      ),
      { numRuns: 300, seed: 42 },
    );
  });

  it('is let go but for its last word', () => {
    const stream = createStreamRedactor(createRedactor(() => ['blue horse']));
    expect(stream.push('Continue? [y/N] ')).toBe('Continue? [y/N] ');
    expect(stream.push('one two')).toBe('one ');
    expect(stream.push(' a blue')).toBe('two a ');
    expect(stream.push(' bird\n')).toBe('blue bird\n');
    expect(stream.push(`${'x'.repeat(20_000)}`).length).toBeGreaterThan(11_000);
    expect(stream.flush().length).toBeLessThan(9000);
  });
});

describe('bytes that come in pieces', () => {
  it('lose known secrets of any letters, and are else what they were', () => {
    const bytes = fc.uint8Array({ maxLength: 500 });
    const secret = 'grüße-42';
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 1, max: 50 }), (before, after, length) => {
        const stream = createByteRedactor(createRedactor(() => [secret]));
        const all = Buffer.concat([before, Buffer.from(secret), after]);
        const given: Uint8Array[] = [];
        for (let at = 0; at < all.length; at += length) given.push(stream.push(all.subarray(at, at + length)));
        given.push(stream.flush());
        expect(Buffer.concat(given).toString('latin1')).toBe(
          Buffer.concat([before, Buffer.from('[redacted]'), after]).toString('latin1'),
        );
      }),
    );
  });
});
