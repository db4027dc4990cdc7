/** Makes a job's folder and starts its supervisor. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import type { Argv } from '../limits/limiter.ts';
import { COMMAND_MARK } from '../process-tree.ts';
import { type JobMeta, START_MS } from './job-folder.ts';
import { quoted } from './quoted.ts';
import { SUPERVISOR } from './supervisor.ts';

export interface PreparedJob {
  readonly meta: JobMeta;
  /** What is run, inside of limits and sandbox; its innermost part is to begin with `whenBegun`. */
  readonly argv: Argv;
  /** The whole environment to start `argv` with. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array | undefined;
  readonly openInput: boolean;
  /** It ends when this process does before the returned stream was told `detach`. */
  readonly attached: boolean;
  readonly maxOutputBytes: number;
}

/** Where the supervisor finds the tools it needs: never the command's PATH. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';
/** Longest single word that Linux lets a program be started with (execve(2), MAX_ARG_STRLEN). */
const MAX_WORD_BYTES = 131_071;
const LOOK_MS = 3;

/** Tells that the command itself begins, by a descriptor that it then does not have. */
export function whenBegun(argv: Argv): Argv {
  return ['/bin/sh', '-c', 'unset -f echo; echo >&4; exec 4>&-; exec "$@"', 'sh', ...argv];
}

/**
 * Resolves when the command runs, or has not been run and the folder says why.
 * @throws Failure `too_large`, `unavailable`; there is no folder then
 */
export async function startJob(folder: string, job: PreparedJob): Promise<Writable | undefined> {
  const { meta, stdin, openInput, attached, maxOutputBytes } = job;
  const script = launchScript(job);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const put = (name: string, content: string | Uint8Array) =>
      writeFile(join(folder, name), content, { mode: 0o600, flag: 'wx' });
    await Promise.all([
      put('supervise', SUPERVISOR),
      put('launch', script),
      put('meta.json', JSON.stringify(meta)),
      ...(stdin && !openInput ? [put('input', stdin)] : []),
    ]);
    const spared = meta.terminal ? 'terminal' : meta.sandboxed ? 'leader' : '-';
    return await supervise(folder, attached, [
      folder,
      String(meta.timeoutMs / 1000),
      String(Math.max(1, Math.floor(maxOutputBytes / 512))),
      `${COMMAND_MARK}=${meta.mark}`,
      spared,
      openInput ? 'open' : 'shut',
      attached ? 'attached' : 'detached',
      ...meta.groups,
    ]);
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

async function supervise(folder: string, attached: boolean, args: readonly string[]): Promise<Writable | undefined> {
  const child = spawn('/bin/sh', [join(folder, 'supervise'), ...args], {
    cwd: '/',
    detached: true,
    env: { PATH },
    stdio: [attached ? 'pipe' : 'ignore', 'ignore', 'ignore'],
  });
  let ended = false;
  let refusal: Error | undefined;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', (error) => {
    ended = true;
    refusal = error;
  });
  child.unref();
  (child.stdin as unknown as { unref?(): void } | null)?.unref?.();
  // It may have ended by the time that it is told something.
  child.stdin?.on('error', () => {});
  const untilMs = Date.now() + START_MS;
  while (!ended && Date.now() < untilMs && (await isEmpty(join(folder, 'begun')))) await sleep(LOOK_MS);
  if (!ended || (!refusal && !(await isEmpty(join(folder, 'exit'))))) return child.stdin ?? undefined;
  throw new Failure('unavailable', `The supervisor of the job could not be started${refusal ? `: ${refusal.message}` : ''}.`, {
    hint: 'It needs /bin/sh, mkfifo and setsid (util-linux or BusyBox), and a state folder that can hold FIFOs.',
  });
}

function isEmpty(path: string): Promise<boolean> {
  return readFile(path).then(
    ({ byteLength }) => byteLength === 0,
    () => true,
  );
}

/** Variables that mean something to one shell or another, or that it sets itself. */
const OF_SHELLS =
  /^(?:_|BASH.*|COLUMNS|COMP_.*|COPROC|DIRSTACK|ENV|EPOCH.*|EUID|FC.*|FPATH|FUNC.*|GROUPS|HIST.*|HOSTTYPE|IFS|KSH.*|LINENO|LINES|MACHTYPE|MAIL.*|MAPFILE|OLDPWD|OPT.*|OSTYPE|PIPESTATUS|POSIX.*|PPID|PROMPT.*|PS\d|PWD|RANDOM|READLINE.*|REPLY|SECONDS|SHELLOPTS|SHLVL|SRANDOM|TMOUT|UID|ZSH.*)$/;

/**
 * The script that becomes the command. The variables are in it, for everybody on the machine could read arguments; the
 * few that a shell would not pass on are handed to env(1).
 */
function launchScript({ meta, argv, env }: PreparedJob): string {
  const variables = Object.entries(env);
  const words = [...argv, ...variables.map(([name, value]) => `${name}=${value}`)];
  if (words.some((word) => Buffer.byteLength(word) > MAX_WORD_BYTES)) {
    throw new Failure('too_large', 'The command and its environment are too long for the system.', {
      hint: 'Pass data on stdin.',
    });
  }
  const plain = variables.filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && !OF_SHELLS.test(name));
  const others = variables.filter((variable) => !plain.includes(variable)).map(([name, value]) => `${name}=${value}`);
  return [
    'rm -f launch out err input',
    'echo $$ >leader',
    // In the sandbox's way to tell how it does, which the supervisor has no need of.
    `exec ${meta.sandboxed ? '3>/dev/null ' : ''}4>begun`,
    `cd -P ${quoted(meta.cwd)} || exit 126`,
    'unset OLDPWD',
    ...plain.map(([name, value]) => `export ${name}=${quoted(value)}`),
    `exec ${[...(others.length > 0 ? ['/usr/bin/env', ...others] : []), ...argv].map(quoted).join(' ')}`,
    '',
  ].join('\n');
}
