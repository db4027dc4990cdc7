/** What a job's folder says: who it is for, whether it runs, how it ended. */
import { constants as fs } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import type { Job, JobEnd, JobLabel, OutputStream } from '../backend.ts';

/** What is written down before the command starts, and never changed. */
export interface JobMeta {
  readonly id: string;
  readonly label: JobLabel;
  readonly cwd: string;
  readonly createdMs: number;
  readonly timeoutMs: number;
  readonly terminal: boolean;
  readonly sandboxed: boolean;
  /** Value of `COMMAND_MARK` in the environment of its processes. */
  readonly mark: string;
  /** Folders of its control groups, first the one by which its processes are found. */
  readonly groups: readonly string[];
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

/** The folder of a job. @throws Failure `not_found` for what is no id at all */
export function folderOf(jobs: string, id: string): string {
  if (!UUID.test(id)) throw noJob(id);
  return join(jobs, id);
}

export function noJob(id: string): Failure {
  return new Failure('not_found', `There is no job ${JSON.stringify(id.slice(0, 80))}.`, {
    hint: 'manage_job with operation=list tells which there are; jobs that ended are removed after `execution.jobs.retention`.',
  });
}

/** What has been taken away and is not deleted yet. */
const REMOVED = /\.removed$/;

/** Ids of all folders of jobs, also of those that were only half made. Deletes what somebody was killed deleting. */
export async function jobIds(jobs: string): Promise<string[]> {
  const names = await readdir(jobs).catch(() => []);
  const removed = names.filter((name) => REMOVED.test(name));
  await Promise.all(removed.map((name) => rm(join(jobs, name), { recursive: true, force: true })));
  return names.filter((name) => UUID.test(name));
}

/** How long a supervisor may take until the command runs, milliseconds. */
export const START_MS = 30_000;

/** Takes a job away in one step, so that nobody sees a part of it. */
export async function removeJob(folder: string): Promise<void> {
  const away = `${folder}.removed`;
  await rename(folder, away).catch(missing);
  await rm(away, { recursive: true, force: true });
}

/** @returns undefined where there is no such job, or no more of it than a folder */
export async function readJob(folder: string): Promise<(Job & { readonly meta: JobMeta }) | undefined> {
  const job = await readFiles(folder);
  const { outcome } = job?.end ?? {};
  // What was taken away meanwhile looks like one that nobody saw end, or begin.
  const doubtful = outcome === 'interrupted' || outcome === 'failed';
  return doubtful && !(await readMeta(folder)) ? undefined : job;
}

async function readFiles(folder: string): Promise<(Job & { readonly meta: JobMeta }) | undefined> {
  const meta = await readMeta(folder);
  if (!meta) return undefined;
  const [end, inputOpen, stdout, stderr] = await Promise.all([
    readEnd(folder, meta),
    stat(join(folder, 'stdin')).then(
      () => true,
      () => false,
    ),
    sizesOf(folder, 'stdout'),
    sizesOf(folder, 'stderr'),
  ]);
  const { id, label, cwd, createdMs, timeoutMs, terminal } = meta;
  return {
    ...{ meta, id, label, cwd, createdMs, timeoutMs, terminal, end },
    inputOpen: inputOpen && end === undefined,
    bytes: { stdout: stdout.head + stdout.tail, stderr: stderr.head + stderr.tail },
    cutOff: [...(stdout.cutOff ? ['stdout' as const] : []), ...(stderr.cutOff ? ['stderr' as const] : [])],
  };
}

async function readMeta(folder: string): Promise<JobMeta | undefined> {
  try {
    return JSON.parse(await readText(folder, 'meta.json')) as JobMeta;
  } catch (thrown) {
    // Not written to its end, as when the disk was full or its maker was killed.
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

async function readEnd(folder: string, meta: JobMeta): Promise<JobEnd | undefined> {
  for (let look = 0; look < 2; look++) {
    const told = await readText(folder, 'exit');
    const written = told === '' ? undefined : await stat(join(folder, 'exit')).catch(missing);
    if (written) return endOf(told, written.mtimeMs, await begun(folder), folder);
    if (await isAlive(folder)) return undefined;
    // It may have ended between the two looks.
  }
  if (!(await begun(folder)) && Date.now() - meta.createdMs < START_MS) return undefined;
  const noticed = await stat(join(folder, 'reported')).catch(() => undefined);
  return { outcome: 'interrupted', exitCode: null, signal: null, resources: {}, endedMs: noticed?.mtimeMs ?? Date.now() };
}

async function begun(folder: string): Promise<boolean> {
  return (await readText(folder, 'begun')) !== '';
}

/** Whether the supervisor lives: only then somebody holds its FIFO open for reading. */
async function isAlive(folder: string): Promise<boolean> {
  try {
    await (await open(join(folder, 'alive'), fs.O_WRONLY | fs.O_NONBLOCK)).close();
    return true;
  } catch {
    return false;
  }
}

/** What the supervisor wrote of the end, and what it means. */
async function endOf(told: string, endedMs: number, ran: boolean, folder: string): Promise<JobEnd> {
  const facts = told.split('\n');
  const status = Number(factOf(facts, 'status'));
  const resources = {
    ...optional('cpuMs', numberOf(facts, 'cpu.stat usage_usec', 1000) ?? numberOf(facts, 'cpuacct.usage', 1_000_000)),
    ...optional('maxRssBytes', numberOf(facts, 'memory.peak', 1) ?? numberOf(facts, 'memory.max_usage_in_bytes', 1)),
  };
  if (!ran && !facts.includes('cancelled') && !facts.includes('overtime')) {
    return { outcome: 'failed', exitCode: null, signal: null, reason: await reasonIn(folder), resources, endedMs };
  }
  const killed = numberOf(facts, 'memory.events oom_kill', 1) || numberOf(facts, 'memory.oom_control oom_kill', 1);
  const limitHit = killed ? 'memory' : numberOf(facts, 'pids.events max', 1) ? 'processes' : undefined;
  const outcome = facts.includes('overtime') ? 'timeout' : facts.includes('cancelled') ? 'cancelled' : 'exited';
  const signal = status > 128 ? signalName(status % 128) : undefined;
  // Shells tell a signal as an exit code that a command can also choose by itself.
  const bySignal =
    signal !== undefined &&
    (status > 255 || facts.includes('killed') || facts.includes(`sent ${signal.slice(3)}`) || limitHit === 'memory');
  return {
    outcome,
    exitCode: bySignal ? null : status,
    signal: bySignal ? signal : null,
    ...(limitHit && { limitHit }),
    resources,
    endedMs,
  };
}

function factOf(facts: readonly string[], name: string): string | undefined {
  return facts.find((fact) => fact.startsWith(`${name} `))?.slice(name.length + 1);
}

function numberOf(facts: readonly string[], name: string, divisor: number): number | undefined {
  const value = Number(factOf(facts, name));
  return Number.isFinite(value) ? Math.round(value / divisor) : undefined;
}

function optional<K extends string>(key: K, value: number | undefined): { [key in K]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: number };
}

/** What kept the command from being run said so on its standard error. */
async function reasonIn(folder: string): Promise<string> {
  const said = (await readText(folder, 'stderr')).trim().slice(-1000);
  return said === '' ? 'its supervisor could not be started' : said;
}

/** Name of a signal by its number: `SIGTERM`. */
function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
}

/** A stream is its file, and what came last of more than the file may hold. */
export interface StreamSizes {
  readonly head: number;
  readonly tail: number;
  readonly cutOff: boolean;
}

export async function sizesOf(folder: string, stream: OutputStream): Promise<StreamSizes> {
  const [head, tail] = await Promise.all(
    [stream, `${stream}.tail`].map((name) => stat(join(folder, name)).then(({ size }) => size, missing)),
  );
  return { head: head ?? 0, tail: tail ?? 0, cutOff: tail !== undefined };
}

/** Bytes of a stream; shorter at its end, empty behind it. */
export async function readStream(folder: string, stream: OutputStream, position: number, length: number): Promise<Uint8Array> {
  const { head } = await sizesOf(folder, stream);
  const first = await readPart(join(folder, stream), position, Math.min(length, head - position));
  const left = length - first.byteLength;
  if (left === 0 || position + first.byteLength < head) return first;
  const second = await readPart(join(folder, `${stream}.tail`), Math.max(0, position - head), left);
  return second.byteLength === 0 ? first : Buffer.concat([first, second]);
}

async function readPart(path: string, position: number, length: number): Promise<Uint8Array> {
  if (length <= 0) return new Uint8Array();
  const file = await open(path, fs.O_RDONLY | fs.O_NOFOLLOW).catch(missing);
  if (!file) return new Uint8Array();
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Empty where there is no such file. */
async function readText(folder: string, name: string): Promise<string> {
  return (await readFile(join(folder, name), 'utf8').catch(missing)) ?? '';
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
