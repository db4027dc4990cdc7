/** The mounts of this process (proc_pid_mountinfo(5)): which there are, and which show the same files twice. */
import { readFileSync } from 'node:fs';

interface Mount {
  readonly id: string;
  /** Major and minor number of the file system. */
  readonly device: string;
  /** The folder of the file system that is seen at `point`. */
  readonly root: string;
  readonly point: string;
}

/** Mounts change seldom, and only by the hand of an administrator. */
const FRESH_MS = 5000;
let table: { readonly mounts: readonly Mount[]; readonly ids: ReadonlySet<string>; readonly readMs: number } | undefined;

function mountTable(maxAgeMs = FRESH_MS) {
  if (table && performance.now() - table.readMs < maxAgeMs) return table;
  const mounts = parseMounts(readMountInfo());
  table = { mounts, ids: new Set(mounts.map(({ id }) => id)), readMs: performance.now() };
  return table;
}

/** The kernel writes it on the spot; no disk and no network is asked. */
function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** @param text lines of `id parent major:minor root point …`, blanks in paths written as `\040` */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [id, , device, root, point] = line.split(' ');
    if (id === undefined || device === undefined || root === undefined || point === undefined) return [];
    return [{ id, device, root: unescaped(root), point: unescaped(point) }];
  });
}

const unescaped = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Whether a mount is one of this process: the path of a file on another one means nothing here. */
export function isOwnMount(id: string): boolean {
  return mountTable().ids.has(id) || mountTable(0).ids.has(id);
}

/** The other paths under which the same files are seen because their file system, or a part of it, is mounted twice. */
export function otherMountsOf(path: string, mounts: readonly Mount[] = mountTable().mounts): string[] {
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
