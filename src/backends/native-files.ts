/** Files of this machine. Paths are absolute; which of them may be used is for the guard to say. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, opendir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import type { BackendFiles, FileInfo, OpenFile, WriteOptions } from './backend.ts';

export const nativeFiles: BackendFiles = {
  async stat(path) {
    const stats = await lstat(path).catch(refuse(path));
    return fileInfo(path, stats, stats.isSymbolicLink() ? await readlink(path).catch(() => undefined) : undefined);
  },
  resolve: (path) => resolveExisting(path, 0),
  open: openFile,
  write,
  list,
  async search(request, signal) {
    const { searchNative } = await import('./native-search.ts');
    return searchNative(request, signal);
  },
};

function fileInfo(path: string, stats: Stats, linkTarget?: string): FileInfo {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'symlink' : 'other';
  return {
    path,
    kind,
    size: stats.size,
    mode: stats.mode & 0o7777,
    modifiedMs: stats.mtimeMs,
    version: versionOf(stats),
    ...(linkTarget !== undefined && { linkTarget }),
  };
}

/** The time alone would miss a change within the same tick of the clock; a file replaced in one step has another inode. */
function versionOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino}-${size}-${mtimeMs}`;
}

/** As many links as Linux follows in one path (path_resolution(7)). */
const MAX_LINKS = 40;

/** Follows a dangling link too: a file made through it appears where it points. */
async function resolveExisting(path: string, links: number): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    if (error.code === 'ENOTDIR') throw failure(path, error);
    if (error.code !== 'ENOENT' || path === '/') return refuse(path)(error);
  }
  const target = await readlink(path).catch(() => undefined);
  const parent = await resolveExisting(dirname(path), links);
  if (target === undefined) return join(parent, basename(path));
  if (links >= MAX_LINKS) throw new Failure('invalid_input', `${path} is a link that leads in a circle.`);
  return resolveExisting(target.startsWith('/') ? target : join(parent, target), links + 1);
}

/** O_NONBLOCK, for opening a FIFO without a writer would block for ever; it changes nothing for regular files. */
async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(refuse(path));
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw notRegular(path, stats);
  }
  return {
    info: fileInfo(path, stats),
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, position).catch(refuse(path));
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function write(path: string, data: Uint8Array, { createParents, ifVersion }: WriteOptions): Promise<FileInfo> {
  const before = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : refuse(path)(error),
  );
  if (before && !before.isFile()) throw notRegular(path, before);
  if (ifVersion !== undefined && (!before || versionOf(before) !== ifVersion)) {
    throw new Failure('conflict', `${path} was changed by somebody else meanwhile.`, {
      hint: 'Read it again, then repeat the change.',
    });
  }
  const folder = dirname(path);
  if (createParents) await mkdir(folder, { recursive: true }).catch(refuse(folder));
  // In the same folder, so that the rename stays within one file system and is one step.
  const temporary = join(folder, `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', before ? 0o600 : 0o666).catch(refuse(path));
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (before) {
      await chmod(temporary, before.mode & 0o7777);
      // Only root may give a file away; others own what they replace already, or could not have written it.
      await chown(temporary, before.uid, before.gid).catch(() => {});
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    return refuse(path)(thrown);
  }
  return fileInfo(path, await stat(path).catch(refuse(path)));
}

async function list(path: string, { hidden, limit }: { readonly hidden: boolean; readonly limit: number }) {
  const names: string[] = [];
  const folder = await opendir(path).catch(refuse(path));
  for await (const { name } of folder) {
    if (hidden || !name.startsWith('.')) names.push(name);
  }
  names.sort();
  const shown = names.slice(0, limit);
  // A name may vanish between the listing and the look at it.
  const infos = await Promise.all(shown.map((name) => nativeFiles.stat(join(path, name)).catch(() => undefined)));
  return { entries: infos.filter((info): info is FileInfo => info !== undefined), truncated: names.length > limit };
}

function notRegular(path: string, stats: Stats): Failure {
  const what = stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a FIFO' : stats.isSocket() ? 'a socket' : 'a device';
  return new Failure('invalid_input', `${path} is ${what}, not a regular file.`, {
    ...(stats.isDirectory() && { hint: 'List it with list_directory.' }),
  });
}

/** A handler that turns a system error into a failure; failures pass. */
function refuse(path: string): (thrown: unknown) => never {
  return (thrown) => {
    throw thrown instanceof Failure ? thrown : failure(path, thrown as NodeJS.ErrnoException);
  };
}

function failure(path: string, error: NodeJS.ErrnoException): Failure {
  const options = { cause: error };
  switch (error.code) {
    case 'ENOENT':
      return new Failure('not_found', `${path} does not exist.`, options);
    case 'EACCES':
    case 'EPERM':
      return new Failure('denied', `The system does not permit this on ${path}.`, options);
    case 'ENOTDIR':
      return new Failure('invalid_input', `A part of ${path} is a file, not a folder.`, options);
    case 'EISDIR':
      return new Failure('invalid_input', `${path} is a folder.`, options);
    case 'ELOOP':
      return new Failure('invalid_input', `${path} leads through links in a circle.`, options);
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return new Failure('invalid_input', `${path} is not a path this system can use.`, options);
    case 'ENXIO':
      return new Failure('invalid_input', `${path} is a socket or device, not a regular file.`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('unavailable', `There is no room left to write ${path}.`, options);
    case 'EROFS':
      return new Failure('denied', `${path} is on a read-only file system.`, options);
    default:
      return new Failure('unavailable', `${path}: ${error.message}`, options);
  }
}
