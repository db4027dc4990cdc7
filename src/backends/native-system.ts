/** What this machine is, and how it is doing. */
import { constants } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemInfo, SystemStatus } from './backend.ts';

export async function nativeInfo(): Promise<SystemInfo> {
  const user = os.userInfo();
  const distribution = await distributionName();
  return {
    hostname: os.hostname(),
    platform: process.platform,
    release: os.release(),
    ...(distribution !== undefined && { distribution }),
    architecture: process.arch,
    cpuModel: os.cpus()[0]?.model.trim() || 'unknown',
    cpuCount: os.availableParallelism(),
    memoryTotalBytes: os.totalmem(),
    user: user.username,
    homeDirectory: os.homedir(),
    shell: user.shell ?? '/bin/sh',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

async function distributionName(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1];
}

/** Time between the two looks that the busy share is computed from, milliseconds. */
const SAMPLE_MS = 150;

export async function nativeStatus(signal: AbortSignal): Promise<SystemStatus> {
  const before = cpuTimes();
  const [disks, processes, memory] = await Promise.all([
    readDisks(),
    readProcesses(),
    readMemory(),
    sleep(SAMPLE_MS, undefined, { signal }),
  ]);
  const after = cpuTimes();
  const total = after.total - before.total;
  return {
    uptimeSeconds: Math.round(os.uptime()),
    loadAverage: os.loadavg() as [number, number, number],
    cpuBusy: total > 0 ? Math.round((1 - (after.idle - before.idle) / total) * 1000) / 1000 : 0,
    memory,
    disks,
    processCount: processes.length,
    topProcesses: topOf(processes),
  };
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

async function readMemory(): Promise<SystemStatus['memory']> {
  const text = await readFile('/proc/meminfo', 'latin1').catch(() => '');
  const bytes = (name: string, otherwise: number) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kilobytes === undefined ? otherwise : Number(kilobytes) * 1024;
  };
  return {
    totalBytes: os.totalmem(),
    availableBytes: bytes('MemAvailable', os.freemem()),
    swapTotalBytes: bytes('SwapTotal', 0),
    swapFreeBytes: bytes('SwapFree', 0),
  };
}

/** File systems that hold files of people, one entry a device. */
async function readDisks(): Promise<SystemStatus['disks']> {
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  const byDevice = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [device = '', mount = ''] = line.split(' ');
    if (device.startsWith('/') && !byDevice.has(device)) byDevice.set(device, mount.replaceAll('\\040', ' '));
  }
  const points = [...new Set(['/', ...byDevice.values()])];
  const disks = await Promise.all(points.map(readDisk));
  const seen = new Set<string>();
  return disks
    .filter((disk): disk is NonNullable<typeof disk> => disk !== undefined && !seen.has(disk.id) && Boolean(seen.add(disk.id)))
    .map(({ mount, totalBytes, availableBytes }) => ({ mount, totalBytes, availableBytes }));
}

async function readDisk(mount: string) {
  try {
    const [space, folder] = await Promise.all([statfs(mount), stat(mount)]);
    if (!folder.isDirectory() || space.blocks === 0) return undefined;
    return { id: `${folder.dev}`, mount, totalBytes: space.blocks * space.bsize, availableBytes: space.bavail * space.bsize };
  } catch {
    return undefined;
  }
}

type ProcessInfo = SystemStatus['topProcesses'][number];

/** Bytes in a page of memory on the platforms Node is built for; /proc counts in pages. */
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

async function readProcesses(): Promise<ProcessInfo[]> {
  const names = await readdir('/proc').catch(() => []);
  const all = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const line = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
        if (line === undefined) return undefined;
        const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
        return {
          pid: Number(name),
          name: line.slice(line.indexOf('(') + 1, line.lastIndexOf(')')),
          rssBytes: Number(fields[21]) * PAGE_BYTES,
          cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
        };
      }),
  );
  return all.filter((info): info is ProcessInfo => info !== undefined);
}

/** The five largest by memory and the five largest by CPU time. */
function topOf(processes: readonly ProcessInfo[]): ProcessInfo[] {
  const largest = (by: (info: ProcessInfo) => number) => processes.toSorted((a, b) => by(b) - by(a)).slice(0, 5);
  return [...new Set([...largest(({ rssBytes }) => rssBytes), ...largest(({ cpuSeconds }) => cpuSeconds)])];
}

/** What `name` means along a PATH; names with a slash are taken as they are. */
export async function nativeWhich(name: string, path: string): Promise<string | null> {
  if (name === '' || name.includes('\0')) return null;
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder || '.', name));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
