/** Where the log goes on: after the newest record, or in a new file when the log is not as it was left. */

import type { KeyObject } from 'node:crypto';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditNote } from './audit-log.ts';
import { fileName, fileNumber, firstRecord, type Head, lineEndingAt, linesOf, listFiles, readHead } from './log-files.ts';
import { isIntact, isSealed, type Position, readRecord, START, sealOf } from './record-format.ts';

export interface Place {
  readonly position: Position;
  /** Number of the file that is written to; undefined when the next record begins a new one. */
  readonly current?: number;
  /** Highest number that was ever in use, as far as is known; 0 for none. */
  readonly highest: number;
  /** Length of the current file. */
  readonly bytes: number;
  /** When the current file was begun, milliseconds since 1970. */
  readonly since: number;
  /** What has to be recorded about it: what was set aside just now, and that the log was not as it was left. */
  readonly setAside: readonly AuditNote[];
  readonly damage?: AuditNote;
}

/** Where this process was when it last wrote. */
export type Known = Pick<Place, 'position' | 'highest'>;

/**
 * Looks at the folder; only for whoever holds the lock. What a killed process has left unfinished is set aside in a
 * file beside, never deleted.
 * @throws the system's error
 */
export function findPlace(directory: string, key: KeyObject, known: Known | undefined): Place {
  const files = listFiles(directory);
  const head = readHead(directory);
  if (head === undefined && files.length === 0 && known === undefined) return begin();
  const flaw = flawOf(directory, head, key, known);
  if (flaw !== undefined || typeof head !== 'object') return goOnAnew(directory, flaw ?? '', head, files, known);
  return adopt(directory, head, key, files);
}

function begin(): Place {
  return { position: START, highest: 0, bytes: 0, since: 0, setAside: [] };
}

function flawOf(directory: string, head: Head | 'damaged' | undefined, key: KeyObject, known?: Known): string | undefined {
  if (head === undefined) return 'the head file was gone';
  if (head === 'damaged') return 'the head file could not be read';
  if (known && head.seq < known.position.seq) {
    return `the head file named record ${head.seq}, and record ${known.position.seq} had been written`;
  }
  if (head.seq === 0) return sealOf('', key).head === head.mac ? undefined : 'the head file was not ours';
  const line = endingAt(join(directory, head.file), head.bytes);
  const record = line && readRecord(line);
  if (!record || !isIntact(record) || record.seq !== head.seq || record.hash !== head.hash || !record.macBytes) {
    return `record ${head.seq}, the newest by the head file, was not where it belongs in ${head.file}`;
  }
  return sealOf(record.macBytes, key).head === head.mac ? undefined : 'the head file was not made with our key';
}

function endingAt(path: string, end: number): Buffer | undefined {
  try {
    return lineEndingAt(path, end);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Nothing is repaired: the chain is continued from the newest place known, so that what lacks can be named. */
function goOnAnew(
  directory: string,
  what: string,
  head: Head | 'damaged' | undefined,
  files: readonly number[],
  known: Known | undefined,
): Place {
  const places: Position[] = [known?.position ?? START, ...(typeof head === 'object' ? [head] : []), newest(directory, files)];
  const position = places.reduce((best, each) => (each.seq > best.seq ? each : best));
  const named = typeof head === 'object' ? (fileNumber(head.file) ?? 0) : 0;
  return {
    position,
    highest: Math.max(files.at(-1) ?? 0, named, known?.highest ?? 0),
    bytes: 0,
    since: 0,
    setAside: [],
    damage: { event: 'damage', what },
  };
}

/** The last record of the last file that can be read. */
function newest(directory: string, files: readonly number[]): Position {
  let position: Position = START;
  const last = files.at(-1);
  if (last === undefined) return position;
  for (const { bytes, complete } of linesOf(join(directory, fileName(last)))) {
    const record = complete ? readRecord(bytes) : undefined;
    if (record) position = { seq: record.seq, hash: record.hash };
  }
  return position;
}

/** Takes over what a process wrote whole and was killed before the head file said so; sets aside what it did not. */
function adopt(directory: string, head: Head, key: KeyObject, files: readonly number[]): Place {
  const named = fileNumber(head.file) as number;
  let position: Position = head;
  let current: number | undefined;
  let bytes = 0;
  const aside: AuditNote[] = [];
  for (const number of files.filter((each) => each >= named)) {
    const path = join(directory, fileName(number));
    const taken = wholeWrites(path, number === named ? head.bytes : 0, position, key);
    const length = setAside(path, taken.end);
    const file = fileName(number);
    if (length > 0) aside.push({ event: 'recovered', file, bytes: length, kept_in: `${file}.torn` });
    if (taken.end === 0) continue;
    position = taken.position;
    current = number;
    bytes = taken.end;
  }
  const begun = current === undefined ? undefined : firstRecord(join(directory, fileName(current)));
  return {
    position: { seq: position.seq, hash: position.hash },
    ...(current === undefined ? {} : { current }),
    highest: current ?? named - 1,
    bytes,
    since: Date.parse(begun?.when ?? '') || 0,
    setAside: aside,
  };
}

/** How far a file goes on from the position with writes that are whole: the last record of each is sealed. */
function wholeWrites(path: string, from: number, start: Position, key: KeyObject): { position: Position; end: number } {
  let whole = { position: start, end: from };
  let last = start;
  for (const { bytes, complete, end } of linesOf(path, from)) {
    const record = complete ? readRecord(bytes) : undefined;
    if (!record || !isIntact(record) || record.seq !== last.seq + 1 || record.prev !== last.hash) break;
    last = { seq: record.seq, hash: record.hash };
    if (record.mac === undefined) continue;
    if (!isSealed(record, key)) break;
    whole = { position: last, end };
  }
  return whole;
}

/** Moves what a file holds after `end` to a file beside it. @returns how many bytes */
function setAside(path: string, end: number): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const length = fstatSync(fd).size - end;
    if (length > 0) {
      const rest = Buffer.alloc(length);
      readSync(fd, rest, 0, length, end);
      const aside = openSync(
        `${path}.torn`,
        constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
        0o600,
      );
      try {
        for (let done = 0; done < length; ) done += writeSync(aside, rest, done);
      } finally {
        closeSync(aside);
      }
      ftruncateSync(fd, end);
    }
    if (end === 0) unlinkSync(path);
    return Math.max(0, length);
  } finally {
    closeSync(fd);
  }
}
