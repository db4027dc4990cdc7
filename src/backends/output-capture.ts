import type { CapturedOutput } from './backend.ts';

/** Keeps the head and the tail of a stream in constant memory, and counts what is left out between them. */
export interface OutputCapture {
  add(chunk: Uint8Array): void;
  result(): CapturedOutput;
}

/** @param maxBytes kept in all, half from the head and half from the tail */
export function createOutputCapture(maxBytes: number): OutputCapture {
  const headLimit = Math.ceil(maxBytes / 2);
  const tailLimit = maxBytes - headLimit;
  const head: Uint8Array[] = [];
  let headBytes = 0;
  const tail: Uint8Array[] = [];
  let tailBytes = 0;
  let totalBytes = 0;

  function keepTail(chunk: Uint8Array) {
    tail.push(chunk);
    tailBytes += chunk.byteLength;
    for (let first = tail[0]; first && tailBytes - first.byteLength >= tailLimit; first = tail[0]) {
      tailBytes -= first.byteLength;
      tail.shift();
    }
  }

  return {
    add(chunk) {
      totalBytes += chunk.byteLength;
      const room = Math.min(headLimit - headBytes, chunk.byteLength);
      if (room > 0) {
        head.push(chunk.subarray(0, room));
        headBytes += room;
      }
      // Copied, so that a small rest does not keep a large buffer alive.
      if (room < chunk.byteLength) keepTail(Uint8Array.prototype.slice.call(chunk, Math.max(room, chunk.byteLength - tailLimit)));
    },
    result() {
      const kept = Buffer.concat(tail);
      const exact = kept.subarray(Math.max(0, kept.byteLength - tailLimit));
      const omittedBytes = totalBytes - headBytes - exact.byteLength;
      if (omittedBytes > 0) return { head: Buffer.concat(head), tail: exact, totalBytes, omittedBytes };
      return { head: Buffer.concat([...head, exact]), tail: new Uint8Array(), totalBytes, omittedBytes: 0 };
    },
  };
}
