/** Control groups version 2 (Documentation/admin-guide/cgroup-v2.rst of Linux): one tree for every limit. */
import { constants, existsSync } from 'node:fs';
import { access, mkdir, rmdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ResourceLimits } from '../backend.ts';
import {
  type ControlGroups,
  controlGroup,
  fieldIn,
  type GroupUsage,
  type LimitName,
  numberIn,
  put,
  putLimit,
  textIn,
} from './control-group.ts';
import { endLeftovers, homeName, isOurs, type OwnGroups } from './own-groups.ts';

const CONTROLLERS: Readonly<Record<string, LimitName>> = { memory: 'memoryBytes', pids: 'processes', cpu: 'cpus' };
/** Length of the slices of time in which the CPU quota is given, microseconds; the kernel's own default. */
export const CPU_PERIOD_US = 100_000;

/**
 * Makes a folder for our groups below our own group, or beside it: a group that has processes cannot hand controllers
 * to groups below it, which a delegated group of a service or a container solves by moving us, and a session of a
 * user by its parent, which is the user's too.
 * @param shared name of that folder; absent: one of this process
 * @returns undefined where nothing may be made; its `holds` is empty where groups can be made but limit nothing
 */
export async function openCgroupV2(own: OwnGroups, shared?: string): Promise<ControlGroups | undefined> {
  const found = own.get('unified');
  if (found === undefined) return undefined;
  const group = basename(found) === SERVER ? dirname(found) : found;
  const name = shared ?? (await homeName());
  const parents = isUnlimited(group) && !isRoot(group) ? [group, dirname(group)] : [group];
  await endLeftovers(parents);
  let spare: string | undefined;
  for (const parent of parents) {
    if (parent === group) await handDown(group);
    const home = join(parent, name);
    if (!(await isMade(home))) continue;
    const holds = enable(home);
    if (holds.size === 0 && parent !== parents.at(-1)) {
      spare = home;
      continue;
    }
    if (spare !== undefined) await rmdir(spare).catch(() => {});
    return groupsIn(home, holds);
  }
  return spare === undefined ? undefined : groupsIn(spare, new Set());
}

function groupsIn(home: string, holds: ReadonlySet<LimitName>): ControlGroups {
  return { holds, homes: [home], create: (id, limits) => create(join(home, id), limits, holds) };
}

/** Whether the folder is there and we may make groups in it: a shared one may be another user's. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether nothing is limited for the group we are in: what is made beside it would escape its limits. */
function isUnlimited(group: string): boolean {
  return ['memory.max', 'pids.max', 'cpu.max'].every((file) => /^(?:max|$)/.test(textIn(group, file)));
}

/** The root, of the machine or of a container's view, has no parent to go to. */
function isRoot(group: string): boolean {
  return !existsSync(join(dirname(group), 'cgroup.procs'));
}

/** Where we go ourselves, to make room. */
const SERVER = 'mcp-python-server';
/** How often what we start meanwhile may get in the way. */
const TRIES = 5;

/**
 * Lets our own group hand controllers to groups below it. Only one without processes can, but the root of the machine;
 * when it holds none but ours we make room by going one below.
 */
async function handDown(group: string): Promise<void> {
  for (let round = 0; existsSync(join(group, 'cgroup.type')); round++) {
    const members = textIn(group, 'cgroup.procs').split('\n').filter(Boolean);
    if (members.length === 0) break;
    const ours = await Promise.all(members.map((pid) => isOurs(Number(pid))));
    const inner = join(group, SERVER);
    if (ours.includes(false) || round === TRIES || !(await isMade(inner))) return;
    for (const pid of members) put(inner, 'cgroup.procs', pid);
  }
  enable(group);
}

/** Hands the controllers we use to the groups below. @returns the limits that they can have then */
function enable(group: string): ReadonlySet<LimitName> {
  const available = textIn(group, 'cgroup.controllers').trim().split(' ');
  const wanted = Object.keys(CONTROLLERS).filter((controller) => available.includes(controller));
  // All or none: some alone would be enabled beside processes, and make a group that no process can enter.
  const enabled = put(group, 'cgroup.subtree_control', wanted.map((controller) => `+${controller}`).join(' '));
  return new Set(enabled ? wanted.map((controller) => CONTROLLERS[controller] as LimitName) : []);
}

async function create(folder: string, { memoryBytes, cpus, processes }: ResourceLimits, holds: ReadonlySet<LimitName>) {
  await mkdir(folder, { recursive: true });
  if (holds.has('memoryBytes')) limitMemory(folder, memoryBytes);
  if (holds.has('processes')) putLimit(folder, 'pids.max', String(processes));
  if (holds.has('cpus') && cpus < availableParallelism()) {
    putLimit(folder, 'cpu.max', `${Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`);
  }
  return controlGroup({ tree: folder, folders: [folder], usage: () => usageOf(folder) });
}

function limitMemory(folder: string, bytes: number): void {
  putLimit(folder, 'memory.max', String(bytes));
  put(folder, 'memory.swap.max', '0');
  // A command of which one process was taken away is seldom of use.
  put(folder, 'memory.oom.group', '1');
}

function usageOf(folder: string): GroupUsage {
  const cpuUs = fieldIn(folder, 'cpu.stat', 'usage_usec');
  const maxMemoryBytes = numberIn(folder, 'memory.peak');
  const killed = fieldIn(folder, 'memory.events', 'oom_kill');
  const refused = fieldIn(folder, 'pids.events', 'max');
  return {
    ...(cpuUs !== undefined && { cpuMs: cpuUs / 1000 }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
    ...(killed ? { limitHit: 'memory' } : refused ? { limitHit: 'processes' } : {}),
  };
}
