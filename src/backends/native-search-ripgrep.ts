import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, type FileHandle, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type CandidateLine, MAX_LINE_BYTES } from './line-matcher.ts';
import { cleanLine, openTextFile } from './native-search-lines.ts';
import type { SearchRoot } from './native-search-root.ts';

/** Files of one ripgrep process: few at first, so that answers come soon, then many. */
const FIRST_BATCH_FILES = 64;
const MAX_BATCH_FILES = 2048;
/** Bytes of paths on one command line, far below what systems take. */
const MAX_BATCH_BYTES = 256 * 1024;
/** Processes that work ahead of the one being read. */
const AHEAD = 3;
const MAX_STDERR = 4096;
/** Bytes read at once of a file in which lines were found. */
const WINDOW_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
const COLON = 0x3a;

/** Ripgrep did not do the work (too old, pattern too large for it, killed): search without it. */
export class RipgrepUnusable extends Error {
  override readonly name = 'RipgrepUnusable';
}

/** Absolute path of ripgrep on the server's own PATH, or null. */
export async function findRipgrep(path = process.env.PATH ?? ''): Promise<string | null> {
  for (const folder of path.split(':')) {
    if (!isAbsolute(folder)) continue;
    const program = join(folder, 'rg');
    const usable = await access(program, constants.X_OK).then(
      () => stat(program).then((info) => info.isFile()),
      () => false,
    );
    if (usable) return program;
  }
  return null;
}

/**
 * Lines of the files in `paths` that ripgrep thinks match, in the order of the files, in batches.
 * Ripgrep gets files by name and is told to take each as the bytes it is: which files are looked at, and what counts
 * as binary, is decided here, the same as without it. A name can become a link to somewhere else before ripgrep opens
 * it, so what it finds is believed only where the file that we hold has the same bytes at the same place.
 * @throws RipgrepUnusable
 */
export async function* ripgrepLines(
  program: string,
  pattern: string,
  root: SearchRoot,
  paths: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<readonly CandidateLine[]> {
  const running: RunningRipgrep[] = [];
  const killAll = () => {
    for (const { child } of running) child.kill('SIGKILL');
  };
  signal.addEventListener('abort', killAll, { once: true });
  try {
    for await (const batch of batches(paths)) {
      signal.throwIfAborted();
      running.push(start(program, pattern, root.path, batch));
      if (running.length > AHEAD) yield* finish(running, root, signal);
    }
    while (running.length > 0) yield* finish(running, root, signal);
  } finally {
    signal.removeEventListener('abort', killAll);
    killAll();
  }
}

interface RunningRipgrep {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  /** Undefined for a normal end, otherwise what went wrong. */
  readonly ended: Promise<string | undefined>;
}

function start(program: string, pattern: string, directory: string, files: readonly string[]): RunningRipgrep {
  const child = spawn(
    program,
    [
      ...['--no-config', '--no-messages', '--no-mmap', '--color=never', '--no-heading', '--null', '--line-number'],
      // One thread: results come in the order of the files, and a slow reader holds the search back.
      ...['--byte-offset', '--with-filename', '--text', '--encoding=none', '--threads=1', `--regexp=${pattern}`, '--'],
      // With ./ in front no name is an option, nor standard input.
      ...files.map((file) => `./${file}`),
    ],
    { cwd: directory, env: {}, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < MAX_STDERR) stderr += chunk.toString('utf8');
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killedBy) => {
      if (killedBy) resolve(`ended by ${killedBy}`);
      // 2 without a message: some file could not be read, which is passed over here as well.
      else resolve(code === 0 || code === 1 || (code === 2 && stderr === '') ? undefined : stderr);
    });
  });
  // Node throws away what nobody has begun to read when a process exits; this one is read when its turn comes.
  return { child, stdout: child.stdout.pipe(new PassThrough()), ended };
}

/** Reads the oldest process to its end and takes it off the list. */
async function* finish(
  running: RunningRipgrep[],
  root: SearchRoot,
  signal: AbortSignal,
): AsyncGenerator<readonly CandidateLine[]> {
  const oldest = running[0] as RunningRipgrep;
  yield* readMatches(oldest.stdout, root);
  const problem = await oldest.ended;
  running.shift();
  signal.throwIfAborted();
  if (problem !== undefined) throw new RipgrepUnusable(problem);
}

/** Reads `path NUL line : offset : text LF` records. */
async function* readMatches(stdout: AsyncIterable<Buffer>, root: SearchRoot): AsyncGenerator<readonly CandidateLine[]> {
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  const files = createHeldTexts(root);

  async function toLine(record: Buffer): Promise<CandidateLine | undefined> {
    const nul = record.indexOf(0);
    const first = record.indexOf(COLON, nul);
    const second = record.indexOf(COLON, first + 1);
    const path = record.toString('utf8', 2, nul);
    const [line, offset] = [[nul, first] as const, [first, second] as const].map(([from, to]) =>
      Number(record.toString('latin1', from + 1, to)),
    ) as [number, number];
    const text = record.subarray(second + 1, second + 1 + MAX_LINE_BYTES);
    if (!(await files.hasAt(path, offset, text))) return undefined;
    return { path, line, text: cleanLine(text.toString('utf8'), line) };
  }

  try {
    for await (const chunk of stdout) {
      const data: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const lines: CandidateLine[] = [];
      let from = 0;
      for (let end = recordEnd(data, from, skipping); end >= 0; end = recordEnd(data, from, skipping)) {
        const line = skipping ? undefined : await toLine(data.subarray(from, end));
        if (line) lines.push(line);
        skipping = false;
        from = end + 1;
      }
      rest = data.subarray(from);
      if (skipping) {
        rest = Buffer.alloc(0);
      } else if (rest.length > 2 * MAX_LINE_BYTES && rest.includes(0)) {
        // A line without an end in sight: its beginning is all that is looked at.
        const line = await toLine(rest);
        if (line) lines.push(line);
        skipping = true;
        rest = Buffer.alloc(0);
      }
      if (lines.length > 0) yield lines;
    }
  } finally {
    await files.close();
  }
}

/** The text files that lines were found in, one after the other. */
function createHeldTexts(root: SearchRoot) {
  let path: string | undefined;
  let file: FileHandle | undefined;
  let window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };

  async function close(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.close();
  }

  async function read(offset: number, length: number): Promise<Buffer> {
    const within = offset - window.start;
    if (within < 0 || within + length > window.bytes.length) {
      const buffer = Buffer.allocUnsafe(Math.max(length, WINDOW_BYTES));
      const { bytesRead = 0 } = (await file?.read(buffer, 0, buffer.length, offset).catch(() => undefined)) ?? {};
      window = { start: offset, bytes: buffer.subarray(0, bytesRead) };
      return window.bytes.subarray(0, length);
    }
    return window.bytes.subarray(within, within + length);
  }

  return {
    close,
    /** Whether the file at a path is a text that has these bytes there. */
    async hasAt(wanted: string, offset: number, bytes: Buffer): Promise<boolean> {
      if (wanted !== path) {
        await close();
        path = wanted;
        const opened = await openTextFile(root, wanted, WINDOW_BYTES);
        file = opened?.file;
        window = { start: 0, bytes: opened?.beginning ?? Buffer.alloc(0) };
      }
      return file !== undefined && (await read(offset, bytes.length)).equals(bytes);
    },
  };
}

/** A name may hold line breaks, so a record ends at the first one after the NUL. */
function recordEnd(data: Buffer, from: number, skipping: boolean): number {
  if (skipping) return data.indexOf(LINE_FEED, from);
  const nul = data.indexOf(0, from);
  return nul < 0 ? -1 : data.indexOf(LINE_FEED, nul);
}

async function* batches(paths: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  let size = FIRST_BATCH_FILES;
  for await (const path of paths) {
    batch.push(path);
    bytes += Buffer.byteLength(path) + 3;
    if (batch.length < size && bytes < MAX_BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
    size = Math.min(size * 2, MAX_BATCH_FILES);
  }
  if (batch.length > 0) yield batch;
}
