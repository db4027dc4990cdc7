/** Running commands on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import type { Command, ExecIO, ExecRequest, ExecResult, OutputStream } from './backend.ts';
import { createOutputCapture } from './output-capture.ts';
import {
  COMMAND_MARK,
  type CommandTree,
  groupExists,
  killMarked,
  killTree,
  residentBytes,
  SERVER_MARK,
  signalTree,
  treeEnds,
} from './process-tree.ts';
import type { Reaper } from './reaper.ts';

/** Time between SIGTERM and SIGKILL, milliseconds. */
const GRACE_MS = 1000;
/** How long output may still trickle in after the command's own process has ended, milliseconds. */
const DRAIN_MS = 100;
/** The same, however much comes. */
const MAX_DRAIN_MS = 2000;
/** How soon after a command the look for what it left behind, milliseconds. */
const SWEEP_MS = 200;
/** How often memory is looked at, milliseconds; a command that ends before the first look has none told. */
const SAMPLE_MS = 200;

/** @throws Failure `not_found` or `denied` when the program or the working directory cannot be used. */
export async function execNative(request: ExecRequest, io: ExecIO, reaper: Reaper): Promise<ExecResult> {
  const { signal } = io;
  if (signal.aborted) return nothingRan();
  const mark = randomUUID();
  const startedMs = performance.now();
  reaper.watch();
  cpuTicksBefore ??= cpuTicksOfChildren();
  const child = await start(request, { ...request.env, [SERVER_MARK]: reaper.mark, [COMMAND_MARK]: mark });
  const tree: CommandTree = { leader: child.pid as number, mark };
  reaper.add(tree.leader);

  const stdout = createOutputCapture(request.maxOutputBytes);
  const stderr = createOutputCapture(request.maxOutputBytes);
  const receive = (stream: OutputStream, chunk: Uint8Array) => {
    (stream === 'stdout' ? stdout : stderr).add(chunk);
    io.onOutput?.(stream, chunk);
  };
  child.stdout?.on('data', (chunk: Buffer) => receive('stdout', chunk));
  child.stderr?.on('data', (chunk: Buffer) => receive('stderr', chunk));
  // The command may end, or close its input, before it has read all of it.
  child.stdin?.on('error', () => {});
  child.stdin?.end(request.stdin);

  let outcome: ExecResult['outcome'] = 'exited';
  let killing: NodeJS.Timeout | undefined;
  const stop = (reason: ExecResult['outcome']) => {
    if (outcome !== 'exited') return;
    outcome = reason;
    void signalTree(tree, 'SIGTERM');
    killing = setTimeout(() => void killTree(tree), GRACE_MS);
  };
  const onAbort = () => stop('cancelled');
  signal.addEventListener('abort', onAbort, { once: true });
  const limit = setTimeout(() => stop('timeout'), request.timeoutMs);
  const memory = sampleMemory(tree);

  try {
    const { exitCode, signalName, cpuMs } = await exited(child);
    const durationMs = performance.now() - startedMs;
    clearTimeout(killing);
    if (outcome !== 'exited') await treeEnds(tree, GRACE_MS);
    const leftBehind = outcome !== 'exited' || groupExists(tree.leader);
    if (leftBehind) await killTree(tree);
    // What still holds the output open broke away from the group.
    if (!(await drained(child))) await killTree(tree);
    else if (!leftBehind) sweepLater(mark);
    return {
      outcome,
      exitCode,
      signal: signalName,
      durationMs: Math.round(durationMs),
      stdout: stdout.result(),
      stderr: stderr.result(),
      resources: { ...(cpuMs !== undefined && { cpuMs }), ...memory.result() },
    };
  } finally {
    clearTimeout(limit);
    clearTimeout(killing);
    memory.stop();
    signal.removeEventListener('abort', onAbort);
    reaper.remove(tree.leader);
  }
}

function nothingRan(): ExecResult {
  const nothing = { head: new Uint8Array(), tail: new Uint8Array(), totalBytes: 0, omittedBytes: 0 };
  return { outcome: 'cancelled', exitCode: null, signal: null, durationMs: 0, stdout: nothing, stderr: nothing, resources: {} };
}

function start({ command, cwd, stdin }: ExecRequest, env: Record<string, string>): Promise<ChildProcess> {
  const [program, args] = argvOf(command);
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => startFailure(error, program, cwd).then(reject);
    try {
      const child = spawn(program, args, { cwd, env, detached: true, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
      child.once('error', refuse);
      if (child.pid !== undefined) resolve(child);
    } catch (thrown) {
      refuse(thrown as NodeJS.ErrnoException);
    }
  });
}

function argvOf(command: Command): [string, string[]] {
  if (command.kind === 'argv') return [command.argv[0], command.argv.slice(1)];
  return ['/bin/sh', ['-c', command.script, 'sh', ...(command.args ?? [])]];
}

/** The system says ENOENT for a missing program and a missing folder alike. */
async function startFailure(error: NodeJS.ErrnoException, program: string, cwd: string): Promise<Failure> {
  const folder = await stat(cwd).catch(() => undefined);
  if (!folder?.isDirectory()) {
    return new Failure('not_found', `The working directory ${cwd} does not exist.`, { cause: error });
  }
  if (error.code === 'ENOENT') {
    return new Failure('not_found', `The program ${program} was not found.`, {
      hint: 'Look for it with check_command_exists.',
      cause: error,
    });
  }
  if (error.code === 'EACCES')
    return new Failure('denied', `${program} may not be run here: it is not executable.`, { cause: error });
  if (error.code === 'E2BIG') {
    return new Failure('too_large', 'The command and its environment are too long for the system.', {
      hint: 'Pass data on stdin.',
      cause: error,
    });
  }
  return new Failure('unavailable', `${program} could not be started: ${error.message}`, { cause: error });
}

interface Exit {
  readonly exitCode: number | null;
  readonly signalName: string | null;
  readonly cpuMs: number | undefined;
}

function exited(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signalName) => resolve({ exitCode, signalName, cpuMs: cpuOfLastChild() }));
  });
}

/** Waits until both output streams have ended; false when nothing came for a while, or it never ends. */
function drained(child: ChildProcess): Promise<boolean> {
  const streams = [child.stdout, child.stderr].filter((stream): stream is Readable => stream !== null && !stream.closed);
  if (streams.length === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    let open = streams.length;
    const finish = () => {
      clearTimeout(quiet);
      clearTimeout(bound);
      for (const stream of streams) stream.destroy();
      resolve(open === 0);
    };
    const quiet = setTimeout(finish, DRAIN_MS);
    const bound = setTimeout(finish, MAX_DRAIN_MS);
    for (const stream of streams) {
      stream.on('data', () => quiet.refresh());
      stream.once('close', () => {
        open--;
        if (open === 0) finish();
      });
    }
  });
}

/** Clock ticks a second in /proc; the kernel's interface fixes it for user space. */
const TICKS_PER_SECOND = 100;
let cpuTicksBefore: number | undefined;

/**
 * CPU time of the child that has just been waited for, with its own children: what the counter for waited-for
 * children (proc(5), cutime and cstime) grew by. Two children that end in the same turn of the event loop are
 * told as one. In steps of 10 ms.
 */
function cpuOfLastChild(): number | undefined {
  const ticks = cpuTicksOfChildren();
  const before = cpuTicksBefore;
  cpuTicksBefore = ticks;
  return ticks === undefined || before === undefined ? undefined : ((ticks - before) * 1000) / TICKS_PER_SECOND;
}

function cpuTicksOfChildren(): number | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[13]) + Number(fields[14]);
  } catch {
    return undefined;
  }
}

function sampleMemory(tree: CommandTree) {
  let maxRssBytes: number | undefined;
  const timer = setInterval(async () => {
    const bytes = await residentBytes(tree);
    if (bytes !== undefined) maxRssBytes = Math.max(maxRssBytes ?? 0, bytes);
  }, SAMPLE_MS);
  timer.unref();
  return {
    result: () => (maxRssBytes === undefined ? {} : { maxRssBytes }),
    stop: () => clearInterval(timer),
  };
}

let toSweep = new Set<string>();
let sweeping: NodeJS.Timeout | undefined;

/**
 * Looks, after the result has been delivered, for what left the group of a command that ended by itself: it would
 * outlive its call. Commands that end together share one look.
 */
function sweepLater(mark: string): void {
  toSweep.add(mark);
  sweeping ??= setTimeout(() => {
    const marks = toSweep;
    toSweep = new Set();
    sweeping = undefined;
    void killMarked(marks);
  }, SWEEP_MS);
  sweeping.unref();
}
