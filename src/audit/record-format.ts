/**
 * The bytes of the audit log. One record a line, UTF-8, JSON without blanks:
 *
 *     {"seq":N,"when":"…","prev":"…", the entry's fields [,"mac":"…"],"hash":"…"}
 *
 * - `seq` counts from 1 over all files without a gap. `when` is UTC in milliseconds (RFC 3339).
 * - `hash` is the SHA-256, 64 hexadecimal digits, of the bytes of the line before `,"hash":"` as they stand.
 * - `prev` is the `hash` of the record before, 64 zeros in the first: who changes a record must change all after it.
 * - `mac` is in the last record of every write: the first 32 hexadecimal digits of the HMAC-SHA-256 (RFC 2104) of the
 *   bytes of the line before `,"mac":"`, with the 32 bytes of `audit.key` as key: who has no key can add no record that
 *   passes. The other 32 digits are in the head file, `head.json`, which names the newest record: who has no key can
 *   neither make a head for a log whose tail is cut off, nor take one from the records.
 *
 * Nothing needs a parser: within a JSON string a quotation mark is escaped, so both marks are found in one place only.
 */
import { createHash, createHmac, hash, type KeyObject } from 'node:crypto';

/** `prev` of the first record. */
export const NO_HASH = '0'.repeat(64);

/** A place in the chain: the record that the next one follows. */
export interface Position {
  readonly seq: number;
  readonly hash: string;
}

export const START: Position = { seq: 0, hash: NO_HASH };

/** What is written of an entry: its time, and its fields as JSON without the braces. */
export interface RecordBody {
  /** RFC 3339, UTC, milliseconds. */
  readonly when: string;
  readonly fields: string;
}

/** Both halves of the HMAC over the beginning of a line: one for the record, one for the head file. */
export interface Seal {
  readonly record: string;
  readonly head: string;
}

const MAC_DIGITS = 32;

export function sealOf(bytes: string | Uint8Array, key: KeyObject): Seal {
  const digits = createHmac('sha256', key).update(bytes).digest('hex');
  return { record: digits.slice(0, MAC_DIGITS), head: digits.slice(MAC_DIGITS) };
}

/** The lines of one write, where the chain is after it, and what the head file then says. */
export interface Chained extends Position {
  readonly text: string;
  readonly headSeal: string;
}

/** Chains records to the one at `position`. @param bodies one or more */
export function chain(position: Position, bodies: readonly RecordBody[], key: KeyObject): Chained {
  let { seq, hash: previous } = position;
  let text = '';
  let headSeal = '';
  const last = bodies.length - 1;
  for (let index = 0; index <= last; index++) {
    const { when, fields } = bodies[index] as RecordBody;
    let line = `{"seq":${++seq},"when":"${when}","prev":"${previous}",${fields}`;
    if (index === last) {
      const seal = sealOf(line, key);
      headSeal = seal.head;
      line += `,"mac":"${seal.record}"`;
    }
    previous = hash('sha256', line, 'hex');
    text += `${line},"hash":"${previous}"}\n`;
  }
  return { seq, hash: previous, text, headSeal };
}

/** A line as it was read. */
export interface ReadRecord extends Position {
  readonly prev: string;
  readonly when: string;
  /** Hash of the bytes, which is `hash` unless they were changed. */
  readonly actual: string;
  readonly mac?: string;
  /** The bytes that `mac` is made over. */
  readonly macBytes?: Uint8Array;
  /** All fields, those of the chain too. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const HASH_END = /,"hash":"([0-9a-f]{64})"\}$/;
const HASH_LENGTH = ',"hash":""}'.length + 64;
const MAC_END = /,"mac":"([0-9a-f]{32})"$/;
const MAC_LENGTH = ',"mac":""'.length + MAC_DIGITS;

/** Reads a line, without its line end; undefined for what is no record at all. */
export function readRecord(line: Uint8Array): ReadRecord | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const [, claimed] = HASH_END.exec(bytes.toString('latin1', Math.max(0, bytes.length - HASH_LENGTH))) ?? [];
  if (claimed === undefined) return undefined;
  const fields = parse(bytes);
  if (!fields) return undefined;
  const { seq, prev, when } = fields;
  if (!Number.isSafeInteger(seq) || typeof prev !== 'string' || typeof when !== 'string') return undefined;
  const hashed = bytes.subarray(0, bytes.length - HASH_LENGTH);
  const [, mac] = MAC_END.exec(hashed.toString('latin1', Math.max(0, hashed.length - MAC_LENGTH))) ?? [];
  return {
    seq: seq as number,
    hash: claimed,
    prev,
    when,
    actual: createHash('sha256').update(hashed).digest('hex'),
    ...(mac === undefined ? {} : { mac, macBytes: hashed.subarray(0, hashed.length - MAC_LENGTH) }),
    fields,
  };
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function isIntact({ hash: claimed, actual }: ReadRecord): boolean {
  return claimed === actual;
}

/** Whether a record was written by somebody who has the key; false for one without a `mac`. */
export function isSealed({ mac, macBytes }: ReadRecord, key: KeyObject): boolean {
  return macBytes !== undefined && sealOf(macBytes, key).record === mac;
}
