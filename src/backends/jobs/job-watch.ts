/** Looking at a folder that other processes write to. */
import { type FSWatcher, watch } from 'node:fs';
import type { JobWatch } from '../backend.ts';

/** How often to look where the system does not tell of changes, milliseconds. */
const LOOK_MS = 100;
/** Changes that come together are told together, milliseconds. */
const GATHER_MS = 5;

/** @param held whether the process lives on for it */
export function watchFolder(folder: string, held: boolean): JobWatch {
  let changed = false;
  let wake: (() => void) | undefined;
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, { persistent: false }, () => {
      changed = true;
      wake?.();
    });
    watcher.on('error', () => {
      watcher?.close();
      watcher = undefined;
    });
  } catch {
    // No more of them are to be had, or the folder is gone: it is looked at from time to time.
  }
  return {
    changed: (maxMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(limit);
          clearTimeout(soon);
          wake = undefined;
          changed = false;
          resolve();
        };
        let soon: NodeJS.Timeout | undefined;
        const limit = setTimeout(done, watcher ? maxMs : Math.min(maxMs, LOOK_MS));
        if (!held) limit.unref();
        wake = () => {
          soon ??= setTimeout(done, GATHER_MS);
        };
        if (changed) wake();
      }),
    [Symbol.dispose]: () => watcher?.close(),
  };
}
