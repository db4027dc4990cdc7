/**
 * Tells when another process has written to the store. Nothing is asked for in intervals while nothing happens: the
 * kernel says when SQLite's log was written to. Only where something is awaited, and for file systems that say nothing,
 * it is looked at now and then.
 */
import { type FSWatcher, watch } from 'node:fs';

/** How often it is looked at while something is awaited, milliseconds. */
const LOOK_MS = 500;

export interface StoreWatch {
  /**
   * Looks now and then too until the returned function is called.
   * @param stayAlive whether the process must not end meanwhile
   */
  await(stayAlive: boolean): () => void;
  stop(): void;
}

/**
 * @param path the database; its log must be there
 * @param onWrite called after writes, maybe several at once, and maybe without any
 */
export function watchStore(path: string, onWrite: () => void): StoreWatch {
  let watcher: FSWatcher | undefined;
  let pending = false;
  let waiting = 0;
  let needed = 0;
  let timer: NodeJS.Timeout | undefined;

  function soon(): void {
    if (pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      onWrite();
    });
  }

  try {
    watcher = watch(`${path}-wal`, { persistent: false }, soon);
    watcher.on('error', () => watcher?.close());
  } catch {
    // No watches left, or none on this file system: what is awaited is still looked at.
  }

  function adjust(): void {
    if (waiting === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    timer ??= setInterval(onWrite, LOOK_MS);
    if (needed > 0) timer.ref();
    else timer.unref();
  }

  return {
    await(stayAlive) {
      waiting++;
      if (stayAlive) needed++;
      adjust();
      let over = false;
      return () => {
        if (over) return;
        over = true;
        waiting--;
        if (stayAlive) needed--;
        adjust();
      };
    },
    stop() {
      watcher?.close();
      clearInterval(timer);
    },
  };
}
