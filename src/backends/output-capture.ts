import type { CapturedOutput } from './backend.ts';

/** Keeps the head and the tail of a stream in constant memory, and counts what is left out between them. */
export interface OutputCapture {
  add(chunk: Uint8Array): void;
  result(): CapturedOutput;
}

/** @param maxBytes kept in all, half from the head and half from the tail */
export function createOutputCapture(maxBytes: number): OutputCapture {
  const headLimit = Math.ceil(maxBytes / 2);
  const head = growingBuffer(headLimit);
  const tail = ringBuffer(maxBytes - headLimit);
  let totalBytes = 0;

  return {
    add(chunk) {
      totalBytes += chunk.byteLength;
      const taken = head.add(chunk);
      if (taken < chunk.byteLength) tail.add(chunk.subarray(taken));
    },
    result() {
      const first = head.contents();
      const last = tail.contents();
      const omittedBytes = totalBytes - first.byteLength - last.byteLength;
      if (omittedBytes > 0) return { head: first, tail: last, totalBytes, omittedBytes };
      return {
        head: last.byteLength === 0 ? first : Buffer.concat([first, last]),
        tail: new Uint8Array(),
        totalBytes,
        omittedBytes: 0,
      };
    },
  };
}

/** Smallest room that is made at once, bytes. Pieces are copied together: a program may write bytes one by one. */
const FIRST_ROOM = 4096;

/** The first `limit` bytes. */
function growingBuffer(limit: number) {
  let room = Buffer.alloc(0);
  let used = 0;
  return {
    /** @returns how many bytes were taken */
    add(chunk: Uint8Array): number {
      const taken = Math.min(limit - used, chunk.byteLength);
      if (taken === 0) return 0;
      if (used + taken > room.byteLength) {
        const grown = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(FIRST_ROOM, used + taken, room.byteLength * 2)));
        room.copy(grown, 0, 0, used);
        room = grown;
      }
      room.set(chunk.subarray(0, taken), used);
      used += taken;
      return taken;
    },
    contents: () => room.subarray(0, used),
  };
}

/** The last `limit` bytes. */
function ringBuffer(limit: number) {
  const filling = growingBuffer(limit);
  let ring: Buffer | undefined;
  /** Where the oldest byte is, once the ring is full. */
  let start = 0;
  return {
    add(chunk: Uint8Array): void {
      const late = ring === undefined ? chunk.subarray(filling.add(chunk)) : chunk;
      if (late.byteLength === 0 || limit === 0) return;
      ring ??= filling.contents();
      const kept = late.subarray(Math.max(0, late.byteLength - limit));
      const upToEnd = Math.min(kept.byteLength, limit - start);
      ring.set(kept.subarray(0, upToEnd), start);
      ring.set(kept.subarray(upToEnd), 0);
      start = (start + kept.byteLength) % limit;
    },
    contents: () => (ring === undefined ? filling.contents() : Buffer.concat([ring.subarray(start), ring.subarray(0, start)])),
  };
}
