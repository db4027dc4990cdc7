import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type IgnoreRules, loadIgnoreRules, NO_RULES } from './ignore-rules.ts';
import type { SearchRoot } from './native-search-root.ts';

/** Folders whose files are windows into the kernel: reading them can block for ever or mean something. */
const KERNEL_FOLDERS: ReadonlySet<string> = new Set(['/proc', '/sys', '/dev']);
/** Folders listed ahead of the one being visited. */
const LOOKAHEAD = 8;

export interface WalkedFile {
  /** Relative to the searched folder. */
  readonly path: string;
  /** False for symbolic links, which are named but not followed, and for devices, FIFOs and sockets. */
  readonly regular: boolean;
}

/**
 * Every file below a folder that the ignore rules leave and that is not concealed, ordered by path (UTF-16 code
 * units). Symbolic links are never followed. Folders that cannot be read are passed over.
 */
export async function* walkFiles(
  root: SearchRoot,
  { hidden, respectIgnores }: { readonly hidden: boolean; readonly respectIgnores: boolean },
  signal: AbortSignal,
): AsyncGenerator<WalkedFile> {
  async function* visit(prefix: string, listing: Promise<Dirent[]>, outer: IgnoreRules): AsyncGenerator<WalkedFile> {
    const entries = await listing;
    signal.throwIfAborted();
    const folder = join(root.realPath, prefix);
    const names = new Set(entries.map(({ name }) => name));
    const rules = prefix === '' ? outer : await outer.enter(folder, names);
    const kept = entries
      .filter((entry) => (hidden || !entry.name.startsWith('.')) && !(respectIgnores && entry.name === '.git'))
      .map((entry) => ({ entry, key: entry.isDirectory() ? `${entry.name}/` : entry.name }))
      .filter(({ entry, key }) => !rules.ignores(join(folder, entry.name), key.endsWith('/')) && !isKernelFolder(folder, entry))
      .filter(({ entry }) => !root.conceals(prefix + entry.name))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const folders = kept.filter(({ entry }) => entry.isDirectory()).map(({ entry }) => prefix + entry.name);
    const ahead: Promise<Dirent[]>[] = [];
    let entered = 0;
    for (const { entry } of kept) {
      if (!entry.isDirectory()) {
        yield { path: prefix + entry.name, regular: entry.isFile() };
        continue;
      }
      while (ahead.length < Math.min(folders.length, entered + LOOKAHEAD))
        ahead.push(list(root, folders[ahead.length] as string));
      yield* visit(`${prefix}${entry.name}/`, ahead[entered] as Promise<Dirent[]>, rules);
      // A list of a large folder is not kept longer than it is needed.
      delete ahead[entered];
      entered += 1;
    }
  }

  const rules = respectIgnores ? await loadIgnoreRules(root.realPath) : NO_RULES;
  yield* visit('', list(root, ''), rules);
}

async function list(root: SearchRoot, path: string): Promise<Dirent[]> {
  using folder = await root.hold(path, { folder: true });
  return folder ? await readdir(folder.path, { withFileTypes: true }).catch(() => []) : [];
}

function isKernelFolder(parent: string, entry: Dirent): boolean {
  return parent === '/' && KERNEL_FOLDERS.has(`/${entry.name}`);
}
