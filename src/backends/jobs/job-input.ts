/** Writing into FIFOs without ever waiting for a reader that does not come. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before a full FIFO is tried again, milliseconds. */
const FULL_MS = 10;

/**
 * Writes until everything is taken, the reader is gone, or the signal is aborted.
 * @returns bytes taken; undefined when nobody reads there
 */
export async function feed(path: string, data: Uint8Array, signal: AbortSignal): Promise<number | undefined> {
  const fifo = await open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENXIO' || error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!fifo) return undefined;
  let taken = 0;
  try {
    while (taken < data.byteLength && !signal.aborted) {
      const written = await fifo.write(data, taken).catch((error: NodeJS.ErrnoException) => error);
      if (!(written instanceof Error)) taken += written.bytesWritten;
      else if (written.code === 'EAGAIN') await sleep(FULL_MS);
      else if (written.code === 'EPIPE') break;
      else throw written;
    }
  } finally {
    await fifo.close();
  }
  return taken;
}
