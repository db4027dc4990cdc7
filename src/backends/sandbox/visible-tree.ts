/** What a confined command may do at each place of the file system. The nearest place above a path decides on it. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { isPlaceholder, type Place } from './placeholders.ts';
import { exists, isLink, parentsOf } from './real-paths.ts';

/** `private`: an empty folder of the command's own, which ends with it. */
export type Access = 'read' | 'write' | 'private' | 'hidden';

export interface VisibleTree {
  /** By path, absolute and real. */
  readonly accesses: ReadonlyMap<string, Access>;
  /** What has to be made before, so that something can be mounted over it; outer folders first. */
  readonly places: readonly Place[];
  /** What `seal` mounts in folders that may be written. */
  readonly sealed: ReadonlySet<string>;
  set(path: string, access: Access): void;
  accessOf(path: string): Access;
  /**
   * Keeps a path from being changed, or seen. In a folder that may be written what it lies in is mounted over itself, so
   * that it cannot be moved away and another put there.
   * @param missing what stands there meanwhile when nothing does; without it, it may be made
   */
  seal(path: string, access: 'read' | 'hidden', missing?: Place): void;
}

/** @param base access to what nothing is said about */
export function createVisibleTree(base: Access): VisibleTree {
  const accesses = new Map<string, Access>([['/', base]]);
  const places: Place[] = [];
  const sealed = new Set<string>();

  function accessOf(path: string): Access {
    const own = accesses.get(path);
    if (own) return own;
    for (const parent of parentsOf(path)) {
      const access = accesses.get(parent);
      if (access) return access;
    }
    return base;
  }

  return {
    accesses,
    places,
    sealed,
    accessOf,
    set: (path, access) => void accesses.set(path, access),
    seal(path, access, missing) {
      const around = accessOf(dirname(path));
      if (exists(path)) {
        if (around === 'private' || around === 'hidden') return;
        if (missing?.kind === 'folder' && isPlaceholder(path)) places.push(missing);
      } else {
        if (!missing || around !== 'write' || isLink(path)) return;
        const parents = [...parentsOf(path)];
        const nearest = parents.findIndex(exists);
        if (!isWritable(parents[nearest] ?? '/')) return;
        const folders = parents.slice(0, nearest).toReversed();
        for (const folder of folders) places.push({ path: folder, kind: 'folder', content: '' });
        places.push(missing);
      }
      for (const parent of parentsOf(path)) {
        if (accesses.has(parent) || accessOf(parent) !== 'write') break;
        accesses.set(parent, 'write');
        sealed.add(parent);
      }
      accesses.set(path, access);
      if (around === 'write') sealed.add(path);
    },
  };
}

/** What we cannot make there, a command cannot either. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
