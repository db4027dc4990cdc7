/** The API keys as a running server sees them: what `keys create` and `keys revoke` did counts from the next request on. */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { type ApiKey, isKeyFile, isUsable, readKeyRecord } from './key-record.ts';

export interface KeyLookup {
  /**
   * The key of this id as it is on the disk now; undefined when there is none (any more). Reads synchronously, mostly
   * no more than the state of one file.
   * @throws Failure `unavailable` when the folder cannot be read
   */
  find(id: string): ApiKey | undefined;
  /** How many keys have not expired. @throws Failure `unavailable` */
  countUsable(): number;
}

interface Known {
  readonly key: ApiKey;
  readonly path: string;
  readonly seen: Seen;
}

/** A file or folder as it was when it was read. */
interface Seen {
  readonly inode: number;
  readonly changedMs: number;
  readonly size: number;
  /** Read long enough after its last change that another one would show: file systems' clocks tick every few milliseconds. */
  readonly settled: boolean;
}

const SETTLED_AFTER_MS = 100;

/** @param folder where the keys' files lie, see `keysFolder`; it need not exist yet */
export function createKeyLookup(folder: string): KeyLookup {
  let keys = new Map<string, Known>();
  let folderSeen: Seen | undefined;

  function readAll(): void {
    // Looked at first: what changes while we read makes it differ the next time.
    folderSeen = look(folder);
    const read = new Map<string, Known>();
    for (const entry of folderSeen ? readdirSync(folder, { withFileTypes: true }) : []) {
      if (!entry.isFile() || !isKeyFile(entry.name)) continue;
      const path = join(folder, entry.name);
      const seen = look(path);
      const key = seen && readKeyFile(path, entry.name);
      if (key) read.set(key.id, { key, path, seen });
    }
    keys = read;
  }

  return {
    find(id) {
      try {
        const known = keys.get(id);
        if (known ? !isSame(known.path, known.seen) : !isSame(folder, folderSeen)) readAll();
        return keys.get(id)?.key;
      } catch (cause) {
        throw unreadable(folder, cause);
      }
    },
    countUsable() {
      try {
        readAll();
      } catch (cause) {
        throw unreadable(folder, cause);
      }
      const nowMs = Date.now();
      return [...keys.values()].filter(({ key }) => isUsable(key, nowMs)).length;
    },
  };
}

function readKeyFile(path: string, name: string): ApiKey | undefined {
  try {
    return readKeyRecord(readFileSync(path, 'utf8'), name);
  } catch {
    // Revoked this moment, or not for us to read: no key either way.
    return undefined;
  }
}

function look(path: string): Seen | undefined {
  const found: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return (
    found && {
      inode: found.ino,
      changedMs: found.ctimeMs,
      size: found.size,
      settled: Date.now() - found.ctimeMs > SETTLED_AFTER_MS,
    }
  );
}

function isSame(path: string, seen: Seen | undefined): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || !seen) return !found && !seen;
  return seen.settled && found.ino === seen.inode && found.ctimeMs === seen.changedMs && found.size === seen.size;
}

function unreadable(folder: string, cause: unknown): Failure {
  return new Failure('unavailable', `The API keys in ${folder} cannot be read.`, {
    hint: 'Make the folder readable for the user that the server runs as.',
    cause,
  });
}
