/**
 * Holding a file or folder, so that what was judged is what is used: names can be moved, linked and replaced at any
 * time, an opened object stays what it is.
 *
 * Linux opens with O_PATH, which touches nothing (open(2)): a device stays at rest, a FIFO waits for nobody. The kernel
 * tells under /proc/self/fd where the object is, and leads back to it by the same path whatever its name has become.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstat,
  fstatSync,
  lstatSync,
  open,
  openSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open as openHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import { unsteady } from './native-files-failures.ts';
import { holdByName } from './native-files-held-by-name.ts';
import { mountObjection } from './native-mounts.ts';

export interface Held extends Disposable {
  /** Leads to the object itself; what is in a folder is below it. Only good as long as it is held. */
  readonly path: string;
  /** Where it was when it was opened, all links resolved. */
  readonly realPath: string;
  /** Where it is now. @throws Failure `conflict` when it is nowhere any more */
  whereNow(): Promise<string>;
  stats(): Promise<BigIntStats>;
  /** The same object opened for reading. Only for regular files: devices and FIFOs act when they are opened. */
  open(): Promise<FileHandle>;
}

export interface HoldOptions {
  /** Only a folder will do; without it anything. */
  readonly folder?: boolean;
  /** Whether a link at the end of the path is followed; true if absent. */
  readonly follow?: boolean;
  /**
   * The path starts at something held and is used only if it is the real path too. Without links on the way it cannot
   * lead into the tree of another process, so that is not looked at.
   */
  readonly exact?: boolean;
}

/** @throws the system’s own errors (`ENOENT` and the like), Failure `denied` or `conflict` */
export type Hold = (path: string, options?: HoldOptions) => Promise<Held>;

/** Linux only: node:fs has no name for it. The same number on every architecture Node runs on. */
const O_PATH = 0o10000000;
/** How often an object is looked for again whose name went to another one in between, as when a file is replaced. */
const MAX_ATTEMPTS = 50;

const openDescriptor = promisify(open);
const statDescriptor = promisify(fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>;

async function holdByDescriptor(path: string, { folder = false, follow = true, exact = false }: HoldOptions = {}): Promise<Held> {
  const flags = O_PATH | (folder ? constants.O_DIRECTORY : 0) | (follow ? 0 : constants.O_NOFOLLOW);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const fd = await openDescriptor(path, flags);
    const realPath = placeOrClose(fd, path, exact);
    if (realPath !== undefined) return held(fd, path, realPath);
    closeSync(fd);
  }
  throw unsteady(path);
}

function placeOrClose(fd: number, path: string, exact: boolean): string | undefined {
  try {
    return placeOf(fd, path, exact);
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}

function held(fd: number, asked: string, realPath: string): Held {
  const path = `/proc/self/fd/${fd}`;
  return {
    path,
    realPath,
    async whereNow() {
      const place = placeOf(fd, asked);
      if (place === undefined) throw unsteady(asked);
      return place;
    },
    stats: () => statDescriptor(fd, { bigint: true }),
    // O_NONBLOCK changes nothing for regular files; it keeps anything else from holding us up.
    open: () => openHandle(path, constants.O_RDONLY | constants.O_NONBLOCK),
    // Nothing was read or written through it, so closing waits for nothing.
    [Symbol.dispose]: () => closeSync(fd),
  };
}

const DELETED = ' (deleted)';

/** Where an open object is, undefined when it has no name any more. The kernel answers from memory. */
function placeOf(fd: number, asked: string, exact = false): string | undefined {
  const place = readlinkSync(`/proc/self/fd/${fd}`);
  if (!place.startsWith('/')) throw new Failure('denied', `${asked} leads to what is no file: ${place}.`);
  const mount = exact ? undefined : mountOf(fd);
  const objection = mount === undefined ? undefined : mountObjection(mount);
  if (objection) throw new Failure('denied', `${asked} is out of bounds: ${objection}.`);
  return place.endsWith(DELETED) && !isNamed(place, fd) ? undefined : place;
}

/** A file may really have a name that ends like that. */
function isNamed(place: string, fd: number): boolean {
  const named = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}

const FDINFO = Buffer.alloc(512);

/** Number of the mount an open object was reached through (proc_pid_fdinfo(5)). */
function mountOf(fd: number): string | undefined {
  const info = openSync(`/proc/self/fdinfo/${fd}`, constants.O_RDONLY);
  try {
    return /^mnt_id:\s*(\d+)/m.exec(FDINFO.toString('latin1', 0, readSync(info, FDINFO, 0, FDINFO.length, 0)))?.[1];
  } finally {
    closeSync(info);
  }
}

/** Whether /proc is the one of this process, and descriptors of this runtime are those of the system. */
function canHoldByDescriptor(): boolean {
  if (process.platform !== 'linux') return false;
  let fd: number | undefined;
  try {
    fd = openSync('/', O_PATH | constants.O_DIRECTORY);
    const [root, through] = [statSync('/', { bigint: true }), statSync(`/proc/self/fd/${fd}`, { bigint: true })];
    return readlinkSync(`/proc/self/fd/${fd}`) === '/' && root.ino === through.ino && root.dev === through.dev;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The best way to hold that this machine has. */
export const hold: Hold = canHoldByDescriptor() ? holdByDescriptor : holdByName;
