/**
 * Everything a command started, found and ended: its process group, its descendants, and what broke away from
 * both but still carries the command's mark in its environment.
 */
import { readdir, readFile } from 'node:fs/promises';

/** Environment variable that marks the processes of one command. */
export const COMMAND_MARK = 'MCP_PYTHON_COMMAND';
/** Environment variable that marks the processes of one server. */
export const SERVER_MARK = 'MCP_PYTHON_SERVER';

export interface CommandTree {
  /** Process id of the command, which leads its own group. */
  readonly leader: number;
  /** Value of `COMMAND_MARK` in its environment. */
  readonly mark: string;
}

/** Whether the command's process group has members, dead ones whom nobody has waited for included. Cheap. */
export function groupExists(leader: number): boolean {
  return signalProcess(-leader, 0);
}

/** Sends a signal to every process of the tree that can be found. @returns how many living ones there were */
export async function signalTree(tree: CommandTree, signal: NodeJS.Signals): Promise<number> {
  const members = await livingMembers(tree);
  signalProcess(-tree.leader, signal);
  for (const { pid, group } of members) if (group !== tree.leader) signalProcess(pid, signal);
  return members.length;
}

/** Kills until nothing is left: a process may fork while it is being looked for. */
export async function killTree(tree: CommandTree): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if ((await signalTree(tree, 'SIGKILL')) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until the tree is gone, at most `graceMs`: after SIGTERM its members may need a moment to clean up. */
export async function treeEnds(tree: CommandTree, graceMs: number): Promise<void> {
  const until = performance.now() + graceMs;
  while (performance.now() < until && (await livingMembers(tree)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const MAX_ROUNDS = 100;

/** Kills what carries the mark of one of these commands. One look at /proc serves them all. */
export async function killMarked(marks: ReadonlySet<string>): Promise<void> {
  const names = await readdir('/proc').catch(() => []);
  for (const pid of names.filter((name) => /^\d+$/.test(name)).map(Number)) {
    const mark = await markOf(pid);
    if (mark !== undefined && marks.has(mark)) signalProcess(pid, 'SIGKILL');
  }
}

/** Sends a signal, or with 0 asks. @returns false when there is no such process, or it is not ours */
function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/**
 * The living processes of the group, their descendants, and what carries the mark. Nothing where there is no
 * /proc; the dead whom nobody has waited for do not count.
 */
async function livingMembers({ leader, mark }: CommandTree): Promise<ProcessEntry[]> {
  const all = await readProcesses();
  const members = new Set([leader, ...all.filter(({ group }) => group === leader).map(({ pid }) => pid)]);
  for (let grew = true; grew; ) {
    const children = all.filter(({ pid, parent }) => members.has(parent) && !members.has(pid));
    for (const { pid } of children) members.add(pid);
    grew = children.length > 0;
  }
  const belongs = await Promise.all(all.map(async ({ pid }) => members.has(pid) || (await markOf(pid)) === mark));
  return all.filter((_, index) => belongs[index]);
}

/** Every process of this machine but kernel threads, ourselves and the dead. */
async function readProcesses(): Promise<ProcessEntry[]> {
  const names = await readdir('/proc').catch(() => []);
  const entries = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readProcess));
  return entries.filter((entry): entry is ProcessEntry => entry !== undefined && entry.pid !== process.pid);
}

async function readProcess(name: string): Promise<ProcessEntry | undefined> {
  const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
  // The program's name stands in parentheses and may hold any character (proc(5)).
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid: Number(name), parent: Number(fields[1]), group: Number(fields[2]) };
}

async function markOf(pid: number): Promise<string | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return MARK.exec(environment)?.[1];
}

const MARK = new RegExp(`(?:^|\\0)${COMMAND_MARK}=([^\\0]*)`);

/** Memory of the tree's group leader and its descendants, bytes; undefined where it cannot be read. */
export async function residentBytes({ leader }: CommandTree): Promise<number | undefined> {
  const members = (await readProcesses()).filter(({ pid, group }) => group === leader || pid === leader);
  const sizes = await Promise.all(
    members.map(async ({ pid }) => {
      const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total > 0 ? total : undefined;
}
