import { describe, expect, test } from 'vitest';
import { type ByteSource, type LineRangeRequest, readLineRange } from '../../src/tools/line-ranges.ts';

const never = new AbortController().signal;

function source(bytes: Uint8Array): ByteSource & { bytesRead: number } {
  return {
    size: bytes.length,
    bytesRead: 0,
    async read(position, length) {
      const chunk = bytes.subarray(position, position + length);
      this.bytesRead += chunk.length;
      return chunk;
    },
  };
}

async function lines(text: string | Uint8Array, request: Partial<LineRangeRequest>) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const range = await readLineRange(source(bytes), { offset: 1, limit: 2000, maxBytes: 256 * 1024, unit: 1, ...request }, never);
  return { ...range, text: range.bytes.toString(request.unit === 2 ? 'utf16le' : 'utf8') };
}

describe.each([1, 2] as const)('with code units of %d bytes', (unit) => {
  const read = (text: string, request: Partial<LineRangeRequest>) =>
    lines(Buffer.from(text, unit === 2 ? 'utf16le' : 'utf8'), { ...request, unit });

  test('every range of a text is what splitting it gives', async () => {
    for (const text of ['', 'a', 'a\n', '\n', '\n\n', 'a\nb', 'a\nb\n', 'a\n\nb\r\nc\n', 'Ċ\nऊ\n\u0a0a\nz']) {
      const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      for (let offset = 1; offset <= all.length + 2; offset += 1) {
        for (let limit = 1; limit <= all.length + 1; limit += 1) {
          const range = await read(text, { offset, limit });
          const expected = all.slice(offset - 1, offset - 1 + limit);
          expect(range.text, JSON.stringify({ text, offset, limit })).toBe(expected.join(''));
          expect(range.lineCount).toBe(expected.length);
          expect(range.atEnd).toBe(offset - 1 + limit >= all.length);
          expect(range.totalLines).toBe(range.atEnd ? all.length : undefined);
        }
      }
    }
  });

  test('every tail of a text is what splitting it gives', async () => {
    for (const text of ['', 'a', 'a\n', '\n', 'a\nb', 'a\nb\n\n', 'a\n\nb\r\nc\n', 'Ċ\nऊ\n\u0a0a\nz']) {
      const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      for (let tail = 1; tail <= all.length + 1; tail += 1) {
        const range = await read(text, { offset: -tail });
        expect(range.text, JSON.stringify({ text, tail })).toBe(all.slice(-tail).join(''));
        expect(range.firstLine).toBe(Math.max(1, all.length - tail + 1));
      }
    }
  });
});

test('lines are whole when the limit of bytes is reached, and counted right', async () => {
  const range = await lines('0123456789\n'.repeat(100), { maxBytes: 58 });
  expect(range).toMatchObject({ lineCount: 5, atEnd: false, lineCut: false });
});

test('a line longer than the limit is cut between characters', async () => {
  for (let maxBytes = 8; maxBytes < 16; maxBytes += 1) {
    const range = await lines('é😀日x'.repeat(50), { maxBytes });
    expect(range.lineCut).toBe(true);
    expect(range.text).not.toContain('\uFFFD');
    const wide = await lines(Buffer.from('é😀日x'.repeat(50), 'utf16le'), { maxBytes, unit: 2 });
    expect(wide.text.isWellFormed()).toBe(true);
  }
});

test('a head reads little of a large file, and a tail too', async () => {
  const large = Buffer.alloc(40 * 1024 * 1024, 'a line of text\n');
  const head = source(large);
  await readLineRange(head, { offset: 1, limit: 10, maxBytes: 256 * 1024, unit: 1 }, never);
  expect(head.bytesRead).toBeLessThan(128 * 1024);
  const tail = source(large);
  const range = await readLineRange(tail, { offset: -10, limit: 2000, maxBytes: 256 * 1024, unit: 1 }, never);
  expect(range).toMatchObject({ lineCount: 10, firstLine: undefined, atEnd: true });
  expect(tail.bytesRead).toBeLessThan(2 * 1024 * 1024);
});

test('a line far inside is found across the pieces that are read', async () => {
  const range = await lines(Array.from({ length: 300_000 }, (_, index) => `line ${index + 1}\n`).join(''), {
    offset: 250_000,
    limit: 2,
  });
  expect(range.text).toBe('line 250000\nline 250001\n');
});

test('looking for a line stops when the call is cancelled', async () => {
  const stop = new AbortController();
  const endless: ByteSource = {
    size: 2 ** 50,
    async read(_position, length) {
      if (!stop.signal.aborted) setImmediate(() => stop.abort(new Error('enough')));
      await new Promise(setImmediate);
      return new Uint8Array(length);
    },
  };
  for (const offset of [5, -5]) {
    const running = readLineRange(endless, { offset, limit: 1, maxBytes: 1024, unit: 1 }, stop.signal);
    await expect(running).rejects.toThrow('enough');
  }
});
