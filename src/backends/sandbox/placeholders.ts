/**
 * Empty files and folders at places that commands must not fill: only what exists can be mounted over. They are
 * removed with the last command that needs them, as long as nothing has been put into them from outside.
 */
import { lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';

export interface Place {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** What a file holds while it keeps its place. */
  readonly content: string;
}

interface Occupied {
  users: number;
  readonly inode: bigint;
}

/** By path; commands that run at once share them. */
const occupied = new Map<string, Occupied>();

/**
 * Makes what is missing, outer folders before what is in them.
 * @returns the call that removes it again, once
 */
export function occupy(places: readonly Place[]): () => void {
  const taken = places.filter(take);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    for (const place of taken.toReversed()) leave(place);
  };
}

/** @returns false when it was there before, or cannot be made by us and so by no command either */
function take({ path, kind, content }: Place): boolean {
  const known = occupied.get(path);
  if (known && inodeOf(path) === known.inode) {
    known.users++;
    return true;
  }
  try {
    if (kind === 'folder') mkdirSync(path, { mode: 0o755 });
    else writeFileSync(path, content, { flag: 'wx', mode: 0o644 });
  } catch {
    return false;
  }
  occupied.set(path, { users: 1, inode: inodeOf(path) ?? 0n });
  return true;
}

function leave({ path, kind, content }: Place): void {
  const known = occupied.get(path);
  if (!known || --known.users > 0) return;
  occupied.delete(path);
  try {
    if (inodeOf(path) !== known.inode) return;
    // Fails when something is in it.
    if (kind === 'folder') rmdirSync(path);
    else if (readFileSync(path, 'utf8') === content) unlinkSync(path);
  } catch {
    // Somebody has made it theirs.
  }
}

/** Removes what must not be left behind, as far as we can. */
export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The command could not have made it either.
    }
  }
}

function inodeOf(path: string): bigint | undefined {
  try {
    return lstatSync(path, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
