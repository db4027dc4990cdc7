/** Running commands on this machine. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Failure } from '../errors.ts';
import type { ExecIO, ExecRequest, ExecResult } from './backend.ts';
import { type Argv, type Limited, type Limiter, wasKeptOut } from './limits/limiter.ts';
import { startMeter } from './limits/meter.ts';
import { collectOutput } from './native-output.ts';
import { type Confined, confine, endOf, readStatus, SANDBOX_PROCESSES, sandboxFailure } from './native-sandbox.ts';
import { argvOf, located, start } from './native-start.ts';
import {
  COMMAND_MARK,
  type CommandTree,
  killMarked,
  killTree,
  leftBehind,
  SERVER_MARK,
  signalTree,
  treeEnds,
} from './process-tree.ts';
import type { Reaper } from './reaper.ts';
import { wasRefused } from './sandbox/mount-check.ts';
import type { ProxyPool } from './sandbox/proxy-pool.ts';
import { beginCpuCount, cpuOfLastChild } from './waited-cpu.ts';

/** Time between SIGTERM and SIGKILL, milliseconds. */
const GRACE_MS = 1000;
/** How soon after a command the look for what it left behind, milliseconds. */
const SWEEP_MS = 200;

/** What commands of one backend share. */
export interface NativeExecutor {
  readonly reaper: Reaper;
  limiter(): Promise<Limiter>;
  /** Ways out of sandboxes. */
  readonly proxies: ProxyPool;
}

/** Files and sockets come and go between our look and the mounts of a sandbox: then it is planned anew. */
const SANDBOX_TRIES = 5;

/** @throws Failure `not_found` or `denied` when the program or the working directory cannot be used. */
export async function execNative(request: ExecRequest, io: ExecIO, executor: NativeExecutor): Promise<ExecResult> {
  for (let tries = 1; ; tries++) {
    try {
      return await execOnce(request, io, executor);
    } catch (thrown) {
      const passing = thrown instanceof Failure && thrown.details?.passing === true;
      if (!passing || tries === SANDBOX_TRIES) throw thrown;
    }
  }
}

async function execOnce(request: ExecRequest, io: ExecIO, { reaper, limiter, proxies }: NativeExecutor): Promise<ExecResult> {
  if (io.signal.aborted) return nothingRan();
  reaper.watch();
  const { limits, confinement } = request;
  const processes = (limits?.processes ?? 0) + (confinement ? SANDBOX_PROCESSES : 0);
  const preparing = limits && limiter().then((chosen) => chosen.prepare({ ...limits, processes }));
  // Told when it is waited for.
  preparing?.catch(() => {});
  let confined: Confined | undefined;
  try {
    let argv = argvOf(request.command);
    if (limits || confinement) argv = await located(argv, request);
    const limited = await preparing;
    const mark = limited?.name ?? randomUUID();
    let env: ExecRequest['env'] = { ...request.env, [SERVER_MARK]: reaper.mark, [COMMAND_MARK]: mark };
    if (confinement) ({ argv, env } = confined = await confine(argv, confinement, { ...request, env }, proxies));
    if (io.signal.aborted) return nothingRan();
    return await run(argv, { ...request, env }, io, { reaper, mark, limited });
  } finally {
    confined?.release();
    void preparing?.then((limited) => limited.release()).catch(() => {});
  }
}

interface Surroundings {
  readonly reaper: Reaper;
  readonly mark: string;
  readonly limited: Limited | undefined;
}

async function run(argv: Argv, request: ExecRequest, io: ExecIO, { reaper, mark, limited }: Surroundings): Promise<ExecResult> {
  const sandboxed = request.confinement !== undefined;
  const startedMs = performance.now();
  beginCpuCount();
  const { cwd, env, stdin } = request;
  const child =
    (stdin === undefined ? limited?.ready?.become(argv, cwd, env, sandboxed) : undefined) ??
    (await start(limited ? limited.wrap(argv) : argv, request, env, sandboxed));
  const tree: CommandTree = { leader: child.pid as number, mark, group: limited?.group, sandboxed };
  const status = sandboxed ? readStatus(child) : undefined;
  reaper.add(tree.leader);

  const output = collectOutput(child, request, io);
  // The command may end, or close its input, before it has read all of it.
  child.stdin?.on('error', () => {});
  if (stdin) child.stdin?.end(stdin);

  let outcome: ExecResult['outcome'] = 'exited';
  let killing: NodeJS.Timeout | undefined;
  const stop = (reason: ExecResult['outcome']) => {
    if (outcome !== 'exited') return;
    outcome = reason;
    void signalTree(tree, 'SIGTERM');
    killing = setTimeout(() => void killTree(tree), GRACE_MS);
  };
  const onAbort = () => stop('cancelled');
  io.signal.addEventListener('abort', onAbort, { once: true });
  const limit = setTimeout(() => stop('timeout'), request.timeoutMs);
  const meter = startMeter(tree, limited?.watched);

  try {
    const { exitCode, signalName, cpuMs } = await exited(child);
    const durationMs = performance.now() - startedMs;
    clearTimeout(killing);
    if (outcome !== 'exited') await treeEnds(tree, GRACE_MS);
    const goesOn = outcome !== 'exited' || leftBehind(tree);
    if (goesOn) await killTree(tree);
    // What still holds the output open broke away from the process group.
    if (!(await output.drained())) await killTree(tree);
    else if (!goesOn && !tree.group) sweepLater(mark);
    const { limitHit, ...used } = meter.read();
    const { stdout, stderr } = output.result();
    if (wasKeptOut(mark, exitCode, stderr.head)) throw keptOut();
    if (sandboxed && stdout.totalBytes === 0 && wasRefused(exitCode, stderr.head)) throw folderChanged();
    const end = { exitCode, signal: signalName };
    if (status && end.signal === null && outcome === 'exited' && !limitHit && !(await status.commandEnded())) {
      throw sandboxFailure(stderr.head, request);
    }
    return {
      outcome,
      ...(limitHit !== undefined && { limitHit }),
      ...(sandboxed ? endOf(end, { outcome, limitHit }) : end),
      durationMs: Math.round(durationMs),
      stdout,
      stderr,
      resources: { ...(cpuMs !== undefined && { cpuMs }), ...used },
    };
  } finally {
    clearTimeout(limit);
    clearTimeout(killing);
    meter.stop();
    io.signal.removeEventListener('abort', onAbort);
    reaper.remove(tree.leader);
  }
}

function nothingRan(): ExecResult {
  const nothing = { head: new Uint8Array(), tail: new Uint8Array(), totalBytes: 0, omittedBytes: 0 };
  return { outcome: 'cancelled', exitCode: null, signal: null, durationMs: 0, stdout: nothing, stderr: nothing, resources: {} };
}

function keptOut(): Failure {
  return new Failure('unavailable', 'The command could not be put under its limits, so it was not run.', {
    hint: 'Look at what `mcp-python doctor` says about limits.',
  });
}

function folderChanged(): Failure {
  return new Failure('unavailable', 'The folder was changed while the sandbox was made, so the command was not started.', {
    hint: 'Try again when nothing else changes the folder.',
    details: { passing: true },
  });
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
