/** Finding records, oldest first, without holding more of the log in memory than is asked for. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileName, linesOf, listFiles } from './log-files.ts';

/** A record as it stands in the log. */
export interface LoggedRecord {
  /** Its line, without the line end. */
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** All that is given must fit. */
export interface Query {
  /** RFC 3339, UTC, milliseconds: not before, and before. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Id or name. */
  readonly principal?: string | undefined;
  readonly tool?: string | undefined;
  readonly event?: string | undefined;
  readonly verdict?: string | undefined;
  readonly backend?: string | undefined;
  /** UUID of a call, or its beginning. */
  readonly task?: string | undefined;
  /** Text in any value, in upper or lower case. */
  readonly text?: string | undefined;
}

/** The records of a log that fit. @throws the system's error */
export function* findRecords(directory: string, query: Query = {}): Generator<LoggedRecord> {
  const fits = matcher(query);
  for (const number of listFiles(directory)) {
    for (const { bytes, complete } of linesOf(join(directory, fileName(number)))) {
      const record = complete ? fits(bytes.toString()) : undefined;
      if (record) yield record;
    }
  }
}

/** The last of what there is. @param limit undefined for all */
export function* lastOf<T>(all: Iterable<T>, limit: number | undefined): Generator<T> {
  if (limit === undefined) {
    yield* all;
    return;
  }
  let kept: T[] = [];
  for (const each of all) {
    kept.push(each);
    if (kept.length >= limit * 2 + 1024) kept = kept.slice(kept.length - limit);
  }
  yield* kept.slice(Math.max(0, kept.length - limit));
}

/** Where reading goes on. */
export interface Bookmark {
  readonly file: number;
  readonly bytes: number;
}

const CHUNK = 64 * 1024;

/** The newest records, read from the end, and where they end. */
export function newestRecords(directory: string, count: number): { records: LoggedRecord[]; end: Bookmark } {
  const files = listFiles(directory);
  const file = files.at(-1) ?? 1;
  const lines: string[] = [];
  let bytes = 0;
  for (const number of files.toReversed()) {
    const { taken, end } = lastLines(join(directory, fileName(number)), count - lines.length);
    lines.unshift(...taken);
    if (number === file) bytes = end;
    if (lines.length >= count) break;
  }
  const fits = matcher({});
  return { records: lines.map(fits).filter((each) => each !== undefined), end: { file, bytes } };
}

/** The last complete lines of a file, and the offset after them. */
function lastLines(path: string, count: number): { taken: string[]; end: number } {
  const fd = openSync(path, 'r');
  try {
    let start = fstatSync(fd).size;
    let text = Buffer.alloc(0);
    const whole = () => text.lastIndexOf(10) + 1;
    // One line end more than lines: the one before the first of them.
    while (start > 0 && countLineEnds(text) <= count) {
      const length = Math.min(CHUNK, start);
      const chunk = Buffer.alloc(length);
      start -= length;
      readSync(fd, chunk, 0, length, start);
      text = Buffer.concat([chunk, text]);
    }
    const lines = text.subarray(0, whole()).toString().split('\n').slice(0, -1);
    return { taken: count > 0 ? lines.slice(-count) : [], end: start + whole() };
  } finally {
    closeSync(fd);
  }
}

function countLineEnds(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) count++;
  return count;
}

/** How often a log is looked at for new records, milliseconds. */
const LOOK_MS = 200;

/** Records as they are written, over all files to come, until aborted. */
export async function* followRecords(
  directory: string,
  from: Bookmark,
  query: Query,
  signal: AbortSignal,
): AsyncGenerator<LoggedRecord> {
  const fits = matcher(query);
  let { file, bytes } = from;
  while (!signal.aborted) {
    // Before it is read to its end: then no more came into this file once there is a next one.
    const next = listFiles(directory).find((number) => number > file);
    for (const { bytes: line, complete, end } of newLines(join(directory, fileName(file)), bytes)) {
      if (!complete) break;
      bytes = end;
      const record = fits(line.toString());
      if (record) yield record;
      if (signal.aborted) return;
    }
    if (next !== undefined) {
      file = next;
      bytes = 0;
    } else await pause(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** None while the file is not there. */
function* newLines(path: string, from: number): ReturnType<typeof linesOf> {
  try {
    yield* linesOf(path, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Reads a line, when it fits. */
function matcher(query: Query): (line: string) => LoggedRecord | undefined {
  const { since, until, principal, task, text } = query;
  const exact = (['tool', 'event', 'verdict', 'backend'] as const).filter((name) => query[name] !== undefined);
  const searched = text?.toLowerCase();
  return (line) => {
    // Most lines need not be parsed to see that they do not fit; no value can look like a field.
    const when = WHEN.exec(line)?.[1] ?? '';
    if ((since !== undefined && when < since) || (until !== undefined && when >= until)) return undefined;
    if (exact.some((name) => !line.includes(`"${name}":${JSON.stringify(query[name])}`))) return undefined;
    const fields = parse(line);
    if (!fields) return undefined;
    if (exact.some((name) => fields[name] !== query[name])) return undefined;
    if (principal !== undefined && fields.principal !== principal && fields.principal_name !== principal) return undefined;
    if (task !== undefined && !(typeof fields.task === 'string' && fields.task.startsWith(task))) return undefined;
    if (searched !== undefined && !Object.values(fields).some((value) => holds(value, searched))) return undefined;
    return { text: line, fields };
  };
}

const WHEN = /^\{"seq":\d+,"when":"([^"]*)"/;

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function holds(value: unknown, searched: string): boolean {
  if (Array.isArray(value)) return value.some((each) => holds(each, searched));
  return String(value).toLowerCase().includes(searched);
}
