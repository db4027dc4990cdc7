/**
 * Appends records to the log, under the lock of all who write it: data first, then the head file, and only then are
 * they acknowledged. Writes are synchronous: they end in the page cache in microseconds, where a round through the
 * thread pool costs ten times as much. Files are brought to the disk (fdatasync) when they are finished and when the
 * log is closed: kill -9 loses nothing that was acknowledged, a power failure may lose the last seconds.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { loadSecretKey } from '../state/secret-key.ts';
import type { AuditNote } from './audit-log.ts';
import { findPlace, type Known, type Place } from './find-place.ts';
import { fileName, firstRecord, HEAD_LENGTH, headPath, headText, KEY_NAME, listFiles } from './log-files.ts';
import { openProcessLock, type ProcessLock } from './process-lock.ts';
import { chain, type RecordBody, START, sealOf } from './record-format.ts';

export interface ChainWriterOptions {
  readonly directory: string;
  /** Folder of the key. */
  readonly stateDirectory: string;
  /** A file that is as long or as old gets no further records. */
  readonly maxFileBytes: number;
  readonly maxFileAgeSeconds: number;
  readonly keepFiles: number;
  /** What the log says about itself, as a record. */
  readonly noteBody: (note: AuditNote) => RecordBody;
}

export interface ChainWriter {
  /**
   * Resolves once all are in the file; either all of them are, or none. One call at a time.
   * @throws the system's error, or Failure `unavailable` for a key or a lock that cannot be had
   */
  append(bodies: readonly RecordBody[]): Promise<void>;
  /** Brings what was written to the disk. */
  close(): Promise<void>;
}

/** A log that is open for writing. */
interface OpenLog {
  readonly head: number;
  /** Tells the head file from another of its name. */
  readonly headInode: number;
  headText: string;
  /** Turn of the lock in which it was last seen to be as it was left. */
  turn: number;
  /** The current file; -1 for none. */
  file: number;
  place: Place;
}

const NEW_FILE = constants.O_CREAT | constants.O_EXCL;
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;

/** How long the lock is waited for, milliseconds: only a process that was stopped or hangs keeps it that long. */
const PATIENCE_MS = 3000;
/** The same once it was waited for in vain: not every call is to be late. */
const IMPATIENCE_MS = 50;

export function createChainWriter(options: ChainWriterOptions): ChainWriter {
  const { directory, stateDirectory, keepFiles, noteBody } = options;
  let key: KeyObject | undefined;
  let keyWasKnown = false;
  let lock: ProcessLock | undefined;
  let log: OpenLog | undefined;
  /** Outlives a log that was lost. */
  let known: Known | undefined;
  /** What was set aside and is not recorded yet: the folder does not show it a second time. */
  let unsaid: readonly AuditNote[] = [];
  let patience = PATIENCE_MS;
  const finishing = new Set<Promise<void>>();
  const path = (number: number) => join(directory, fileName(number));

  async function append(bodies: readonly RecordBody[]): Promise<void> {
    try {
      key ??= await loadKey();
      lock ??= makeLock();
      let turn = await lock.hold(patience);
      if (log && log.turn !== turn && !isAsLeft(log)) {
        // The folder may be another one now, and then so is its lock.
        closeAll();
        lock = makeLock();
        turn = await lock.hold(patience);
      }
      log ??= openLog(key);
      log.turn = turn;
      write(log, bodies, key);
      patience = PATIENCE_MS;
    } catch (error) {
      if (error instanceof Failure) patience = IMPATIENCE_MS;
      // Whatever the folder holds now, the next attempt looks at it anew.
      closeAll();
      throw error;
    }
  }

  async function loadKey(): Promise<KeyObject> {
    keyWasKnown = existsSync(join(stateDirectory, KEY_NAME));
    return createSecretKey(await loadSecretKey(stateDirectory, KEY_NAME));
  }

  function makeLock(): ProcessLock {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return openProcessLock(directory);
  }

  function isAsLeft({ head, headInode, headText: text, file, place }: OpenLog): boolean {
    if (statSync(headPath(directory), { throwIfNoEntry: false })?.ino !== headInode) return false;
    const bytes = Buffer.allocUnsafe(HEAD_LENGTH);
    readSync(head, bytes, 0, HEAD_LENGTH, 0);
    if (bytes.toString('latin1') !== text) return false;
    const { size, nlink } = fstatSync(file);
    return size === place.bytes && nlink > 0;
  }

  function openLog(sealing: KeyObject): OpenLog {
    const place = findPlace(directory, sealing, known);
    unsaid = [...unsaid, ...place.setAside];
    const head = openSync(headPath(directory), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      return { head, headInode: fstatSync(head).ino, headText: '', turn: 0, file: openFile(head, place, sealing), place };
    } catch (error) {
      closeSync(head);
      throw error;
    }
  }

  /** The current file; -1 for none. */
  function openFile(head: number, place: Place, sealing: KeyObject): number {
    // From the first moment there is a head: records without one were tampered with.
    if (place.highest === 0 && place.damage === undefined) {
      writeHead(head, headText({ ...START, file: fileName(1), bytes: 0, mac: sealOf('', sealing).head }));
    }
    return place.current === undefined ? -1 : openSync(path(place.current), APPEND);
  }

  /** All in one turn of the event loop, so under the lock. */
  function write(to: OpenLog, bodies: readonly RecordBody[], sealing: KeyObject): void {
    const { place } = to;
    const begins = place.current === undefined || isFull(place, options);
    const number = begins ? place.highest + 1 : place.highest;
    const superfluous = begins ? toRemove() : [];
    const found = place.damage ? [...unsaid, place.damage] : unsaid;
    const notes = [...(begins ? [fileNote(number)] : []), ...found, ...superfluous.map(removedNote)];
    const all = notes.length > 0 ? [...notes.map(noteBody), ...bodies] : bodies;
    const chained = chain(place.position, all, sealing);
    const data = Buffer.from(chained.text);
    const start = begins ? 0 : place.bytes;
    const bytes = start + data.length;
    const file = begins ? openSync(path(number), APPEND | NEW_FILE, 0o600) : to.file;
    const text = headText({ seq: chained.seq, hash: chained.hash, file: fileName(number), bytes, mac: chained.headSeal });
    try {
      writeAll(file, data);
      writeHead(to.head, text);
    } catch (error) {
      takeBack(file, start, begins ? path(number) : undefined);
      throw error;
    }
    if (begins && to.file !== -1) finish(to.file);
    to.file = file;
    to.headText = text;
    const position = { seq: chained.seq, hash: chained.hash };
    to.place = { position, current: number, highest: number, bytes, since: begins ? Date.now() : place.since, setAside: [] };
    unsaid = [];
    known = to.place;
    // Only now that the log says so.
    for (const each of superfluous) for (const end of ['', '.torn']) rmSync(path(each) + end, { force: true });
  }

  /** The oldest files, as many as there are too many with the new one. */
  function toRemove(): number[] {
    const files = listFiles(directory);
    return files.slice(0, Math.max(0, files.length + 1 - keepFiles));
  }

  function fileNote(number: number): AuditNote {
    const previous = number === 1 ? null : fileName(number - 1);
    return { event: 'file', file: fileName(number), previous, ...(number === 1 && { key: keyWasKnown ? 'known' : 'new' }) };
  }

  function removedNote(number: number): AuditNote {
    const next = firstRecord(path(number + 1));
    // The newest file has none after it yet, but the record that is written follows its last.
    const last = next ? { seq: next.seq - 1, hash: next.prev } : log?.place.position;
    return { event: 'removed', file: fileName(number), last_seq: last?.seq ?? null, last_hash: last?.hash ?? null };
  }

  /** Brings a file that is written to no more to the disk, while calls go on. */
  function finish(file: number): void {
    const done: Promise<void> = new Promise<void>((resolve) => fdatasync(file, () => resolve())).then(() => {
      closeSync(file);
      finishing.delete(done);
    });
    finishing.add(done);
  }

  function closeAll(): void {
    for (const each of log ? [log.file, log.head] : []) if (each !== -1) closeSync(each);
    log = undefined;
    lock?.close();
    lock = undefined;
  }

  return {
    append,
    async close() {
      lock?.close();
      lock = undefined;
      if (log) for (const each of [log.file, log.head]) finish(each);
      log = undefined;
      await Promise.all(finishing);
    },
  };
}

function isFull({ bytes, since }: Place, { maxFileBytes, maxFileAgeSeconds }: ChainWriterOptions): boolean {
  return bytes >= maxFileBytes || Date.now() - since >= maxFileAgeSeconds * 1000;
}

/** On a full disk a write may end early, and only the next one fails. */
function writeAll(file: number, data: Uint8Array): void {
  for (let done = 0; done < data.length; ) done += writeSync(file, data, done);
}

function writeHead(head: number, text: string): void {
  writeSync(head, Buffer.from(text, 'latin1'), 0, HEAD_LENGTH, 0);
}

/** Undoes a write that failed. What cannot be undone was not acknowledged, and is found when the log is next opened. */
function takeBack(file: number, start: number, created: string | undefined): void {
  try {
    ftruncateSync(file, start);
    if (created !== undefined) rmSync(created, { force: true });
  } catch {
    // It stays behind the head.
  } finally {
    if (created !== undefined) closeSync(file);
  }
}
