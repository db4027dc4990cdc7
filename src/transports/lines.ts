/** Lines on a pair of pipes, and whether anybody is at the other end. */
import type { Readable, Writable } from 'node:stream';

export interface LineReading {
  /** Longest line taken, characters. A longer one is passed over, for the client's other messages are none the worse for it. */
  readonly maxLength: number;
  onLine(line: string): void;
  onTooLong(): void;
  /** Waited for before more is read: a client that does not read its answers must not fill our memory. */
  ready(): Promise<void> | undefined;
}

/**
 * Reads lines until the input ends; a last one may lack its end. Splits on LF only, as the transport frames messages:
 * U+2028 and a lone CR may stand inside one.
 */
export async function readLines(input: Readable, { maxLength, onLine, onTooLong, ready }: LineReading): Promise<void> {
  let rest = '';
  let skipping = false;
  const take = (line: string) => {
    if (line.length > maxLength) onTooLong();
    else if (line.trim() !== '') onLine(line.trim());
  };
  input.setEncoding('utf8');
  try {
    for await (const chunk of input as AsyncIterable<string>) {
      const [first = '', ...others] = chunk.split('\n');
      rest = skipping ? '' : rest + first;
      for (const next of others) {
        if (!skipping) take(rest);
        skipping = false;
        rest = next;
      }
      if (rest.length > maxLength) {
        onTooLong();
        skipping = true;
        rest = '';
      }
      await ready();
    }
    if (!skipping) take(rest);
  } catch {
    // A broken pipe is the client's way of going away.
  }
}

/** Undefined while the output takes more; otherwise when it does again, or is gone. */
export function drained(output: Writable): Promise<void> | undefined {
  if (!output.writableNeedDrain || output.destroyed) return undefined;
  return new Promise((resolve) => {
    output.once('drain', resolve);
    output.once('close', resolve);
  });
}

/** How often to look whether the process that started us is still there, milliseconds. */
const PARENT_CHECK_MS = 1000;

/**
 * Tells when the process that started us is gone: a dead client whose pipe somebody else still holds open sends no end of input.
 * @returns stops the watching
 */
export function watchParent(onGone: () => void): () => void {
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, PARENT_CHECK_MS).unref();
  return () => clearInterval(check);
}
