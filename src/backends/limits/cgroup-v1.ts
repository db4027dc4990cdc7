/**
 * Control groups version 1 (Documentation/admin-guide/cgroup-v1 of Linux): a tree for each controller, any of which
 * may be missing. Where a tree of version 2 is mounted beside them, it finds and kills the processes.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ResourceLimits } from '../backend.ts';
import { CPU_PERIOD_US } from './cgroup-v2.ts';
import {
  type ControlGroups,
  controlGroup,
  fieldIn,
  type GroupUsage,
  killGroup,
  type LimitName,
  numberIn,
  put,
  putLimit,
  removeGroup,
} from './control-group.ts';
import { endLeftovers, homeName, type OwnGroups } from './own-groups.ts';

const CONTROLLERS: Readonly<Record<string, LimitName>> = { memory: 'memoryBytes', pids: 'processes', cpu: 'cpus' };

/**
 * @param shared name of the folder for the groups; absent: one of this process
 * @returns undefined where no limit can be set by it
 */
export async function openCgroupV1(own: OwnGroups, shared?: string): Promise<ControlGroups | undefined> {
  const name = shared ?? (await homeName());
  const homes = new Map<string, string>();
  for (const controller of ['unified', 'freezer', 'cpuacct', ...Object.keys(CONTROLLERS)]) {
    const parent = own.get(controller);
    // The unified tree does what these two are for, in one.
    const spared = homes.has('unified') && (controller === 'freezer' || controller === 'cpuacct');
    if (parent === undefined || spared || (await tried(controller, join(parent, name))) === false) continue;
    homes.set(controller, join(parent, name));
  }
  const held = Object.entries(CONTROLLERS).filter(([controller]) => homes.has(controller));
  await endLeftovers([...new Set([...homes.keys()].map((controller) => own.get(controller) as string))]);
  if (held.length === 0) {
    await Promise.all([...homes.values()].map((home) => rmdir(home).catch(() => {})));
    return undefined;
  }
  return {
    holds: new Set(held.map(([, limit]) => limit)),
    homes: [...new Set(homes.values())],
    create: (id, limits) => create(homes, id, limits),
  };
}

/** Whether a group can be made there that does what it is for. */
/** How long to wait until a group that was only tried is gone, milliseconds. */
const PROBE_MS = 1000;

async function tried(controller: string, home: string): Promise<boolean> {
  const probe = join(home, randomUUID());
  try {
    await mkdir(probe, { recursive: true });
  } catch {
    return false;
  }
  const works = PROBES[controller as keyof typeof PROBES](probe);
  await removeGroup(probe, PROBE_MS, true);
  if (!works) await rmdir(home).catch(() => {});
  return works;
}

const PROBES = {
  unified: (folder: string) => put(folder, 'cgroup.kill', '1'),
  freezer: (folder: string) => put(folder, 'freezer.state', 'THAWED'),
  cpuacct: (folder: string) => numberIn(folder, 'cpuacct.usage') !== undefined,
  memory: (folder: string) => put(folder, 'memory.limit_in_bytes', String(2 ** 30)),
  pids: (folder: string) => put(folder, 'pids.max', '512'),
  cpu: (folder: string) => put(folder, 'cpu.cfs_period_us', String(CPU_PERIOD_US)),
};

async function create(homes: ReadonlyMap<string, string>, name: string, { memoryBytes, cpus, processes }: ResourceLimits) {
  const limited = cpus < availableParallelism();
  const folders = new Map(
    [...homes]
      .filter(([controller]) => controller !== 'cpu' || limited)
      .map(([controller, home]) => [controller, join(home, name)]),
  );
  // Controllers mounted together have one folder.
  const distinct = [...new Set(folders.values())];
  await Promise.all(distinct.map((folder) => mkdir(folder, { recursive: true })));
  const memory = folders.get('memory');
  const pids = folders.get('pids');
  const cpu = folders.get('cpu');
  if (memory !== undefined) limitMemory(memory, memoryBytes);
  if (pids !== undefined) putLimit(pids, 'pids.max', String(processes));
  // Refused where our own group has less, which then holds anyway.
  if (cpu !== undefined) put(cpu, 'cpu.cfs_quota_us', String(Math.round(cpus * CPU_PERIOD_US)));
  const tree = ['unified', 'freezer', 'pids', 'memory', 'cpu']
    .map((controller) => folders.get(controller))
    .find(Boolean) as string;
  const group = controlGroup({ tree, folders: distinct, usage: () => usageOf(folders) });
  return folders.has('unified') || folders.has('freezer') || !pids ? group : { ...group, kill: () => killUnforked(tree, pids) };
}

/** Memory with swap cannot be less than memory. Without a count of swap, nothing is to be swapped out for the group. */
function limitMemory(folder: string, bytes: number): void {
  putLimit(folder, 'memory.limit_in_bytes', String(bytes));
  if (!put(folder, 'memory.memsw.limit_in_bytes', String(bytes))) put(folder, 'memory.swappiness', '0');
}

/** With no way to stop or to kill a group as a whole, it is kept from forking first. */
async function killUnforked(tree: string, pids: string): Promise<void> {
  put(pids, 'pids.max', '0');
  await killGroup(tree);
}

function usageOf(folders: ReadonlyMap<string, string>): GroupUsage {
  const of = (controller: string, read: (folder: string) => number | undefined) => {
    const folder = folders.get(controller);
    return folder === undefined ? undefined : read(folder);
  };
  const cpuUs = of('unified', (folder) => fieldIn(folder, 'cpu.stat', 'usage_usec'));
  const cpuNs = of('cpuacct', (folder) => numberIn(folder, 'cpuacct.usage'));
  const maxMemoryBytes = of('memory', (folder) => numberIn(folder, 'memory.max_usage_in_bytes'));
  const killed = of('memory', (folder) => fieldIn(folder, 'memory.oom_control', 'oom_kill'));
  const refused = of('pids', (folder) => fieldIn(folder, 'pids.events', 'max'));
  const cpuMs = cpuUs !== undefined ? cpuUs / 1000 : cpuNs !== undefined ? cpuNs / 1_000_000 : undefined;
  return {
    ...(cpuMs !== undefined && { cpuMs }),
    ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
    ...(killed ? { limitHit: 'memory' } : refused ? { limitHit: 'processes' } : {}),
  };
}
