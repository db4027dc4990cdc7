/** The folder of the audit log: numbered files, the head file, and reading them line by line. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { type Position, type ReadRecord, readRecord } from './record-format.ts';

/** Name of the key in the state folder; 32 random bytes. */
export const KEY_NAME = 'audit.key';

const FILE_NAME = /^audit-(\d{8,15})\.jsonl$/;

/** Name of the file of this number, counted from 1. */
export function fileName(number: number): string {
  return `audit-${String(number).padStart(8, '0')}.jsonl`;
}

/** Number in a file's name; undefined for a name that is none of ours. */
export function fileNumber(name: string): number | undefined {
  const [, digits] = FILE_NAME.exec(name) ?? [];
  return digits === undefined || fileName(Number(digits)) !== name ? undefined : Number(digits);
}

/** Numbers of the files that are there, oldest first; none where there is no folder. @throws the system's error */
export function listFiles(directory: string): number[] {
  try {
    const numbers = readdirSync(directory).map(fileNumber);
    return numbers.filter((each) => each !== undefined).sort((one, other) => one - other);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** For who asks for a log that is not there. */
export function noLog(directory: string, stateDirectory: string): Failure {
  return new Failure('not_found', `There is no audit log in ${directory}.`, {
    hint: existsSync(join(stateDirectory, KEY_NAME))
      ? 'Its key is there, so there was one: it was removed, or `audit.directory` was another.'
      : 'It begins with the first call. Is this the configuration of the server?',
  });
}

/** What the head file says: the newest record, the file it is in, and that file's length up to and with it. */
export interface Head extends Position {
  readonly file: string;
  readonly bytes: number;
  /** Second half of the seal of that record. */
  readonly mac: string;
}

export function headPath(directory: string): string {
  return join(directory, 'head.json');
}

/** Always as long as this, so that it can be written over in place. Bytes. */
export const HEAD_LENGTH = 256;

export function headText({ seq, hash, file, bytes, mac }: Head): string {
  return `${JSON.stringify({ seq, hash, file, bytes, mac }).padEnd(HEAD_LENGTH - 1)}\n`;
}

/** The head in the text of a head file; undefined for one that is none. */
export function parseHead(text: string): Head | undefined {
  try {
    const head = JSON.parse(text) as Head;
    const whole =
      Number.isSafeInteger(head.seq) &&
      Number.isSafeInteger(head.bytes) &&
      fileNumber(head.file) !== undefined &&
      /^[0-9a-f]{64}$/.test(head.hash) &&
      /^[0-9a-f]{32}$/.test(head.mac);
    return whole ? head : undefined;
  } catch {
    return undefined;
  }
}

/** The head, `damaged`, or undefined where there is none. A reader that meets a writer may read it half: it looks again. */
export function readHead(directory: string): Head | 'damaged' | undefined {
  for (let tries = 0; ; tries++) {
    try {
      const head = parseHead(readFileSync(headPath(directory), 'latin1'));
      if (head) return head;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    if (tries === 10) return 'damaged';
  }
}

export interface Line {
  /** Without the line end. Valid until the next line is asked for. */
  readonly bytes: Buffer;
  /** Counted from 1. */
  readonly number: number;
  /** Of the first byte after the line, line end included. */
  readonly end: number;
  /** False for a last line without its line end. */
  readonly complete: boolean;
}

const CHUNK = 1024 * 1024;

/** The lines of a file from an offset on. @throws the system's error */
export function* linesOf(path: string, from = 0): Generator<Line> {
  const fd = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    let position = from;
    let end = from;
    let number = 0;
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const read = readSync(fd, chunk, 0, CHUNK, position);
      position += read;
      const text = rest.length === 0 ? chunk.subarray(0, read) : Buffer.concat([rest, chunk.subarray(0, read)]);
      let start = 0;
      for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, start)) {
        end += at + 1 - start;
        yield { bytes: text.subarray(start, at), number: ++number, end, complete: true };
        start = at + 1;
      }
      rest = Buffer.from(text.subarray(start));
      if (read === 0) break;
    }
    if (rest.length > 0) yield { bytes: rest, number: ++number, end: end + rest.length, complete: false };
  } finally {
    closeSync(fd);
  }
}

/** The first record of a file; undefined where it has none, or is not there. */
export function firstRecord(path: string): ReadRecord | undefined {
  try {
    for (const { bytes, complete } of linesOf(path)) return complete ? readRecord(bytes) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return undefined;
}

/** The line that ends at this offset, without its line end; undefined where no line ends there. */
export function lineEndingAt(path: string, end: number): Buffer | undefined {
  const fd = openSync(path, 'r');
  try {
    for (let length = Math.min(end, 64 * 1024); length > 0; length = Math.min(end, length * 4)) {
      const bytes = Buffer.allocUnsafe(length);
      if (readSync(fd, bytes, 0, length, end - length) !== length || bytes[length - 1] !== 10) return undefined;
      const start = bytes.lastIndexOf(10, length - 2);
      if (start !== -1 || length === end) return bytes.subarray(start + 1, length - 1);
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}
