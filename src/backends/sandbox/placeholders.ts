/**
 * Empty files and folders at places that commands must not fill: only what exists can be mounted over. They are
 * removed with the last command that needs them, as long as nothing has been put into them from outside.
 *
 * What is removed is no longer mounted over in any sandbox. So every command that relies on a folder keeps an empty
 * one of its own in it (git does not see those), whichever thread or process started it: a folder with something in it
 * cannot be removed.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export interface Place {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** What a file holds while it keeps its place. */
  readonly content: string;
}

/**
 * Makes what is missing, outer folders before what is in them.
 * @returns the call that removes it again, once
 */
export function occupy(places: readonly Place[]): () => void {
  const leaves = places.flatMap((place) => (place.kind === 'folder' ? takeFolder(place.path) : takeFile(place)) ?? []);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    for (const leave of leaves.toReversed()) leave();
  };
}

const MARKER = /^\.mcp-python-(\d+)-[\da-f-]{36}$/;
/** For how long that of a process that is gone counts: a command may have outlived it. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;
const TRIES = 10;

/** Whether a folder is only there because commands rely on it. */
export function isPlaceholder(folder: string): boolean {
  return markersIn(folder).length > 0;
}

/** @returns undefined when it was there before, or cannot be made by us and so by no command either */
function takeFolder(path: string): (() => void) | undefined {
  const marker = `.mcp-python-${process.pid}-${randomUUID()}`;
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      if (!existsSync(path)) makeWith(marker, path);
      else if (isPlaceholder(path)) mkdirSync(join(path, marker), { mode: 0o700 });
      else return undefined;
      return () => leaveFolder(path, marker);
    } catch (thrown) {
      // It came or went in between.
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    }
  }
  return undefined;
}

/** In one step, so that nobody finds it without a marker. */
function makeWith(marker: string, path: string): void {
  const made = `${path}${marker}`;
  mkdirSync(made, { mode: 0o755 });
  try {
    mkdirSync(join(made, marker), { mode: 0o700 });
    renameSync(made, path);
  } catch (thrown) {
    rmSync(made, { recursive: true, force: true });
    throw thrown;
  }
}

function leaveFolder(path: string, marker: string): void {
  try {
    // A command may have removed it from a folder around what it must not fill.
    if (existsSync(join(path, marker))) rmdirSync(join(path, marker));
    for (const other of markersIn(path)) if (isForgotten(join(path, other), other)) rmdirSync(join(path, other));
    // Fails when something is in it.
    rmdirSync(path);
  } catch {
    // Others rely on it, or somebody has made it theirs.
  }
}

function markersIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => MARKER.test(name));
  } catch {
    return [];
  }
}

function isForgotten(path: string, marker: string): boolean {
  const pid = Number(MARKER.exec(marker)?.[1]);
  return !existsSync(`/proc/${pid}`) && Date.now() - statSync(path).mtimeMs > FORGOTTEN_MS;
}

interface OccupiedFile {
  users: number;
  readonly inode: bigint;
}

/** By path; commands of this thread that run at once share them. */
const occupied = new Map<string, OccupiedFile>();

/** Like `takeFolder`. Only in home directories that may be written there are such files. */
function takeFile(place: Place): (() => void) | undefined {
  const { path, content } = place;
  const known = occupied.get(path);
  if (known && inodeOf(path) === known.inode) {
    known.users++;
    return () => leaveFile(place);
  }
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o644 });
  } catch {
    return undefined;
  }
  occupied.set(path, { users: 1, inode: inodeOf(path) ?? 0n });
  return () => leaveFile(place);
}

function leaveFile({ path, content }: Place): void {
  const known = occupied.get(path);
  if (!known || --known.users > 0) return;
  occupied.delete(path);
  try {
    if (inodeOf(path) === known.inode && readFileSync(path, 'utf8') === content) unlinkSync(path);
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
