/**
 * The machine as another user: a process of that user does the work with that user's rights, and this side, which has
 * more, decides. The process is told nothing but what it is to do, and its judge is asked here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_SOURCE } from '../agent-threads.ts';
import type { Backend, BackendJobs, ExecIO, ExecRequest, FileInfo, Judge, OpenFile } from '../backends/backend.ts';
import { decodeFailure, encodeFailure } from '../backends/host-agent/wire.ts';
import { Failure, toFailure } from '../errors.ts';
import type { Account } from './accounts.ts';
import { type FromUser, type ToUser, USER_PROCESS } from './user-channel.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(failure: Failure): void;
  readonly judge: Judge | undefined;
  readonly onOutput: ExecIO['onOutput'];
}

interface CallOptions {
  readonly judge?: Judge;
  readonly onOutput?: ExecIO['onOutput'];
  readonly signal?: AbortSignal;
}

interface UserProcess {
  call<T>(method: string, args: readonly unknown[], options?: CallOptions): Promise<T>;
  readonly ended: boolean;
  stop(): Promise<void>;
}

/** How long the process may take to start, and to end once it is told to, milliseconds. */
const START_MS = 20_000;
const STOP_MS = 5000;

/**
 * @param protectedPaths what no search or listing shows there, absolute
 * @throws Failure `unavailable` when the process cannot be started
 */
export async function startUserProcess(account: Account, protectedPaths: readonly string[]): Promise<Backend> {
  let running: Promise<UserProcess> | undefined;
  let closed = false;

  async function current(): Promise<UserProcess> {
    if (closed) throw new Failure('unavailable', 'The host agent is stopping.');
    if (running && (await running.catch(() => undefined))?.ended !== false) running = undefined;
    running ??= start(account, protectedPaths);
    return running;
  }
  const call = async <T>(method: string, args: readonly unknown[], options?: CallOptions) =>
    (await current()).call<T>(method, args, options);
  await current();

  async function open(path: string, judge: Judge): Promise<OpenFile> {
    const process = await current();
    const { file, info } = await process.call<{ file: number; info: FileInfo }>('files.open', [path], { judge });
    return {
      info,
      read: (position, length) => process.call('file.read', [file, position, length]),
      [Symbol.asyncDispose]: () => process.call<void>('file.close', [file]).catch(() => {}),
    };
  }

  const jobs: BackendJobs = {
    start: (request) => call('jobs.start', [request]),
    detach: (id) => call('jobs.detach', [id]),
    list: () => call('jobs.list', []),
    get: (id) => call('jobs.get', [id]),
    read: (...args) => call('jobs.read', args),
    watch(id) {
      const watching = call<number>('jobs.watch', [id]);
      watching.catch(() => {});
      return {
        changed: async (maxMs) => call('watch.changed', [await watching, maxMs]),
        [Symbol.dispose]: () => void watching.then((watch) => call('watch.close', [watch])).catch(() => {}),
      };
    },
    untilEnd: (id) => call<boolean>('jobs.untilEnd', [id]).catch(() => false),
    write: (id, data, signal) => call('jobs.write', [id, data], { signal }),
    closeInput: (id) => call('jobs.closeInput', [id]),
    signal: (id, name) => call('jobs.signal', [id, name]),
    cancel: (id) => call('jobs.cancel', [id]),
    claimEnd: (id) => call('jobs.claimEnd', [id]),
    returnEnd: (id) => call('jobs.returnEnd', [id]),
    remove: (id) => call('jobs.remove', [id]),
  };

  return {
    name: `native:${account.name}`,
    exec: (request: ExecRequest, { signal, onOutput }: ExecIO) =>
      call('exec', [request, onOutput !== undefined], { signal, ...(onOutput && { onOutput }) }),
    files: {
      stat: (path, judge) => call('files.stat', [path], { judge }),
      resolve: (path) => call('files.resolve', [path]),
      open,
      write: (path, data, options, judge) => call('files.write', [path, data, options], { judge }),
      list: (path, options, judge) => call('files.list', [path, options], { judge }),
      search: (request, signal, judge) => call('files.search', [request], { signal, judge }),
      otherPlaces: (path) => call('files.otherPlaces', [path]),
      linkedFiles: (paths) => call('files.linkedFiles', [paths]),
    },
    jobs: async () => jobs,
    enforcement: () => call('enforcement', []),
    which: (name, path) => call('which', [name, path]),
    info: () => call('info', []),
    status: (signal) => call('status', [], { signal }),
    health: () => call('health', []),
    async [Symbol.asyncDispose]() {
      closed = true;
      await (await running?.catch(() => undefined))?.stop();
    },
  };
}

async function start(account: Account, protectedPaths: readonly string[]): Promise<UserProcess> {
  const child = spawnAs(account);
  const pending = new Map<number, Pending>();
  let next = 0;
  let ended = false;
  const gone = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      ended = true;
      for (const { reject } of pending.values()) reject(lost(account, reason));
      pending.clear();
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (status, signal) => end(signal ?? `exit status ${status}`));
  });
  const send = (message: ToUser) => {
    if (child.connected) child.send(message, () => {});
  };

  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
    void gone.then(() => reject(lost(account, 'it ended as soon as it was started')));
    void Promise.race([gone, new Promise((started) => child.once('message', started))]).then(() => {
      clearTimeout(late);
      resolve();
    });
  });
  child.on('message', (message: FromUser) => void hear(message));

  async function hear(message: FromUser): Promise<void> {
    if ('answer' in message) {
      const waiting = pending.get(message.answer);
      pending.delete(message.answer);
      if ('failure' in message) waiting?.reject(decodeFailure(message.failure));
      else waiting?.resolve(message.value);
    } else if ('output' in message) {
      pending.get(message.output)?.onOutput?.(message.stream, message.data);
    } else if ('ask' in message) {
      const judge = pending.get(message.call)?.judge;
      try {
        if (!judge) throw new Failure('denied', 'Nobody asked for this.');
        await judge.admit(message.object);
        send({ verdict: message.ask });
      } catch (thrown) {
        send({ verdict: message.ask, refused: encodeFailure(toFailure(thrown)) });
      }
    }
  }

  send({ begin: { jobsFolder: jobsFolderOf(account), protectedPaths } });
  await ready;
  return {
    get ended() {
      return ended;
    },
    call<T>(method: string, args: readonly unknown[], { judge, onOutput, signal }: CallOptions = {}): Promise<T> {
      if (ended) return Promise.reject(lost(account, 'it has ended'));
      const id = next++;
      return new Promise<T>((resolve, reject) => {
        const abort = () => send({ abort: id });
        const settle = (then: () => void) => {
          signal?.removeEventListener('abort', abort);
          then();
        };
        pending.set(id, {
          resolve: (value) => settle(() => resolve(value as T)),
          reject: (failure) => settle(() => reject(failure)),
          judge,
          onOutput,
        });
        send({ call: id, method, args });
        if (signal?.aborted) abort();
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    async stop() {
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(late);
    },
  };
}

/** Jobs of users that have no home directory of their own are in a folder here, which is theirs. */
const JOBS_WITHOUT_HOME = '/var/lib/mcp-python-jobs';

function jobsFolderOf({ name, uid, gid, home }: Account): string {
  if (statSync(home, { throwIfNoEntry: false })?.uid === uid) return join(home, '.local/state/mcp-python/host-agent/jobs');
  const folder = join(JOBS_WITHOUT_HOME, name);
  try {
    mkdirSync(JOBS_WITHOUT_HOME, { recursive: true, mode: 0o755 });
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, uid, gid);
  } catch {
    // It is there, or a job that is started tells why it cannot be.
  }
  return folder;
}

/** With the groups of the user, and without any way to more rights (setpriv(1)); without that program, with the main group. */
function spawnAs({ name, uid, gid, home }: Account): ChildProcess {
  const program = [process.execPath, ...ownArguments(), USER_PROCESS];
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);
  const rights = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--init-groups',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--no-new-privs',
    '--',
  ];
  const [command = '', ...args] = setpriv ? [setpriv, ...rights, ...program] : program;
  return spawn(command, args, {
    cwd: '/',
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: home,
      USER: name,
      LOGNAME: name,
      LANG: process.env.LANG ?? 'C.UTF-8',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    ...(!setpriv && { uid, gid }),
  });
}

/** What the program file is called with, where it is not the executable itself. */
function ownArguments(): string[] {
  const isExecutable = typeof Reflect.get(globalThis, AGENT_SOURCE) === 'string';
  return isExecutable ? [] : [process.argv[1] ?? ''];
}

function lost({ name }: Account, reason: string): Failure {
  return new Failure(
    'unavailable',
    `The process that works as ${name} has ended (${reason}); what became of this is not known.`,
    {
      hint: 'Look at what it has done before it is done again.',
      details: { outcome: 'unknown' },
    },
  );
}
