/**
 * Everything a command started, found and ended: by its control group where it has one, else by its process group,
 * its descendants, and what broke away from both but still carries the command's mark in its environment.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlGroup } from './limits/control-group.ts';

/** Environment variable that marks the processes of one command. */
export const COMMAND_MARK = 'MCP_PYTHON_COMMAND';
/** Environment variable that marks the processes of one server. */
export const SERVER_MARK = 'MCP_PYTHON_SERVER';

export interface CommandTree {
  /** Process id of the command, which leads its own process group. */
  readonly leader: number;
  /** Value of `COMMAND_MARK` in its environment. */
  readonly mark: string;
  /** Holds all its processes: then nothing else is looked at. */
  readonly group?: ControlGroup | undefined;
  /** The leader only holds the sandbox that the command runs in: a signal that it does not survive ends all the rest at once. */
  readonly sandboxed?: boolean;
}

/** Whether something of a command that has ended by itself goes on. Cheap; without a control group it sees its process group only. */
export function leftBehind({ leader, group }: CommandTree): boolean {
  return group ? group.members().length > 0 : signalProcess(-leader, 0);
}

/** Sends a signal to every process of the tree that can be found. @returns how many living ones there were */
export async function signalTree(tree: CommandTree, signal: NodeJS.Signals): Promise<number> {
  const members = await livingMembers(tree);
  const sparesLeader = tree.sandboxed === true && signal !== 'SIGKILL';
  // A process group at once: none of it can fork ahead of the signal.
  const atOnce = !sparesLeader && !tree.group;
  if (atOnce) signalProcess(-tree.leader, signal);
  for (const { pid, group } of members) {
    if (sparesLeader ? pid !== tree.leader : !atOnce || group !== tree.leader) signalProcess(pid, signal);
  }
  return members.length;
}

/** Kills until nothing is left: a process may fork while it is being looked for. */
export async function killTree(tree: CommandTree): Promise<void> {
  if (tree.group) return tree.group.kill();
  signalProcess(-tree.leader, 'SIGKILL');
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if ((await signalTree(tree, 'SIGKILL')) === 0) return;
    await sleep(5);
  }
}

/** Waits until the tree is gone, at most `graceMs`: after SIGTERM its members may need a moment to clean up. */
export async function treeEnds(tree: CommandTree, graceMs: number): Promise<void> {
  const until = performance.now() + graceMs;
  while (performance.now() < until && (await livingMembers(tree)).length > 0) await sleep(10);
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

interface Member {
  readonly pid: number;
  /** Its process group, where it was looked for. */
  readonly group?: number;
}

interface ProcessEntry extends Required<Member> {
  readonly parent: number;
  readonly threads: number;
}

/**
 * The living processes of the tree. Nothing where there is no /proc; the dead whom nobody has waited for do not count.
 */
async function livingMembers(tree: CommandTree): Promise<Member[]> {
  if (tree.group) return tree.group.members().map((pid) => ({ pid }));
  const all = await readProcesses();
  const kin = kinOf(tree, all);
  const belongs = await Promise.all(all.map(async ({ pid }) => kin.has(pid) || (await markOf(pid)) === tree.mark));
  return all.filter((_, index) => belongs[index]);
}

/** The process group and its descendants. */
function kinOf({ leader }: CommandTree, all: readonly ProcessEntry[]): ReadonlySet<number> {
  const members = new Set([leader, ...all.filter(({ group }) => group === leader).map(({ pid }) => pid)]);
  for (let grew = true; grew; ) {
    const children = all.filter(({ pid, parent }) => members.has(parent) && !members.has(pid));
    for (const { pid } of children) members.add(pid);
    grew = children.length > 0;
  }
  return members;
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
  return { pid: Number(name), parent: Number(fields[1]), group: Number(fields[2]), threads: Number(fields[17]) };
}

async function markOf(pid: number): Promise<string | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return MARK.exec(environment)?.[1];
}

const MARK = new RegExp(`(?:^|\\0)${COMMAND_MARK}=([^\\0]*)`);

export interface TreeMemory {
  /** What is shared between processes is counted for each of them. */
  readonly rssBytes: number;
  /** The same with what is shared counted once, which is slow to tell. */
  exactBytes(): Promise<number>;
}

/**
 * What the tree holds in memory now; undefined where it cannot be read.
 * @param thorough also what broke away from its process group, which costs a look at every process of the machine
 */
export async function treeMemory(tree: CommandTree, thorough: boolean): Promise<TreeMemory | undefined> {
  const members = thorough ? await livingMembers(tree) : (await readProcesses()).filter(({ group }) => group === tree.leader);
  const sum = async (file: string, pattern: RegExp) => {
    const texts = await Promise.all(members.map(({ pid }) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')));
    return texts.reduce((total, text) => total + Number(pattern.exec(text)?.[1] ?? 0), 0) * 1024;
  };
  const rssBytes = await sum('status', /^VmRSS:\s+(\d+) kB$/m);
  return rssBytes > 0 ? { rssBytes, exactBytes: () => sum('smaps_rollup', /^Pss:\s+(\d+) kB$/m) } : undefined;
}

/** Processes and threads of the process group and its descendants. */
export async function treeTasks(tree: CommandTree): Promise<number> {
  const all = await readProcesses();
  const kin = kinOf(tree, all);
  return all.reduce((total, { pid, threads }) => total + (kin.has(pid) ? threads : 0), 0);
}

/** Stops the process group at once, or lets it go on. */
export function holdTree({ leader }: CommandTree, held: boolean): void {
  signalProcess(-leader, held ? 'SIGSTOP' : 'SIGCONT');
}
