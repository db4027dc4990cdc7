import type { FileHandle } from 'node:fs/promises';
import { type CandidateLine, MAX_LINE_BYTES } from './line-matcher.ts';
import { heldObject } from './native-files-info.ts';
import type { SearchRoot } from './native-search-root.ts';

/** A file with a NUL among its first bytes is binary and not searched. */
const BINARY_CHECK_BYTES = 8192;
const CHUNK_BYTES = 256 * 1024;
/** Lines are handed on when this many characters of them have come together. */
const BATCH_CHARACTERS = 256 * 1024;
/** Files opened ahead of the one being read. */
const AHEAD = 8;
const LINE_FEED = 0x0a;

/** Opens a file that was a regular one when it was listed; undefined when it no longer is, or may not or cannot be read. */
async function openRegular(root: SearchRoot, path: string): Promise<{ file: FileHandle; size: number } | undefined> {
  using held = await root.hold(path);
  const stats = await held?.stats();
  if (!held || !stats?.isFile() || (await root.judge.conceals(heldObject(held.realPath, stats)))) return undefined;
  const file = await held.open().catch(() => undefined);
  return file && { file, size: Number(stats.size) };
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A file to be searched as text, opened: it can be read, and its beginning has no NUL. Undefined for others. */
export async function openTextFile(
  root: SearchRoot,
  path: string,
  beginningBytes: number,
): Promise<{ file: FileHandle; beginning: Buffer } | undefined> {
  const opened = await openRegular(root, path);
  if (!opened) return undefined;
  const { file } = opened;
  const beginning = await read(file, 0, Math.max(beginningBytes, BINARY_CHECK_BYTES)).catch(() => undefined);
  if (beginning && !beginning.subarray(0, BINARY_CHECK_BYTES).includes(0)) return { file, beginning };
  await file.close();
  return undefined;
}

/** A line as it is matched and shown: without its ending, and without the mark some editors put before the first one. */
export function cleanLine(text: string, line: number): string {
  const start = line === 1 && text.startsWith('\uFEFF') ? 1 : 0;
  return text.slice(start, text.endsWith('\r') ? -1 : undefined);
}

/** All lines of the text files among `paths`, in their order, in batches. */
export async function* readAllLines(
  root: SearchRoot,
  paths: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<readonly CandidateLine[]> {
  let batch: CandidateLine[] = [];
  let characters = 0;
  for await (const text of openAhead(root, paths)) {
    for await (const lines of readLines(text, signal)) {
      for (const line of lines) {
        batch.push(line);
        characters += line.text.length;
      }
      if (characters < BATCH_CHARACTERS) continue;
      yield batch;
      batch = [];
      characters = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

interface OpenText {
  readonly path: string;
  readonly beginning: Buffer;
  readonly size: number;
  /** Undefined when the beginning is all. */
  readonly file: FileHandle | undefined;
}

/** Text files with their first bytes, in the order of `paths`; several are being opened while one is read. */
async function* openAhead(root: SearchRoot, paths: AsyncIterable<string>): AsyncGenerator<OpenText> {
  const waiting: Promise<OpenText | undefined>[] = [];
  async function* next(): AsyncGenerator<OpenText> {
    const text = await waiting[0];
    waiting.shift();
    if (!text) return;
    try {
      yield text;
    } finally {
      await text.file?.close();
    }
  }
  try {
    for await (const path of paths) {
      waiting.push(openText(root, path));
      if (waiting.length > AHEAD) yield* next();
    }
    while (waiting.length > 0) yield* next();
  } finally {
    for (const text of waiting) await (await text)?.file?.close();
  }
}

async function openText(root: SearchRoot, path: string): Promise<OpenText | undefined> {
  const opened = await openRegular(root, path).catch(() => undefined);
  if (!opened) return undefined;
  const { file, size } = opened;
  const beginning = await read(file, 0, Math.min(size, CHUNK_BYTES)).catch(() => Buffer.alloc(0));
  const text = !beginning.subarray(0, BINARY_CHECK_BYTES).includes(0);
  const whole = beginning.length >= size;
  if (!text || whole) await file.close();
  return text ? { path, beginning, size, file: whole ? undefined : file } : undefined;
}

/** The lines of one file, chunk by chunk; of a very long line only its beginning. */
async function* readLines(text: OpenText, signal: AbortSignal): AsyncGenerator<CandidateLine[]> {
  let line = 1;
  // The beginning of a line whose end has not been read yet.
  let unfinished: Buffer = Buffer.alloc(0);
  let chunk = text.beginning;
  for (let position = chunk.length; chunk.length > 0; position += chunk.length) {
    signal.throwIfAborted();
    const end = chunk.lastIndexOf(LINE_FEED);
    if (end >= 0) {
      const complete = Buffer.concat([unfinished, chunk.subarray(0, end)]).toString('utf8');
      const found: CandidateLine[] = [];
      for (const each of complete.split('\n')) {
        found.push({ path: text.path, line, text: cleanLine(each, line) });
        line += 1;
      }
      yield found;
      unfinished = chunk.subarray(end + 1, end + 1 + MAX_LINE_BYTES);
    } else if (unfinished.length < MAX_LINE_BYTES) {
      unfinished = Buffer.concat([unfinished, chunk.subarray(0, MAX_LINE_BYTES - unfinished.length)]);
    }
    chunk = text.file && position < text.size ? await read(text.file, position, CHUNK_BYTES) : Buffer.alloc(0);
  }
  if (unfinished.length > 0) yield [{ path: text.path, line, text: cleanLine(unfinished.toString('utf8'), line) }];
}
