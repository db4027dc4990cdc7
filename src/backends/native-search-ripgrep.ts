import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type CandidateLine, MAX_LINE_BYTES } from './line-matcher.ts';
import { cleanLine, isTextFile } from './native-search-lines.ts';

/** Files of one ripgrep process: few at first, so that answers come soon, then many. */
const FIRST_BATCH_FILES = 64;
const MAX_BATCH_FILES = 2048;
/** Bytes of paths on one command line, far below what systems take. */
const MAX_BATCH_BYTES = 256 * 1024;
/** Processes that work ahead of the one being read. */
const AHEAD = 3;
const MAX_STDERR = 4096;
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
 * as binary, is decided here, the same as without it.
 * @throws RipgrepUnusable
 */
export async function* ripgrepLines(
  program: string,
  pattern: string,
  directory: string,
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
      running.push(start(program, pattern, directory, batch));
      if (running.length > AHEAD) yield* finish(running, directory, signal);
    }
    while (running.length > 0) yield* finish(running, directory, signal);
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
      ...['--with-filename', '--text', '--encoding=none', '--threads=1', `--regexp=${pattern}`, '--'],
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
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<readonly CandidateLine[]> {
  const oldest = running[0] as RunningRipgrep;
  yield* readMatches(oldest.stdout, directory);
  const problem = await oldest.ended;
  running.shift();
  signal.throwIfAborted();
  if (problem !== undefined) throw new RipgrepUnusable(problem);
}

/** Reads `path NUL line : text LF` records. */
async function* readMatches(stdout: AsyncIterable<Buffer>, directory: string): AsyncGenerator<readonly CandidateLine[]> {
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  let current = { path: '', text: false };

  async function toLine(record: Buffer): Promise<CandidateLine | undefined> {
    const nul = record.indexOf(0);
    const colon = record.indexOf(COLON, nul);
    const path = record.toString('utf8', 2, nul);
    if (path !== current.path) current = { path, text: await isTextFile(join(directory, path)) };
    if (!current.text) return undefined;
    const line = Number(record.toString('latin1', nul + 1, colon));
    return {
      path,
      line,
      text: cleanLine(record.toString('utf8', colon + 1, Math.min(record.length, colon + 1 + MAX_LINE_BYTES)), line),
    };
  }

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
