/** Jobs on this machine: folders below one folder, each with a supervisor that nothing here keeps alive. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import type { BackendJobs, Job, JobRequest } from './backend.ts';
import { folderOf, type JobMeta, jobIds, noJob, readJob, readStream, removeJob, START_MS } from './jobs/job-folder.ts';
import { feed } from './jobs/job-input.ts';
import { watchFolder } from './jobs/job-watch.ts';
import { type PreparedJob, startJob, whenBegun } from './jobs/start-job.ts';
import { killGroup, REMOVE_MS, removeGroup } from './limits/control-group.ts';
import type { Limited, Limiter } from './limits/limiter.ts';
import { startMeter } from './limits/meter.ts';
import { type Confined, confine, SANDBOX_PROCESSES, sandboxFailure } from './native-sandbox.ts';
import { argvOf, located } from './native-start.ts';
import { COMMAND_MARK, killMarked } from './process-tree.ts';
import type { ProxyPool } from './sandbox/proxy-pool.ts';

export interface NativeJobs extends BackendJobs {
  /** Stops looking after what this process started; the jobs go on. */
  close(): void;
}

/** Files and sockets come and go between our look and the mounts of a sandbox: then it is planned anew. */
const SANDBOX_TRIES = 5;
/** How often a job that this process started is looked at when nothing tells of a change, milliseconds. */
const LOOK_MS = 1000;
/** How long the supervisor may take to close the input, milliseconds: it may be ending the command just then. */
const CLOSE_MS = 5000;

/** @param folder of all jobs, absolute; made when the first job is started */
export function createNativeJobs(folder: string, limiter: () => Promise<Limiter>, proxies: ProxyPool): NativeJobs {
  const place = (id: string) => folderOf(folder, id);
  /** What has ended does not change any more. */
  const ended = new Map<string, Job>();
  let closed = false;
  const ends = new Map<string, Promise<boolean>>();
  /** What the supervisors of attached jobs listen to. */
  const attachments = new Map<string, Writable>();

  async function look(id: string): Promise<Job | undefined> {
    const known = ended.get(id);
    if (known && existsSync(place(id))) return known;
    ended.delete(id);
    const found = await readJob(place(id));
    if (!found) return undefined;
    const { meta, ...job } = found;
    if (job.end && job.end.outcome !== 'interrupted') ended.set(id, job);
    if (job.end?.outcome === 'interrupted') await endLost(meta);
    return job;
  }

  async function get(id: string): Promise<Job> {
    const job = await look(id);
    if (!job) throw noJob(id);
    return job;
  }

  /** The supervisor is gone without a word; of the command something may be left, and of its groups. */
  async function endLost({ id, mark, groups }: JobMeta): Promise<void> {
    await tell(id, 'abandon');
    if (existsSync(join(place(id), 'reported'))) return;
    await Promise.all(groups.filter(existsSync).map(killGroup));
    await killMarked(new Set([mark]));
    for (const group of groups) void removeGroup(group, REMOVE_MS, false);
  }

  /** @returns false where nobody listens any more */
  async function tell(id: string, ...words: readonly string[]): Promise<boolean> {
    const line = Buffer.from(`${words.join(' ')}\n`);
    return (await feed(join(place(id), 'control'), line, AbortSignal.timeout(LOOK_MS))) === line.byteLength;
  }

  /** The supervisor of a job that has just been started may not listen yet. */
  async function order(id: string, ...words: readonly string[]): Promise<boolean> {
    const untilMs = Date.now() + LOOK_MS;
    while (!(await tell(id, ...words))) {
      if (Date.now() > untilMs || (await get(id)).end) return false;
      await sleep(20);
    }
    return true;
  }

  async function start(request: JobRequest): Promise<Job> {
    for (let tries = 1; ; tries++) {
      const { job, failure } = await startOnce(request);
      if (!failure) return job;
      await removeJob(place(job.id));
      if (failure.details?.passing !== true || tries === SANDBOX_TRIES) throw failure;
    }
  }

  async function startOnce(request: JobRequest): Promise<{ job: Job; failure: Failure | undefined }> {
    const { limits, confinement, cwd, label, timeoutMs, terminal } = request;
    const id = randomUUID();
    const processes = (limits?.processes ?? 0) + (confinement ? SANDBOX_PROCESSES : 0);
    const inTerminal = terminal ? await (await import('./jobs/pseudo-terminal.ts')).findTerminal() : undefined;
    let argv = await located(argvOf(request.command), request);
    const limited = limits && (await (await limiter()).prepare({ ...limits, processes }));
    const mark = limited?.name ?? randomUUID();
    let confined: Confined | undefined;
    try {
      let env: Readonly<Record<string, string>> = { ...request.env, [COMMAND_MARK]: mark };
      argv = whenBegun(inTerminal ? inTerminal(argv, env) : argv);
      if (confinement) ({ argv, env } = confined = await confine(argv, confinement, { ...request, env }, proxies));
      const groups = limited?.group?.entrances.map(dirname) ?? [];
      const meta: JobMeta = {
        ...{ id, label, cwd, timeoutMs, terminal, mark, groups },
        createdMs: Date.now(),
        sandboxed: confinement !== undefined,
      };
      const { stdin, openInput, attached, maxOutputBytes } = request;
      const prepared: PreparedJob = { meta, argv: limited?.wrap(argv) ?? argv, env, stdin, openInput, attached, maxOutputBytes };
      const attachment = await startJob(place(id), prepared);
      if (attachment) attachments.set(id, attachment);
    } catch (thrown) {
      confined?.release();
      limited?.release();
      throw thrown;
    }
    const job = await get(id);
    if (job.end) confined?.release();
    else ends.set(id, lookAfter(id, mark, limited, confined));
    return { job, failure: job.end?.outcome === 'failed' ? refusalOf(job, request) : undefined };
  }

  /** What only this process can do for a job that it started, as long as it lives. @returns whether it saw the end */
  async function lookAfter(
    id: string,
    mark: string,
    limited: Limited | undefined,
    confined: Confined | undefined,
  ): Promise<boolean> {
    const leader = Number(await readFile(join(place(id), 'leader'), 'latin1').catch(() => ''));
    const meter = limited && leader > 1 ? startMeter({ leader, mark, group: limited.group }, limited.watched) : undefined;
    using watch = watchFolder(place(id), false);
    while (!closed && existsSync(place(id)) && !existsSync(join(place(id), 'exit'))) {
      await watch.changed(LOOK_MS);
    }
    meter?.stop();
    ends.delete(id);
    if (!closed) attachments.delete(id);
    // What keeps places from being filled stays for a command that goes on.
    if (!closed) confined?.release();
    return !closed;
  }

  return {
    start,
    detach(id) {
      const attachment = attachments.get(id);
      attachments.delete(id);
      return new Promise((resolve) => (attachment ? attachment.end('detach\n', resolve) : resolve()));
    },
    get,
    async list() {
      const ids = await jobIds(folder);
      for (const id of ended.keys()) if (!ids.includes(id)) ended.delete(id);
      const jobs = await Promise.all(ids.map(async (id) => (await look(id)) ?? (await removeHalfMade(place(id)))));
      return jobs.filter((job) => job !== undefined).sort((a, b) => b.createdMs - a.createdMs);
    },
    async read(id, stream, position, length) {
      return readStream(place(id), stream, position, length);
    },
    watch: (id) => watchFolder(place(id), true),
    untilEnd: async (id) => ends.get(id) ?? (await get(id)).end !== undefined,
    async write(id, data, signal) {
      const taken = (await get(id)).end ? undefined : await feed(join(place(id), 'stdin'), data, signal);
      if (taken === undefined) throw inputClosed(id);
      return taken;
    },
    async closeInput(id) {
      if (!(await get(id)).inputOpen || !(await order(id, 'close'))) throw inputClosed(id);
      // Nobody is to write to it after this call.
      const untilMs = Date.now() + CLOSE_MS;
      while (Date.now() < untilMs && existsSync(join(place(id), 'stdin'))) await sleep(5);
    },
    async signal(id, name) {
      if (!Object.hasOwn(constants.signals, `SIG${name}`)) throw noSignal(name);
      if ((await get(id)).end || !(await order(id, 'signal', name))) throw notRunning(id);
    },
    async cancel(id) {
      await order(id, 'cancel');
    },
    claimEnd: (id) =>
      writeFile(join(place(id), 'reported'), '', { flag: 'wx', mode: 0o600 }).then(
        () => true,
        () => false,
      ),
    returnEnd: (id) => rm(join(place(id), 'reported'), { force: true }),
    async remove(id) {
      ended.delete(id);
      await removeJob(place(id));
    },
    close() {
      closed = true;
    },
  };
}

/** What was left when a process was killed while it made a job. */
async function removeHalfMade(folder: string): Promise<undefined> {
  const made = await stat(folder).catch(() => undefined);
  if (made && Date.now() - made.mtimeMs > 2 * START_MS) await removeJob(folder);
}

/** Why the command was not run, as `exec` would say it. */
function refusalOf({ end }: Job, request: JobRequest): Failure {
  const reason = end?.reason ?? '';
  if (request.confinement && /^bwrap: /m.test(reason)) return sandboxFailure(Buffer.from(reason), request);
  return new Failure('unavailable', `The command could not be started: ${reason}`, {
    hint: 'Look at what `mcp-python doctor` says about the sandbox and the limits.',
  });
}

function inputClosed(id: string): Failure {
  return new Failure('conflict', `The standard input of job ${id} is closed.`, {
    hint: 'It stays open for commands started with background=true or pty=true and without stdin, until they end.',
  });
}

function notRunning(id: string): Failure {
  return new Failure('conflict', `Job ${id} does not run any more.`, { hint: 'operation=status tells how it ended.' });
}

function noSignal(name: string): Failure {
  return new Failure('invalid_input', `There is no signal ${JSON.stringify(name.slice(0, 40))}.`, {
    hint: 'Use TERM, INT, HUP, KILL, USR1, STOP, CONT and the like.',
  });
}
