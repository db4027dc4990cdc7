/** Commands in the sandbox: how one is started there, and what is known of its end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import type { Confinement, ExecRequest, ExecResult } from './backend.ts';
import type { Argv } from './limits/limiter.ts';
import { enterSandbox, isPassing } from './sandbox/bubblewrap.ts';
import { findSandbox } from './sandbox/find-sandbox.ts';
import type { ProxyPool } from './sandbox/proxy-pool.ts';

/** What bwrap runs beside the command: itself and the first process of the new process space. They count for its limits. */
export const SANDBOX_PROCESSES = 2;
/** Descriptor on which bwrap tells how the command ended (bwrap(1), `--json-status-fd`): the one after standard error. */
const STATUS_FD = 3;

export interface Confined {
  readonly argv: Argv;
  readonly env: Readonly<Record<string, string>>;
  /** Call once, when nothing of the command is left. */
  release(): void;
}

/**
 * @throws Failure `unavailable` where there is no sandbox, `denied` for a working directory that cannot be seen in it,
 *   `invalid_config` for a list of hosts with something else in it
 */
export async function confine(
  argv: Argv,
  confinement: Confinement,
  { cwd, env }: ExecRequest,
  proxies: ProxyPool,
): Promise<Confined> {
  const sandbox = await findSandbox();
  if ('reason' in sandbox) throw new Failure('unavailable', `There is no sandbox to run the command in. ${sandbox.reason}`);
  const { network } = confinement;
  const proxy = typeof network === 'string' || network.length === 0 ? undefined : await proxies.get(network);
  const entered = enterSandbox(sandbox, confinement, { cwd, env, statusFd: STATUS_FD, ...(proxy && { proxy }) });
  return { ...entered, argv: [...entered.argv, ...argv] as unknown as Argv };
}

/** What bwrap tells while it runs. */
export interface SandboxStatus {
  /** Once the child has ended: whether the command itself did, rather than the sandbox before it. */
  commandEnded(): Promise<boolean>;
}

export function readStatus(child: ChildProcess): SandboxStatus {
  const stream = child.stdio[STATUS_FD] as Readable;
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  stream.on('error', () => {});
  const closed = once(stream, 'close');
  return {
    async commandEnded() {
      await closed;
      return text.includes('"exit-code"');
    },
  };
}

/** Why bwrap ended without having run the command: as it said it. */
export function sandboxFailure(stderr: Uint8Array, { command }: ExecRequest): Failure {
  const text = Buffer.from(stderr).toString();
  const said = /^bwrap: (.*)/m.exec(text)?.[1] ?? 'it ended before the command began';
  const program = command.kind === 'argv' ? command.argv[0] : '/bin/sh';
  if (/^execvp .*No such file/.test(said)) {
    return new Failure('not_found', `The program ${program} cannot be seen in the sandbox.`, {
      hint: 'Programs in folders that commands may not read cannot be run: see `execution.security.path_restrictions`.',
    });
  }
  return new Failure('unavailable', `The sandbox could not be made: ${said}.`, {
    hint: 'See `mcp-python doctor`.',
    details: { passing: isPassing(text) },
  });
}

/** Numbers of the signals that we or the kernel end commands with. */
const SIGNALS: Readonly<Record<number, string>> = { 137: 'SIGKILL', 143: 'SIGTERM' };

/**
 * bwrap ends with 128 and the number of the signal that ended the command, which a command can do by itself too. Where
 * a signal was sent, at the time limit, by its caller or for its memory, it is told as one; else the exit code stands.
 */
export function endOf(
  { exitCode, signal }: Pick<ExecResult, 'exitCode' | 'signal'>,
  { outcome, limitHit }: { outcome: ExecResult['outcome']; limitHit: ExecResult['limitHit'] | undefined },
): Pick<ExecResult, 'exitCode' | 'signal'> {
  const sent = exitCode === null || (outcome === 'exited' && limitHit !== 'memory') ? undefined : SIGNALS[exitCode];
  return sent === undefined ? { exitCode, signal } : { exitCode: null, signal: sent };
}
