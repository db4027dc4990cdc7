/** Looks whether a log is whole and as it was written. It only reads, and writers may go on meanwhile. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadSecretKey } from '../state/secret-key.ts';
import { type ChainOrder, createChainOrder } from './chain-order.ts';
import { type Finding, problem, recordsText, warning } from './findings.ts';
import { fileName, firstRecord, type Head, KEY_NAME, type Line, linesOf, listFiles, noLog, readHead } from './log-files.ts';
import { isIntact, isSealed, type Position, type ReadRecord, readRecord, START, sealOf } from './record-format.ts';

export interface VerifyOptions {
  readonly directory: string;
  /** Folder of the key; without a key there, seals are not checked. */
  readonly stateDirectory: string;
  /** A record that was noted elsewhere and has to be in the log. */
  readonly anchor?: Position | undefined;
}

export interface Verification {
  /** Whether there is no problem; there may be warnings. */
  readonly intact: boolean;
  readonly files: number;
  readonly records: number;
  /** Number of the oldest record that is there; 0 for none. */
  readonly first: number;
  /** The newest record: noted elsewhere, it tells later whether all of the log up to it is still the same. */
  readonly head: Position;
  /** In the order of the log; no more than 1,000. */
  readonly findings: readonly Finding[];
}

const MAX_FINDINGS = 1000;

/** Facts gathered on the way. */
interface Walk {
  readonly order: ChainOrder;
  readonly found: Finding[];
  /** Files that `removed` records name, with the hash of their last record; null where it could not be read. */
  readonly removed: Map<string, unknown>;
  /** Ranges of records that are known to be in missing files. */
  readonly missing: [number, number][];
  /** The record that the head file names, and its half of the seal for that file. */
  named?: { readonly hash: string; readonly headMac: string | undefined };
  /** Newest record that is sealed with our key. */
  sealed: number;
  anchored: string | undefined;
  records: number;
}

/**
 * Verifies all of a log.
 * @throws Failure `not_found` where there is none, and the system's error for what cannot be read
 */
export async function verifyLog({ directory, stateDirectory, anchor }: VerifyOptions): Promise<Verification> {
  const hasKey = existsSync(join(stateDirectory, KEY_NAME));
  const key = hasKey ? createSecretKey(await loadSecretKey(stateDirectory, KEY_NAME)) : undefined;
  // Before anything else: all that it names was there already.
  const head = readHead(directory);
  const files = listFiles(directory);
  if (files.length === 0 && head === undefined) throw noLog(directory, stateDirectory);
  const oldest = files[0] === undefined ? undefined : firstRecord(join(directory, fileName(files[0])));
  const start = files[0] === 1 || !oldest ? START : { seq: oldest.seq - 1, hash: oldest.prev };
  const walk: Walk = {
    order: createChainOrder(start),
    found: [],
    removed: new Map(),
    missing: [],
    sealed: 0,
    anchored: undefined,
    records: 0,
  };
  const headSeq = typeof head === 'object' ? head.seq : 0;
  let before = files[0] === undefined ? 0 : files[0] - 1;
  let unended: Line | undefined;
  for (const number of files) {
    if (number !== before + 1) noteMissing(walk, directory, before + 1, number);
    before = number;
    unended = walkFile(walk, directory, number, { key, headSeq, anchor, isLast: number === files.at(-1) });
  }
  if (files[0] !== undefined && files[0] > 1) checkOldest(walk, files[0], oldest);
  await checkEnd(walk, directory, head, { key, file: files.at(-1), unended });
  if (anchor) checkAnchor(walk, anchor, start.seq + 1);
  if (!key) walk.found.push(warning('unchecked', {}, `seals were not checked: there is no ${KEY_NAME} in ${stateDirectory}`));
  const explained = (from: number, to: number) => walk.missing.some(([first, last]) => first <= from && to <= last);
  const findings = inOrder([...walk.found, ...walk.order.findings(explained)]);
  return {
    intact: findings.every(({ severity }) => severity === 'warning'),
    files: files.length,
    records: walk.records,
    first: oldest?.seq ?? 0,
    head: walk.order.last(),
    findings: findings.slice(0, MAX_FINDINGS),
  };
}

function noteMissing({ order, found, missing }: Walk, directory: string, from: number, next: number): void {
  const after = firstRecord(join(directory, fileName(next)));
  const first = order.last().seq + 1;
  const last = (after?.seq ?? first) - 1;
  missing.push([first, last]);
  const text = last >= first ? `, with ${recordsText(first, last)}` : '';
  for (let number = from; number < next; number++) {
    found.push(problem('missing_file', { file: fileName(number), seq: first }, `the file is missing${text}`));
  }
}

interface FileContext {
  readonly key: KeyObject | undefined;
  readonly headSeq: number;
  readonly anchor: Position | undefined;
  readonly isLast: boolean;
}

/** @returns the last line of the last file, where it has no end */
function walkFile(walk: Walk, directory: string, number: number, context: FileContext): Line | undefined {
  const { order, found } = walk;
  const { key, headSeq, anchor } = context;
  const file = fileName(number);
  let foreign = false;
  for (const line of linesOf(join(directory, file))) {
    if (!line.complete && context.isLast) return { ...line, bytes: Buffer.from(line.bytes) };
    const record = readRecord(line.bytes);
    if (!record) {
      order.unreadable(file, line.number);
      continue;
    }
    const place = { file, line: line.number, seq: record.seq };
    const named = record.fields.file;
    if (line.number === 1 && record.fields.event === 'file' && named !== file) {
      foreign = true;
      found.push(
        problem('swapped_file', place, `the file is ${named} by its first record: it was renamed or put in another's place`),
      );
    } else if (line.number === 1 && record.fields.event !== 'file') {
      found.push(problem('removed', place, 'the file does not begin with the record that names it'));
    }
    walk.records++;
    order.follow(record, place, foreign);
    if (key && record.mac !== undefined && isIntact(record)) {
      if (isSealed(record, key)) walk.sealed = record.seq;
      else found.push(problem('forged', place, 'the seal was not made with our key'));
    }
    takeNote(walk, record, place);
    if (anchor?.seq === record.seq) walk.anchored = record.hash;
    if (record.seq !== headSeq) continue;
    walk.named = { hash: record.hash, headMac: key && record.macBytes && sealOf(record.macBytes, key).head };
  }
  return undefined;
}

/** What the log says about itself. */
function takeNote({ removed, found }: Walk, { fields }: ReadRecord, place: { file: string; line: number; seq: number }): void {
  const { event } = fields;
  if (event === 'removed') removed.set(String(fields.file), fields.last_hash);
  else if (event === 'gap') {
    found.push(warning('gap', place, `${fields.lost} records since ${fields.since} could not be written: ${fields.reason}`));
  } else if (event === 'recovered') {
    const text = `${fields.bytes} bytes that a killed process had not finished were set aside in ${fields.kept_in}`;
    found.push(warning('unfinished', place, text));
  } else if (event === 'damage') {
    found.push(problem('damage', place, `the log was not as it had been left when it was opened: ${fields.what}`));
  } else if (event === 'file' && fields.key === 'known') {
    found.push(
      warning('unchecked', place, 'the log begins here, and its key is older: one before it was removed, or is elsewhere'),
    );
  }
}

/** The files before the oldest one may be missing only if the log removed them itself. */
function checkOldest({ removed, found }: Walk, oldest: number, first: ReadRecord | undefined): void {
  const before = fileName(oldest - 1);
  const hash = removed.get(before);
  if (removed.has(before) && (hash === null || hash === first?.prev)) return;
  const text = first ? `, with the records before ${first.seq}` : '';
  found.push(problem('missing_file', { file: before }, `the file is missing${text}, and no record says that it was removed`));
}

interface End {
  readonly key: KeyObject | undefined;
  /** Number of the last file. */
  readonly file: number | undefined;
  readonly unended: Line | undefined;
}

/** Whether the log ends where the head file says. */
async function checkEnd(walk: Walk, directory: string, head: Head | 'damaged' | undefined, end: End): Promise<void> {
  const { order, found, named } = walk;
  const file = end.file === undefined ? '' : fileName(end.file);
  if (typeof head !== 'object') {
    const message = head === undefined ? 'the head file is missing' : 'the head file cannot be read';
    found.push(problem('head', { file: 'head.json' }, `${message}: whether the end of the log was cut off cannot be told`));
    return;
  }
  const last = order.last().seq;
  const line = end.unended;
  const cutLine = line && file === head.file && line.end - line.bytes.length < head.bytes;
  if (head.seq > last) {
    const message = `${recordsText(last + 1, head.seq)}, the newest by the head file, are missing: the end was cut off`;
    found.push(problem('cut', { file, seq: last + 1, ...(cutLine && { line: line.number }) }, message));
    return;
  }
  if (named && named.hash !== head.hash) {
    found.push(problem('head', { file: 'head.json', seq: head.seq }, `the head file names another record ${head.seq}`));
  } else if (end.key && (head.seq === 0 ? sealOf('', end.key).head : named?.headMac) !== head.mac) {
    found.push(problem('forged', { file: 'head.json', seq: head.seq }, 'the head file was not made with our key'));
  }
  await checkUnfinished(walk, directory, head, file, line);
}

/** Beyond the head is only what a killed process left, or what is being written just now. */
async function checkUnfinished(walk: Walk, directory: string, head: Head, file: string, line?: Line): Promise<void> {
  const { found, sealed } = walk;
  const last = walk.order.last().seq;
  let now = head.seq;
  for (let tries = 0; tries < 5; tries++) {
    const newest = readHead(directory);
    if (typeof newest === 'object') now = Math.max(now, newest.seq);
    if (line ? now > last : now >= last) return;
    await pause(20);
  }
  if (last > now) {
    const how = sealed > now ? 'sealed, but' : 'not sealed and';
    const message = `${recordsText(now + 1, last)} are ${how} not in the head file: a process was killed before it acknowledged them, or somebody added them`;
    found.push(warning('unfinished', { file, seq: now + 1 }, message));
  }
  if (line) {
    const message = 'the last line is not finished: a process was killed while it wrote, and had not acknowledged it';
    found.push(warning('unfinished', { file, line: line.number }, message));
  }
}

function checkAnchor({ anchored, order, found }: Walk, { seq, hash }: Position, first: number): void {
  if (anchored === hash) return;
  if (seq < first)
    found.push(warning('anchor', { seq }, `record ${seq} is older than the log that is kept: it cannot be compared`));
  else if (anchored !== undefined)
    found.push(problem('anchor', { seq }, `record ${seq} has another hash than was noted: ${anchored}`));
  else found.push(problem('anchor', { seq }, `record ${seq} is not in the log, which ends with ${order.last().seq}`));
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const place = ({ file = '~', line = 0 }: Finding) => `${file} ${String(line).padStart(12, '0')}`;
  return findings.toSorted((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
}
