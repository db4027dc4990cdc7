/** What changed in the store, by this process and others, told once to everybody here who listens. */
import type { TaskStore } from '../state/task-store.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import { watchStore } from '../state/task-store-watch.ts';

export interface TaskFeed {
  /** To be called after each write of this process. */
  touch(): void;
  /** Called after writes of this process or another. */
  onWrite(listener: () => void): void;
  /** Called with each task that was changed. */
  onTask(listener: (row: TaskRow) => void): () => void;
  /** Keeps this process alive until the returned function is called. */
  await(): () => void;
  stop(): void;
}

export function createTaskFeed(store: TaskStore, onTrouble: (message: string) => void): TaskFeed {
  const onWrites: (() => void)[] = [];
  const onTasks = new Set<(row: TaskRow) => void>();
  let seen = store.lastChange();
  let version = store.dataVersion();
  let touched = false;
  let stopped = false;

  function look(): void {
    if (stopped) return;
    try {
      const now = store.dataVersion();
      if (now === version && !touched) return;
      version = now;
      touched = false;
      tell();
      for (const listener of onWrites) listener();
    } catch (thrown) {
      onTrouble(`The store of tasks cannot be read: ${(thrown as Error).message}`);
    }
  }

  function tell(): void {
    const last = store.lastChange();
    if (last === seen) return;
    const since = seen;
    seen = last;
    if (onTasks.size === 0) return;
    for (const { number, change } of store.changedSince(since)) {
      seen = Math.max(seen, change);
      const row = store.get(number);
      if (row) for (const listener of onTasks) listener(row);
    }
  }

  const watched = watchStore(store.path, look);
  return {
    touch() {
      if (touched) return;
      touched = true;
      setImmediate(look);
    },
    onWrite: (listener) => void onWrites.push(listener),
    onTask(listener) {
      onTasks.add(listener);
      return () => onTasks.delete(listener);
    },
    await: () => watched.await(true),
    stop() {
      stopped = true;
      watched.stop();
    },
  };
}
