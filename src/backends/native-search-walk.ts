import { setImmediate as others } from 'node:timers/promises';
import { type IgnoreRules, loadIgnoreRules, NO_RULES } from './ignore-rules.ts';
import { type EntryKey, isFolder, isOther, nameOf, sortedEntries } from './native-search-entries.ts';
import type { SearchRoot } from './native-search-root.ts';

/** Folders whose files are windows into the kernel: reading them can block for ever or mean something. */
const KERNEL_FOLDERS: ReadonlySet<string> = new Set(['/proc', '/sys', '/dev']);
/** Folders listed ahead of the one being visited. */
const LOOKAHEAD = 8;
/** Entries passed without letting others run. */
const AT_ONCE = 4096;

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
  const above = root.realPath === '/' ? '' : root.realPath;

  async function* visit(prefix: string, listing: Promise<EntryKey[]>, outer: IgnoreRules): AsyncGenerator<WalkedFile> {
    const keys = await listing;
    const place = `${above}/${prefix}`;
    const rules = prefix === '' ? outer : await outer.enter(place.slice(0, -1), new Set(keys.filter(hasRules).map(nameOf)));

    function isKept(key: EntryKey): boolean {
      if (key.startsWith('.') && (!hidden || (respectIgnores && nameOf(key) === '.git'))) return false;
      const path = place + nameOf(key);
      return !rules.ignores(path, isFolder(key)) && !KERNEL_FOLDERS.has(path) && !root.conceals(path);
    }

    const ahead: { readonly key: EntryKey; readonly listing: Promise<EntryKey[]> }[] = [];
    let scanned = 0;
    function lookAhead(): void {
      for (; scanned < keys.length && ahead.length < LOOKAHEAD; scanned++) {
        const key = keys[scanned] as EntryKey;
        if (!isFolder(key) || !isKept(key)) continue;
        ahead.push({ key, listing: list(prefix + nameOf(key)) });
      }
    }

    for (const [index, key] of keys.entries()) {
      if (index % AT_ONCE === 0) {
        signal.throwIfAborted();
        if (index > 0) await others();
      }
      if (!isFolder(key)) {
        if (isKept(key)) yield { path: prefix + nameOf(key), regular: !isOther(key) };
        continue;
      }
      lookAhead();
      if (ahead[0]?.key !== key) continue;
      const next = ahead.shift();
      if (next) yield* visit(prefix + key, next.listing, rules);
    }
  }

  function list(path: string): Promise<EntryKey[]> {
    const entries = sortedEntries(root, path, signal);
    // Lists that are not waited for when a search ends early.
    entries.catch(() => {});
    return entries;
  }

  yield* visit('', list(''), respectIgnores ? await loadIgnoreRules(root.realPath) : NO_RULES);
}

const RULE_FILES: ReadonlySet<EntryKey> = new Set(['.git', '.git/', '.gitignore', '.ignore']);
const hasRules = (key: EntryKey) => RULE_FILES.has(key);
