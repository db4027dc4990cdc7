/** What is in one folder, in order, as compact as a folder of a million entries asks for. */
import type { Dirent } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { setImmediate as others } from 'node:timers/promises';
import type { SearchRoot } from './native-search-root.ts';

/**
 * A name, with a slash behind it for folders and a NUL for what is neither folder nor regular file. Their order is that
 * of the paths they stand for.
 */
export type EntryKey = string;

export const isFolder = (key: EntryKey) => key.endsWith('/');
export const isOther = (key: EntryKey) => key.endsWith('\0');
export const nameOf = (key: EntryKey) => (isFolder(key) || isOther(key) ? key.slice(0, -1) : key);

function keyOf(entry: Dirent): EntryKey {
  if (entry.isDirectory()) return `${entry.name}/`;
  return entry.isFile() ? entry.name : `${entry.name}\0`;
}

/** Bytes that a folder itself takes from which on it is read piece by piece: some ten thousand entries. */
const LARGE_BYTES = 1024 * 1024;
const BATCH = 1024;
/** Keys sorted, or merged, without letting others run: a few milliseconds. */
const AT_ONCE = 8192;

/** Empty for folders that are no longer there, or cannot be read. */
export async function sortedEntries(root: SearchRoot, path: string, signal: AbortSignal): Promise<EntryKey[]> {
  using folder = await root.hold(path, { folder: true });
  if (!folder) return [];
  try {
    const { size } = await folder.stats();
    if (size > LARGE_BYTES) return await largeFolder(folder.path, signal);
    return (await readdir(folder.path, { withFileTypes: true })).map(keyOf).sort();
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

async function largeFolder(path: string, signal: AbortSignal): Promise<EntryKey[]> {
  const runs: EntryKey[][] = [];
  let run: EntryKey[] = [];
  for await (const entry of await opendir(path, { bufferSize: BATCH })) {
    run.push(keyOf(entry));
    if (run.length < AT_ONCE) continue;
    signal.throwIfAborted();
    runs.push(run.sort());
    run = [];
  }
  runs.push(run.sort());
  while (runs.length > 1) runs.push(await merge(runs.shift() ?? [], runs.shift() ?? [], signal));
  return runs[0] ?? [];
}

async function merge(left: readonly EntryKey[], right: readonly EntryKey[], signal: AbortSignal): Promise<EntryKey[]> {
  const merged: EntryKey[] = [];
  let [fromLeft, fromRight] = [0, 0];
  while (merged.length < left.length + right.length) {
    const [one, other] = [left[fromLeft], right[fromRight]];
    if (other === undefined || (one !== undefined && one < other)) {
      merged.push(one as EntryKey);
      fromLeft += 1;
    } else {
      merged.push(other);
      fromRight += 1;
    }
    if (merged.length % (4 * AT_ONCE) !== 0) continue;
    signal.throwIfAborted();
    await others();
  }
  return merged;
}
