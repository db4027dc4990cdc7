/** The mounts of this process (proc_pid_mountinfo(5)): which there are, and which show the same files twice. */
import { readFileSync } from 'node:fs';

interface Mount {
  readonly id: string;
  /** `ext4`, `proc` … */
  readonly type: string;
  /** Major and minor number of the file system. */
  readonly device: string;
  /** The folder of the file system that is seen at `point`. */
  readonly root: string;
  readonly point: string;
}

/** Mounts change seldom, and only by the hand of an administrator. */
const FRESH_MS = 5000;
let table: { readonly mounts: ReadonlyMap<string, Mount>; readonly readMs: number } | undefined;

/** By id. */
function mountTable(maxAgeMs = FRESH_MS): ReadonlyMap<string, Mount> {
  if (!table || performance.now() - table.readMs >= maxAgeMs) {
    const mounts = new Map(parseMounts(readMountInfo()).map((mount) => [mount.id, mount]));
    table = { mounts, readMs: performance.now() };
  }
  return table.mounts;
}

/** The kernel writes it on the spot; no disk and no network is asked. */
function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** @param text lines of `id parent major:minor root point options … - type source options`, blanks written as `\040` */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [id, , device, root, point, ...others] = line.split(' ');
    if (id === undefined || device === undefined || root === undefined || point === undefined) return [];
    const type = others[others.indexOf('-') + 1] ?? '';
    return [{ id, type, device, root: unescaped(root), point: unescaped(point) }];
  });
}

const unescaped = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const KERNEL_TYPES: ReadonlySet<string> = new Set(['proc', 'sysfs', 'devtmpfs', 'debugfs', 'tracefs']);
const KERNEL_FOLDERS = ['/proc', '/sys', '/dev'];

/** Why files on a mount have no path that can be judged; undefined when they have. */
export function mountObjection(id: string): string | undefined {
  const mount = mountTable().get(id) ?? mountTable(0).get(id);
  // Through /proc/<pid>/root one gets into the trees of containers, where the same path means another file.
  if (!mount) return 'it is in the file tree of another process';
  // As in the folder of a system to change root to. There its doors go by other names than those we know.
  if (KERNEL_TYPES.has(mount.type) && !KERNEL_FOLDERS.some((folder) => isBelow(mount.point, folder)))
    return `it is a second ${mount.type}`;
  return undefined;
}

/** The other paths under which the same files are seen because their file system, or a part of it, is mounted twice. */
export function otherMountsOf(path: string, mounts: readonly Mount[] = [...mountTable().values()]): string[] {
  // What is mounted later, or deeper, covers what is below.
  const own = mounts.reduce<Mount | undefined>(
    (best, mount) => (isBelow(path, mount.point) && mount.point.length >= (best?.point.length ?? 0) ? mount : best),
    undefined,
  );
  if (!own) return [];
  const inside = join(own.root, rest(path, own.point));
  const others = mounts.filter((mount) => mount !== own && mount.device === own.device);
  return others.flatMap(({ root, point }) => {
    if (isBelow(inside, root)) return [join(point, rest(inside, root))];
    return isBelow(root, inside) ? [point] : [];
  });
}

const isBelow = (path: string, folder: string) => path === folder || folder === '/' || path.startsWith(`${folder}/`);
/** What follows `folder` in a path below it: empty, or with a slash in front. */
const rest = (path: string, folder: string) => (folder === '/' ? (path === '/' ? '' : path) : path.slice(folder.length));
const join = (folder: string, tail: string) => (folder === '/' ? tail || '/' : folder + tail);
