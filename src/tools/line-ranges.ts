/**
 * Lines of a file of any size, found by reading it in pieces: heads stop early, tails are read backwards, and a line
 * far inside is reached in constant memory.
 */
export interface ByteSource {
  /** Bytes when it was opened; 0 for files that are made as they are read. */
  readonly size: number;
  /** Up to `length` bytes at `position`; shorter only at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
}

export interface LineRangeRequest {
  /** 1-based first line; negative counts from the end. */
  readonly offset: number;
  /** Lines at most. */
  readonly limit: number;
  /** Bytes at most; only a single line longer than this is cut. */
  readonly maxBytes: number;
  /** Bytes of a code unit: 2 for UTF-16LE, whose line feed is `0A 00`. */
  readonly unit: 1 | 2;
}

export interface LineRange {
  /** Whole lines with their endings, or the beginning of one very long line. */
  readonly bytes: Buffer;
  /** Position of the first byte. */
  readonly start: number;
  /** Undefined for the tail of a file too large to count its lines. */
  readonly firstLine: number | undefined;
  readonly lineCount: number;
  /** The one line returned goes on. */
  readonly lineCut: boolean;
  /** Why a tail is shorter than asked for: a hole comes before it, or its beginning is too far from the end to look for. */
  readonly cutBefore: 'hole' | 'reach' | undefined;
  /** How many lines before the end the first one is, for a tail. */
  readonly fromEnd: number | undefined;
  /** Nothing comes after these lines. */
  readonly atEnd: boolean;
  /** Known when the end was reached from the beginning. */
  readonly totalLines: number | undefined;
}

const SCAN_BYTES = 1024 * 1024;
const READ_BYTES = 64 * 1024;
/** Up to here the lines before a tail are counted, so that it can be named by line numbers. */
const COUNTED_BYTES = 16 * 1024 * 1024;
/** How far from the end the beginning of a tail is looked for: a file may hold gigabytes without a line feed. */
const TAIL_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** @throws the signal's reason when it is aborted between two reads */
export async function readLineRange(source: ByteSource, request: LineRangeRequest, signal: AbortSignal): Promise<LineRange> {
  const start =
    request.offset < 0 ? await tailStart(source, -request.offset, request, signal) : await lineStart(source, request, signal);
  const { bytes, lineCut } = await readLines(source, start.position, request, signal);
  const { lines, unfinished } = countLines(bytes, request.unit);
  const lineCount = lines + (unfinished ? 1 : 0);
  const atEnd = !lineCut && (await source.read(start.position + bytes.length, 1)).length === 0;
  return {
    bytes,
    start: start.position,
    firstLine: start.line,
    lineCount,
    lineCut,
    cutBefore: start.cutBefore,
    fromEnd: start.fromEnd,
    atEnd,
    totalLines: atEnd && start.line !== undefined ? start.line - 1 + lineCount : undefined,
  };
}

interface Start {
  readonly position: number;
  readonly line: number | undefined;
  readonly fromEnd?: number;
  readonly cutBefore?: 'hole' | 'reach';
}

async function lineStart(source: ByteSource, { offset, unit }: LineRangeRequest, signal: AbortSignal): Promise<Start> {
  let line = 1;
  let lineBegin = 0;
  for (let position = 0; line < offset; ) {
    signal.throwIfAborted();
    const chunk = toBuffer(await source.read(position, SCAN_BYTES));
    for (let at = feedAfter(chunk, 0, unit); at >= 0; at = feedAfter(chunk, at + unit, unit)) {
      line += 1;
      lineBegin = position + at + unit;
      if (line === offset) return { position: lineBegin, line };
    }
    position += chunk.length;
    // The end came first: there is no such line. A last line without an ending counts as one.
    if (isLast(source, chunk, SCAN_BYTES)) return { position, line: position > lineBegin ? line + 1 : line };
  }
  return { position: 0, line: 1 };
}

async function tailStart(
  source: ByteSource,
  lines: number,
  { unit, maxBytes }: LineRangeRequest,
  signal: AbortSignal,
): Promise<Start> {
  const size = source.size - (source.size % unit);
  const last = toBuffer(await source.read(Math.max(0, size - unit), unit));
  // The feed at the very end ends the last line; it does not begin another.
  let end = last.length === unit && feedAfter(last, 0, unit) === 0 ? size - unit : size;
  let left = lines;
  let earliest: number | undefined;
  while (end > 0) {
    signal.throwIfAborted();
    if (size - end > TAIL_BYTES) {
      return withinReach(source, { size, earliest, found: lines - left, maxBytes, unit });
    }
    const start = Math.max(0, end - SCAN_BYTES);
    const chunk = toBuffer(await source.read(start, end - start));
    for (let at = feedBefore(chunk, chunk.length, unit); at >= 0; at = feedBefore(chunk, at, unit)) {
      left -= 1;
      earliest = start + at + unit;
      if (left === 0) return { ...(await numbered(source, earliest, unit, signal)), fromEnd: lines };
    }
    end = start;
  }
  return { position: 0, line: 1 };
}

/** The tail that there is when its beginning is out of reach: whole lines, or the end of a very long one. */
async function withinReach(
  source: ByteSource,
  tail: {
    readonly size: number;
    /** Where the earliest whole line that was found begins. */
    readonly earliest: number | undefined;
    readonly found: number;
    readonly maxBytes: number;
    readonly unit: 1 | 2;
  },
): Promise<Start> {
  const { size, earliest, found, maxBytes, unit } = tail;
  const hole = unit === 1 ? await holeEnd(source, earliest ?? size) : undefined;
  if (hole !== undefined) return { position: hole, line: undefined, fromEnd: found + 1, cutBefore: 'hole' };
  if (earliest !== undefined) return { position: earliest, line: undefined, fromEnd: found, cutBefore: 'reach' };
  const position = await characterStart(source, size - maxBytes + unit, unit);
  return { position, line: undefined, fromEnd: 1, cutBefore: 'reach' };
}

/**
 * Where the line before `end` begins after a hole, which reads as NUL bytes: a log that was emptied while its writer
 * went on. Undefined when there is none near, or nothing after it.
 */
async function holeEnd(source: ByteSource, end: number): Promise<number | undefined> {
  const start = Math.max(0, end - READ_BYTES);
  const nul = toBuffer(await source.read(start, end - start)).lastIndexOf(0);
  const position = start + nul + 1;
  return nul === -1 || position >= end - 1 ? undefined : position;
}

/** The first position from `position` on that is not inside a UTF-8 character. */
async function characterStart(source: ByteSource, position: number, unit: 1 | 2): Promise<number> {
  if (unit === 2) return position - (position % 2);
  const next = toBuffer(await source.read(position, 3));
  const inside = next.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return position + Math.max(0, inside);
}

async function numbered(source: ByteSource, position: number, unit: 1 | 2, signal: AbortSignal): Promise<Start> {
  if (position > COUNTED_BYTES) return { position, line: undefined };
  let line = 1;
  for (let at = 0; at < position; at += SCAN_BYTES) {
    signal.throwIfAborted();
    line += countLines(toBuffer(await source.read(at, Math.min(SCAN_BYTES, position - at))), unit).lines;
  }
  return { position, line };
}

async function readLines(
  source: ByteSource,
  start: number,
  { limit, maxBytes, unit }: LineRangeRequest,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; lineCut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  let lines = 0;
  // End of the last whole line within what is allowed.
  let wholeLines = 0;
  for (;;) {
    signal.throwIfAborted();
    const wanted = Math.min(READ_BYTES, maxBytes + unit - length);
    const chunk = toBuffer(await source.read(start + length, wanted));
    chunks.push(chunk);
    for (let at = feedAfter(chunk, 0, unit); at >= 0; at = feedAfter(chunk, at + unit, unit)) {
      const end = length + at + unit;
      if (end > maxBytes) break;
      wholeLines = end;
      lines += 1;
      if (lines === limit) return { bytes: Buffer.concat(chunks).subarray(0, end), lineCut: false };
    }
    length += chunk.length;
    if (length > maxBytes) {
      const bytes = Buffer.concat(chunks);
      if (wholeLines > 0) return { bytes: bytes.subarray(0, wholeLines), lineCut: false };
      return { bytes: bytes.subarray(0, characterBorder(bytes, maxBytes, unit)), lineCut: true };
    }
    if (isLast(source, chunk, wanted)) return { bytes: Buffer.concat(chunks), lineCut: false };
  }
}

/** Files made as they are read (size 0) may come in shorter pieces before their end. */
function isLast(source: ByteSource, chunk: Buffer, wanted: number): boolean {
  return chunk.length === 0 || (source.size > 0 && chunk.length < wanted);
}

/** The largest position up to `end` that is not inside a character (UTF-8, or UTF-16LE surrogate pair). */
function characterBorder(bytes: Buffer, end: number, unit: 1 | 2): number {
  if (unit === 2) {
    const even = end - (end % 2);
    const leadsPair = even >= 2 && ((bytes[even - 1] ?? 0) & 0xfc) === 0xd8;
    return leadsPair ? even - 2 : even;
  }
  let border = end;
  while (border > end - 4 && border > 0 && ((bytes[border] ?? 0) & 0xc0) === 0x80) border -= 1;
  return ((bytes[border] ?? 0) & 0xc0) === 0x80 ? end : border;
}

function countLines(bytes: Buffer, unit: 1 | 2): { lines: number; unfinished: boolean } {
  let lines = 0;
  let end = 0;
  for (let at = feedAfter(bytes, 0, unit); at >= 0; at = feedAfter(bytes, end, unit)) {
    lines += 1;
    end = at + unit;
  }
  return { lines, unfinished: end < bytes.length };
}

function feedAfter(chunk: Buffer, from: number, unit: 1 | 2): number {
  let at = chunk.indexOf(LINE_FEED, Math.max(0, from));
  while (unit === 2 && at >= 0 && !isWideFeed(chunk, at)) at = chunk.indexOf(LINE_FEED, at + 1);
  return at;
}

function feedBefore(chunk: Buffer, before: number, unit: 1 | 2): number {
  if (before <= 0) return -1;
  let at = chunk.lastIndexOf(LINE_FEED, before - 1);
  while (unit === 2 && at >= 0 && !isWideFeed(chunk, at)) at = at === 0 ? -1 : chunk.lastIndexOf(LINE_FEED, at - 1);
  return at;
}

function isWideFeed(chunk: Buffer, at: number): boolean {
  return at % 2 === 0 && chunk[at + 1] === 0;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
