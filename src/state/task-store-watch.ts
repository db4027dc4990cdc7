/**
 * Tells when another process has written to the store. The kernel says when SQLite's log was written to, but that is
 * before others can see it: the index of the log comes after it, in shared memory, of which the kernel says nothing. So
 * it is looked at once more a moment later, and now and then for a writer that was held up in between and for file
 * systems that say nothing; more often where something is awaited.
 */
import { type FSWatcher, watch } from 'node:fs';

/** How long a writer usually takes from the log to its index at most, milliseconds. */
const INDEXED_MS = 15;
/** How often it is looked at while something is awaited, milliseconds. */
const LOOK_MS = 500;
/** The same while nothing is. */
const IDLE_LOOK_MS = 2000;

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
  let later: NodeJS.Timeout | undefined;
  let waiting = 0;
  let needed = 0;
  let timer = setInterval(onWrite, IDLE_LOOK_MS).unref();

  function soon(): void {
    if (later) later.refresh();
    else later = setTimeout(onWrite, INDEXED_MS).unref();
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

  function lookEvery(ms: number): void {
    clearInterval(timer);
    timer = setInterval(onWrite, ms).unref();
  }

  return {
    await(stayAlive) {
      if (++waiting === 1) lookEvery(LOOK_MS);
      if (stayAlive && ++needed > 0) timer.ref();
      let over = false;
      return () => {
        if (over) return;
        over = true;
        if (stayAlive && --needed === 0) timer.unref();
        if (--waiting === 0) lookEvery(IDLE_LOOK_MS);
      };
    },
    stop() {
      watcher?.close();
      clearTimeout(later);
      clearInterval(timer);
    },
  };
}
