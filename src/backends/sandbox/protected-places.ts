/** Where `PROTECTED_NAMES` are, or could be made, in the folders that a command may write. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROTECTED_NAMES, type ProtectedName } from './protected-names.ts';
import { entryAt } from './real-paths.ts';

export interface ProtectedPlace {
  /** Absolute. */
  readonly path: string;
  readonly name: ProtectedName;
}

/** How deep below a writable folder repositories are looked for: the folder itself is 0. */
const DEPTH = 2;
/** Folders looked at in one writable folder, and repositories protected in it: commands must start fast. */
const MAX_FOLDERS = 300;
const MAX_REPOSITORIES = 16;
/** Never looked into: full of folders, and repositories in them are nobody's work. */
const SKIPPED = new Set(['node_modules', '.git', '.venv', 'venv', 'target', 'vendor', 'dist', 'build', '__pycache__']);

/** @param root a writable folder, real @param home the home directory, real */
export function protectedPlaces(root: string, home: string): ProtectedPlace[] {
  const repositories = gitFolders(root);
  return PROTECTED_NAMES.flatMap((name) => {
    const folders = name.below === 'root' ? [root] : name.below === 'home' ? [home] : repositories;
    return folders.map((folder) => ({ path: join(folder, name.path), name }));
  });
}

/** The folders git keeps repositories in (`.git`, and those of submodules in it), nearest first. */
function gitFolders(root: string): string[] {
  const found: string[] = [];
  let folders = [root];
  let looked = 0;
  for (let depth = 0; depth <= DEPTH; depth++) {
    const next: string[] = [];
    for (const folder of folders) {
      if (++looked > MAX_FOLDERS || found.length >= MAX_REPOSITORIES) return found;
      if (entryAt(join(folder, '.git'))?.isDirectory())
        found.push(join(folder, '.git'), ...moduleFolders(join(folder, '.git', 'modules'), 0));
      if (depth < DEPTH)
        next.push(
          ...foldersIn(folder)
            .filter((name) => !SKIPPED.has(name))
            .map((name) => join(folder, name)),
        );
    }
    folders = next;
  }
  return found;
}

/** Names of submodules may hold slashes. */
function moduleFolders(folder: string, depth: number): string[] {
  return foldersIn(folder).flatMap((name) => {
    const path = join(folder, name);
    if (entryAt(join(path, 'HEAD'))) return [path, ...moduleFolders(join(path, 'modules'), 0)];
    return depth < DEPTH ? moduleFolders(path, depth + 1) : [];
  });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
