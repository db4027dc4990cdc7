/** Our own files and folders (state, keys, audit, configuration, plug-ins), by every way that leads to them. */
import type { BackendFiles, HeldObject } from '../backends/backend.ts';

export interface OwnPlaces {
  /** Whether a real path is one of ours, or below one. */
  hold(realPath: string): boolean;
  /** Whether something of ours is, or would be, below a real path. */
  areBelow(realPath: string): boolean;
  /** Whether an object has another name among ours. */
  haveNameOf(object: HeldObject): boolean | Promise<boolean>;
}

type Ways = Pick<BackendFiles, 'otherPlaces' | 'linkedFiles'>;

/** @param realPaths ours, links resolved; also of what does not exist yet */
export async function findOwnPlaces(realPaths: readonly string[], files: Ways, links: OwnLinks): Promise<OwnPlaces> {
  const others = await Promise.all(realPaths.map((path) => files.otherPlaces?.(path) ?? []));
  const ours = [...new Set([...realPaths, ...others.flat()].map(foldPath))];
  return {
    hold(realPath) {
      const path = foldPath(realPath);
      return ours.some((place) => isBelow(path, place));
    },
    areBelow(realPath) {
      const path = foldPath(realPath);
      return ours.some((place) => isBelow(place, path));
    },
    haveNameOf: (object) => links.include(object, realPaths),
  };
}

/**
 * The path as file systems see it that tell names apart least: without case, in one Unicode form, without what is not
 * seen. Nobody needs a file beside ours whose name differs in no more than that.
 */
export function foldPath(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what it looks for
  if (/^[\x00-\x7f]*$/.test(path)) return path.toLowerCase();
  return path
    .normalize('NFD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFD');
}

export interface OwnLinks {
  include(object: HeldObject, realPaths: readonly string[]): boolean | Promise<boolean>;
}

/** How long what was found is believed of objects that did not change since. */
const BELIEVED_MS = 30_000;
/** Clocks of file systems tick more slowly than ours, some once in two seconds. */
const TICK_MS = 2000;

/**
 * Which objects are ours by another name. Few objects have several names, and giving one a further name is a change of
 * it: so our files are looked through seldom, and still no link is missed.
 */
export function createOwnLinks(files: Ways): OwnLinks {
  let known: { readonly atMs: number; readonly found: Promise<ReadonlySet<string>> } | undefined;

  return {
    include({ kind, identity, names = 1, changedMs = Number.POSITIVE_INFINITY }, realPaths) {
      if (kind !== 'file' || names < 2 || identity === undefined || !files.linkedFiles) return false;
      const nowMs = Date.now();
      if (!known || changedMs > known.atMs - TICK_MS || nowMs - known.atMs > BELIEVED_MS) {
        known = { atMs: nowMs, found: files.linkedFiles(realPaths) };
      }
      return known.found.then((found) => found.has(identity));
    },
  };
}

/** Whether `path` is `folder` or below it, by whole segments. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
