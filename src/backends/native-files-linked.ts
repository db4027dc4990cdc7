/** Files that can be reached by more names than one. */
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from './native-files-info.ts';

/** Entries looked at side by side. */
const ABREAST = 16;

/** Identities of the regular files at and below some paths that have further names (hard links). */
export async function linkedFiles(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();

  async function look(path: string): Promise<void> {
    const stats = await lstat(path, { bigint: true }).catch(() => undefined);
    if (stats?.isDirectory()) return lookBelow(path);
    if (stats?.isFile() && stats.nlink > 1n) found.add(identityOf(stats));
  }

  async function lookBelow(folder: string): Promise<void> {
    const entries = await opendir(folder).catch(() => undefined);
    if (!entries) return;
    let pending: Promise<void>[] = [];
    for await (const { name } of entries) {
      pending.push(look(join(folder, name)));
      if (pending.length < ABREAST) continue;
      await Promise.all(pending);
      pending = [];
    }
    await Promise.all(pending);
  }

  await Promise.all(paths.map(look));
  return found;
}
