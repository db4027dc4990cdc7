/**
 * Files of this machine. Paths are absolute. Each is opened first, and the guard judges what was opened: nothing that
 * happens to names in between makes it another object.
 */
import { readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { BackendFiles, Judge, OpenFile } from './backend.ts';
import { notRegular, refuse } from './native-files-failures.ts';
import { type Held, type Hold, hold as holdBest } from './native-files-held.ts';
import { fileInfo, heldObject } from './native-files-info.ts';
import { linkedFiles } from './native-files-linked.ts';
import { listFolder } from './native-files-list.ts';
import { holdJudged, resolvePlace } from './native-files-place.ts';
import { writeFile } from './native-files-write.ts';
import { otherMountsOf } from './native-mounts.ts';

/** @param hold how objects are held; absent: the best way this machine has */
export function createNativeFiles(hold: Hold = holdBest): BackendFiles {
  return {
    async stat(path, judge) {
      using held = await holdJudged(path, judge, { follow: false }, hold);
      const stats = await held.stats().catch(refuse(path));
      await judge.admit(heldObject(held.realPath, stats));
      return fileInfo(held.realPath, stats, stats.isSymbolicLink() ? await linkTarget(held, hold) : undefined);
    },
    resolve: (path) => resolvePlace(path),
    open: (path, judge) => openFile(path, judge, hold),
    write: (path, data, options, judge) => writeFile(path, data, options, judge, hold),
    list: (path, options, judge) => listFolder(path, options, judge, hold),
    async search(request, signal, judge) {
      const { searchNative } = await import('./native-search.ts');
      return searchNative(request, signal, judge, { hold });
    },
    otherPlaces: async (path) => otherMountsOf(path),
    linkedFiles,
  };
}

export const nativeFiles: BackendFiles = createNativeFiles();

async function openFile(path: string, judge: Judge, hold: Hold): Promise<OpenFile> {
  using held = await holdJudged(path, judge, {}, hold);
  const stats = await held.stats().catch(refuse(path));
  await judge.admit(heldObject(held.realPath, stats));
  if (!stats.isFile()) throw notRegular(path, stats);
  const handle = await held.open().catch(refuse(path));
  return {
    info: fileInfo(held.realPath, stats),
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, position).catch(refuse(path));
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** What is written in a held link. Links are read by name, in the folder they are in. */
async function linkTarget({ realPath }: Held, hold: Hold): Promise<string | undefined> {
  try {
    using folder = await hold(dirname(realPath), { folder: true, follow: false });
    return folder.realPath === dirname(realPath) ? await readlink(join(folder.path, basename(realPath))) : undefined;
  } catch {
    return undefined;
  }
}
