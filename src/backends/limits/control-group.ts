/**
 * A command with all it starts as one control group of the kernel (cgroups(7)): counted, bounded and ended as a whole.
 *
 * Files of control groups are read and written synchronously: the kernel answers from memory, sooner than another
 * thread would take over. Making and removing groups may wait for a lock of the whole system, and is not.
 */
import { closeSync, constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import type { ExecResult, ResourceLimits } from '../backend.ts';

export type LimitName = keyof ResourceLimits;

export interface ControlGroup {
  /** `cgroup.procs` files: a process that writes `0` to each of them is inside, with all it will start. */
  readonly entrances: readonly string[];
  /** Processes inside, the dead left out. */
  members(): number[];
  /** Kills all of them at once and waits until the group is empty, at most ten seconds. */
  kill(): Promise<void>;
  usage(): GroupUsage;
  /** Takes the group away as soon as it is empty. Does not wait for that and never fails. */
  remove(): void;
}

export interface GroupUsage {
  readonly cpuMs?: number;
  /** The most memory it had at once, files cached for it included. */
  readonly maxMemoryBytes?: number;
  readonly limitHit?: ExecResult['limitHit'];
}

/** Where the groups of this server are made. */
export interface ControlGroups {
  /** Limits that the kernel enforces here. */
  readonly holds: ReadonlySet<LimitName>;
  /** Folders that hold nothing but our groups, the one by which processes are found first. To be ended with this process. */
  readonly homes: readonly string[];
  /** @param name one part of a path, not used before */
  create(name: string, limits: ResourceLimits): Promise<ControlGroup>;
}

interface GroupParts {
  /** The folder by which its processes are found and killed. */
  readonly tree: string;
  /** Every folder of it, `tree` included. */
  readonly folders: readonly string[];
  usage(): GroupUsage;
}

/** The group that lives in these folders. */
export function controlGroup({ tree, folders, usage }: GroupParts): ControlGroup {
  return {
    entrances: folders.map((folder) => join(folder, 'cgroup.procs')),
    members: () => membersOf(tree),
    kill: () => killGroup(tree),
    usage,
    remove: () => void Promise.all(folders.map((folder) => removeGroup(folder, REMOVE_MS, false))),
  };
}

/** Processes in a group and the groups below it. */
function membersOf(folder: string): number[] {
  const own = textIn(folder, 'cgroup.procs').split('\n').filter(Boolean).map(Number);
  return [...own, ...foldersIn(folder).flatMap(membersOf)];
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}

/** How long the dead of a group may take to be gone, milliseconds. */
const KILL_MS = 10_000;

/** Kills what is in a group and below it until nothing is. A bomb cannot fork ahead of it: it is killed as a whole, or stopped first. */
export async function killGroup(folder: string): Promise<void> {
  const until = performance.now() + KILL_MS;
  for (let pause = 1; performance.now() < until; pause = Math.min(pause * 2, 50)) {
    if (membersOf(folder).length === 0) return;
    if (!put(folder, 'cgroup.kill', '1')) stopAndKill(folder);
    await sleep(pause);
  }
}

/** Before Linux 5.14, and in version 1. */
function stopAndKill(folder: string): void {
  const stopped = put(folder, 'cgroup.freeze', '1') || put(folder, 'freezer.state', 'FROZEN');
  for (const pid of membersOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone.
    }
  }
  if (stopped && !put(folder, 'cgroup.freeze', '0')) put(folder, 'freezer.state', 'THAWED');
}

/** How long a group may be busy before it is left for the next start, milliseconds. */
export const REMOVE_MS = 30_000;

/**
 * Removes a group and those below it; a dead process that nobody has waited for may hold it for a moment.
 * @param awaited somebody waits for it, so that the process has to live on until then
 */
export async function removeGroup(folder: string, withinMs: number, awaited: boolean): Promise<void> {
  const until = performance.now() + withinMs;
  for (let pause = 1; performance.now() < until; pause = Math.min(pause * 2, 200)) {
    try {
      return await rmdir(folder);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    }
    await Promise.all(foldersIn(folder).map((below) => rmdir(below).catch(() => removeGroup(below, withinMs, awaited))));
    await sleep(pause, undefined, { ref: awaited });
  }
}

/** Writes to a file of a group. @returns false when there is no such file, or the kernel refuses the value */
export function put(folder: string, file: string, value: string): boolean {
  try {
    // Neither made nor read: some of these files may only be written.
    const opened = openSync(join(folder, file), constants.O_WRONLY);
    try {
      writeSync(opened, value);
    } finally {
      closeSync(opened);
    }
    return true;
  } catch {
    return false;
  }
}

/** Sets a limit. @throws Failure `unavailable` when the kernel refuses: nothing is to run without it */
export function putLimit(folder: string, file: string, value: string): void {
  if (put(folder, file, value)) return;
  throw new Failure('unavailable', `The limit ${file} of a command could not be set to ${value}.`, {
    hint: 'Look at what `mcp-python doctor` says about limits.',
  });
}

/** A file of a group that holds one number. */
export function numberIn(folder: string, file: string): number | undefined {
  const text = textIn(folder, file);
  return text === '' ? undefined : Number(text);
}

/** One line of a file of a group that holds `name number` lines. */
export function fieldIn(folder: string, file: string, field: string): number | undefined {
  const line = textIn(folder, file)
    .split('\n')
    .find((candidate) => candidate.startsWith(`${field} `));
  return line === undefined ? undefined : Number(line.slice(field.length + 1));
}

/** Empty where there is no such file. */
export function textIn(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'latin1');
  } catch {
    return '';
  }
}
