/** Questions about paths that a plan of mounts asks; asked at once, for a command waits for the answers. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
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

/** Whether there is something at the path, or at what it leads to. */
export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** The folders above a path, the nearest first, `/` included. */
export function* parentsOf(path: string): Generator<string> {
  for (let place = dirname(path); ; place = dirname(place)) {
    yield place;
    if (place === '/') return;
  }
}
