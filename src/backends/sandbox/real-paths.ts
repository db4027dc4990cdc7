/** Questions about paths that a plan of mounts asks; asked at once, for a command waits for the answers. */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The path with every link resolved; parts at the end that do not exist are kept as they are. */
export function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}

/** Whether there is something at the path, or at what it leads to, that we get to. */
export function exists(path: string): boolean {
  return look(statSync, path) !== undefined;
}

export function isFolder(path: string): boolean {
  return look(statSync, path)?.isDirectory() ?? false;
}

/** What is at the path itself; undefined where there is nothing that we get to. */
export function entryAt(path: string): Stats | undefined {
  return look(lstatSync, path);
}

export function isLink(path: string): boolean {
  return entryAt(path)?.isSymbolicLink() ?? false;
}

/** A missing one is no exception: those take far longer. */
function look(how: typeof statSync, path: string): Stats | undefined {
  try {
    return how(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The folders above a path, the nearest first, `/` included. */
export function* parentsOf(path: string): Generator<string> {
  for (let place = dirname(path); ; place = dirname(place)) {
    yield place;
    if (place === '/') return;
  }
}
