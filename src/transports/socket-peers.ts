/**
 * Whether a connection on the local socket comes from a command that a tool runs. A sandboxed command does not see the
 * socket; this is a guard rail for the others, where the system tells who is connected: on Linux with `ss`.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SERVER_MARK } from '../backends/process-tree.ts';
import { HttpRefusal } from './http-exchange.ts';

/** Longest time to look, milliseconds. */
const LOOK_MS = 2000;

/** @returns a check that looks once a connection. It throws HttpRefusal 403 for one that a command of ours has opened. */
export function createPeerCheck(): (request: IncomingMessage) => Promise<void> {
  const checked = new WeakMap<Socket, Promise<boolean>>();
  return async ({ socket }) => {
    const checking = checked.get(socket) ?? comesFromOwnCommand(socket);
    checked.set(socket, checking);
    if (await checking) throw new HttpRefusal(403, 'The local socket is for people: a command that a tool runs may not use it.');
  };
}

/** False also where it cannot be told. */
async function comesFromOwnCommand(socket: Socket): Promise<boolean> {
  const marked = await markedProcesses();
  if (marked.size === 0) return false;
  for (const pid of await peersOf(socket)) if (await descends(pid, marked)) return true;
  return false;
}

/** Processes that carry the mark of a server in their environment. */
async function markedProcesses(): Promise<ReadonlySet<number>> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      if (!/^\d+$/.test(name)) return [];
      const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
      return environment.startsWith(`${SERVER_MARK}=`) || environment.includes(`\0${SERVER_MARK}=`) ? [Number(name)] : [];
    }),
  );
  return new Set(found.flat());
}

/** The processes at the other end of a Unix socket; none where it cannot be told. */
export async function peersOf(socket: Socket): Promise<readonly number[]> {
  // Node tells the descriptor nowhere else.
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  if (inode === undefined) return [];
  const table = await new Promise<string>((resolve) => {
    execFile('ss', ['-xpnH'], { timeout: LOOK_MS, maxBuffer: 2 ** 26 }, (_, stdout) => resolve(stdout));
  });
  // Columns: type, state, queues, address and inode, address and inode of the peer, processes.
  const rows = table.split('\n').filter((line) => new RegExp(`^\\S+\\s+ESTAB\\s.*\\s\\d+\\s+\\*\\s+${inode}(\\s|$)`).test(line));
  return rows.flatMap((line) => [...line.matchAll(/\bpid=(\d+)/g)].map(([, pid]) => Number(pid)));
}

async function descends(pid: number, marked: ReadonlySet<number>): Promise<boolean> {
  for (let each = pid; each > 1; ) {
    if (marked.has(each)) return true;
    const stat = await readFile(`/proc/${each}/stat`, 'latin1').catch(() => '');
    each = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return false;
}
