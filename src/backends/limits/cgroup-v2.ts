/** Control groups version 2 (Documentation/admin-guide/cgroup-v2.rst of Linux): one tree for every limit. */
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
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
} from './control-group.ts';
import { endLeftovers, homeName, type OwnGroups } from './own-groups.ts';

const CONTROLLERS: Readonly<Record<string, LimitName>> = { memory: 'memoryBytes', pids: 'processes', cpu: 'cpus' };
/** Length of the slices of time in which the CPU quota is given, microseconds; the kernel's own default. */
export const CPU_PERIOD_US = 100_000;

/**
 * Makes a folder for our groups below our own group, or beside it: a group that has processes cannot hand controllers
 * to groups below it, which a delegated group of a service or a container solves by moving us, and a session of a
 * user by its parent, which is the user's too.
 * @returns undefined where nothing may be made; its `holds` is empty where groups can be made but limit nothing
 */
export async function openCgroupV2(own: OwnGroups): Promise<ControlGroups | undefined> {
  const group = own.get('unified');
  if (group === undefined) return undefined;
  const name = await homeName();
  const parents = (await unlimited(group)) && !(await isRoot(group)) ? [group, dirname(group)] : [group];
  let spare: ControlGroups | undefined;
  for (const parent of parents) {
    const home = join(parent, name);
    if (parent === group) await handDown(group);
    const made = await mkdir(home, { recursive: true }).then(
      () => true,
      () => false,
    );
    if (!made) continue;
    await endLeftovers([parent]);
    const holds = await enable(home);
    const groups: ControlGroups = {
      holds,
      homes: [home],
      create: (id, limits) => create(join(home, id), limits, holds),
    };
    if (groups.holds.size > 0) return groups;
    spare ??= groups;
  }
  return spare;
}

/** Whether nothing is limited for the group we are in: what is made beside it would escape its limits. */
async function unlimited(group: string): Promise<boolean> {
  const limits = await Promise.all(
    ['memory.max', 'pids.max', 'cpu.max'].map((file) => readFile(join(group, file), 'latin1').catch(() => 'max')),
  );
  return limits.every((limit) => limit.startsWith('max'));
}

/** The root, of the machine or of a container's view, has no parent to go to. */
async function isRoot(group: string): Promise<boolean> {
  return readFile(join(dirname(group), 'cgroup.procs')).then(
    () => false,
    () => true,
  );
}

/** Lets our own group hand controllers to groups below it. When we are alone in it we make room by going one below. */
async function handDown(group: string): Promise<void> {
  if ((await enable(group)).size > 0) return;
  const members = (await readFile(join(group, 'cgroup.procs'), 'latin1').catch(() => '')).split('\n').filter(Boolean);
  if (members.length !== 1 || members[0] !== String(process.pid)) return;
  const inner = join(group, 'mcp-python-server');
  await mkdir(inner, { recursive: true }).catch(() => {});
  if (await put(inner, 'cgroup.procs', '0')) await enable(group);
}

/** Hands the controllers we use to the groups below. @returns the limits that they can have then */
async function enable(group: string): Promise<ReadonlySet<LimitName>> {
  const available = (await readFile(join(group, 'cgroup.controllers'), 'latin1').catch(() => '')).trim().split(' ');
  const holds = new Set<LimitName>();
  for (const [controller, limit] of Object.entries(CONTROLLERS)) {
    if (available.includes(controller) && (await put(group, 'cgroup.subtree_control', `+${controller}`))) holds.add(limit);
  }
  return holds;
}

async function create(folder: string, { memoryBytes, cpus, processes }: ResourceLimits, holds: ReadonlySet<LimitName>) {
  await mkdir(folder, { recursive: true });
  const limited = cpus < availableParallelism();
  await Promise.all([
    holds.has('memoryBytes') && limitMemory(folder, memoryBytes),
    holds.has('processes') && putLimit(folder, 'pids.max', String(processes)),
    holds.has('cpus') && limited && putLimit(folder, 'cpu.max', `${Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`),
  ]);
  return controlGroup({ tree: folder, folders: [folder], usage: () => usageOf(folder) });
}

async function limitMemory(folder: string, bytes: number): Promise<void> {
  await putLimit(folder, 'memory.max', String(bytes));
  await put(folder, 'memory.swap.max', '0');
  // A command of which one process was taken away is seldom of use.
  await put(folder, 'memory.oom.group', '1');
}

async function usageOf(folder: string): Promise<GroupUsage> {
  const [cpuUs, maxMemoryBytes, killed, refused] = await Promise.all([
    fieldIn(folder, 'cpu.stat', 'usage_usec'),
    numberIn(folder, 'memory.peak'),
    fieldIn(folder, 'memory.events', 'oom_kill'),
    fieldIn(folder, 'pids.events', 'max'),
  ]);
  return {
    ...(cpuUs !== undefined && { cpuMs: cpuUs / 1000 }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
    ...(killed ? { limitHit: 'memory' } : refused ? { limitHit: 'processes' } : {}),
  };
}
