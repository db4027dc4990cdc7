/** The control groups that this process is in, and the folders below them that belong to servers of ours. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { killGroup, REMOVE_MS, removeGroup } from './control-group.ts';

/** Folder of the group this process is in, by controller (`memory`), and by `unified` for version 2. */
export type OwnGroups = ReadonlyMap<string, string>;

/** Reads where the groups of this process are mounted; empty where there are none. */
export async function findOwnGroups(): Promise<OwnGroups> {
  const [mounts, groups] = await Promise.all(
    ['mountinfo', 'cgroup'].map((file) => readFile(`/proc/self/${file}`, 'utf8').catch(() => '')),
  );
  const found = new Map<string, string>();
  for (const { type, root, at, options } of mountsIn(mounts ?? '')) {
    for (const [, controllers = '', path = ''] of (groups ?? '').matchAll(/^\d+:([^:]*):(.*)$/gm)) {
      const names =
        type === 'cgroup2' ? (controllers === '' ? ['unified'] : []) : controllers.split(',').filter((name) => options.has(name));
      const folder = below(root, path, at);
      for (const name of names) if (folder && !found.has(name)) found.set(name, folder);
    }
  }
  return found;
}

interface Mount {
  readonly type: string;
  /** The group that is mounted. */
  readonly root: string;
  readonly at: string;
  readonly options: ReadonlySet<string>;
}

/** Mounted control groups (proc_pid_mountinfo(5)). */
function mountsIn(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', at = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    return type === 'cgroup' || type === 'cgroup2'
      ? [{ type, root: unescaped(root), at: unescaped(at), options: new Set(options.split(',')) }]
      : [];
  });
}

function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

/** A container may see only a part of the hierarchy, and be in a group outside of it. */
function below(root: string, path: string, at: string): string | undefined {
  const relative = posix.relative(root, path);
  return relative.startsWith('..') ? undefined : join(at, relative);
}

/**
 * A new name for a folder of groups of this process. Process ids mean nothing without their namespace, and little
 * without the time of the start (proc_pid_stat(5), in clock ticks since boot).
 */
export async function homeName(): Promise<string> {
  return `${PREFIX}${await pidNamespace()}-${process.pid}-${await startOf(process.pid)}-${randomBytes(4).toString('hex')}`;
}

const PREFIX = 'mcp-python-';
const HOME = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-(\\d+)-[\\da-f]+$`);

async function pidNamespace(): Promise<string> {
  const link = await readlink('/proc/self/ns/pid').catch(() => '');
  return /\d+/.exec(link)?.[0] ?? '0';
}

async function startOf(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[19];
}

/** What stands behind the name of a process in its `stat`, from its state on. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Whether a process is this one or was started by it, or by what it started; also when it is gone. */
export async function isOurs(pid: number): Promise<boolean> {
  for (let each = pid; each !== process.pid; ) {
    const parent = (await statOf(each))?.[1];
    if (parent === undefined) return true;
    if (parent === '0' || parent === '1') return false;
    each = Number(parent);
  }
  return true;
}

/** Ends what servers that are gone left in these folders. Servers in other process namespaces cannot be judged and are let be. */
export async function endLeftovers(parents: readonly string[]): Promise<void> {
  const namespace = await pidNamespace();
  for (const parent of parents) {
    for (const name of await readdir(parent).catch(() => [])) {
      const [, space, pid, start] = HOME.exec(name) ?? [];
      if (space !== namespace || (await startOf(Number(pid))) === start) continue;
      await killGroup(join(parent, name));
      void removeGroup(join(parent, name), REMOVE_MS, false);
    }
  }
}
