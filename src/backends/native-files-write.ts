/** Replacing files in one step, in a folder that is held from its judgement to the end. */
import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import type { FileInfo, Judge, WriteOptions } from './backend.ts';
import { notRegular, refuse, unsteady } from './native-files-failures.ts';
import { type Held, type Hold, hold as holdBest } from './native-files-held.ts';
import { fileInfo, heldObject, versionOf } from './native-files-info.ts';
import { judgedFailure, resolvePlace } from './native-files-place.ts';

/** How often a place is looked for again that became another one meanwhile. */
const MAX_ATTEMPTS = 50;

export async function writeFile(
  path: string,
  data: Uint8Array,
  options: WriteOptions,
  judge: Judge,
  hold: Hold = holdBest,
): Promise<FileInfo> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const place = await resolvePlace(path).catch(async (failure: Failure) => {
      throw await judgedFailure(path, failure, judge);
    });
    if (place === '/') throw new Failure('invalid_input', '/ is a folder, not a regular file.');
    using folder = await holdParent(place, options.createParents, judge, hold);
    const info = folder && (await writeIn(folder, basename(place), data, options, path, judge));
    if (info) return info;
  }
  throw unsteady(path);
}

const isMissing = (error: NodeJS.ErrnoException) => error.code === 'ENOENT';

/** The folder of a file, judged as the place of that file; undefined when it became another one on the way. */
async function holdParent(place: string, create: boolean, judge: Judge, hold: Hold): Promise<Held | undefined> {
  const missing: string[] = [];
  let path = dirname(place);
  let folder: Held | undefined;
  while (!folder) {
    folder = await hold(path, { folder: true }).catch(async (error: NodeJS.ErrnoException) => {
      if (isMissing(error) && path !== '/') return undefined;
      return refuse(path)(error);
    });
    if (folder) break;
    missing.unshift(basename(path));
    path = dirname(path);
  }
  try {
    // Judged before anything is made.
    await judge.admit({ realPath: join(folder.realPath, ...missing, basename(place)), kind: 'missing' });
    if (missing.length > 0 && !create) throw refuse(dirname(place))(Object.assign(new Error('missing'), { code: 'ENOENT' }));
  } catch (thrown) {
    folder[Symbol.dispose]();
    throw thrown;
  }
  for (const name of missing) {
    using parent: Held = folder;
    folder = await makeFolder(parent, name, hold);
    if (!folder) return undefined;
  }
  return folder;
}

/** Undefined when something else, like a link, was put there meanwhile. */
async function makeFolder(parent: Held, name: string, hold: Hold): Promise<Held | undefined> {
  const path = join(parent.path, name);
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') refuse(join(parent.realPath, name))(error);
  });
  return hold(path, { folder: true, follow: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR' || error.code === 'ELOOP' || isMissing(error)) return undefined;
    return refuse(join(parent.realPath, name))(error);
  });
}

/** Undefined when the name became a link meanwhile, which may lead elsewhere. */
async function writeIn(
  folder: Held,
  name: string,
  data: Uint8Array,
  { ifVersion }: WriteOptions,
  asked: string,
  judge: Judge,
): Promise<FileInfo | undefined> {
  const target = join(folder.path, name);
  const before = await entryStats(target).catch(refuse(asked));
  if (before?.isSymbolicLink()) return undefined;
  if (before) await judge.admit(heldObject(join(folder.realPath, name), before));
  if (before && !before.isFile()) throw notRegular(asked, before);
  checkVersion(before, ifVersion, asked);
  // In the same folder, so that the rename stays within one file system and is one step.
  const temporary = join(folder.path, `.${cutName(name)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const written = await writeTemporary(temporary, data, before);
    // Writing takes its time: the file may have been changed, the folder moved where nobody may write.
    if (ifVersion !== undefined) checkVersion(await entryStats(target), ifVersion, asked);
    const now = await folder.whereNow();
    if (now !== folder.realPath) await judge.admit({ realPath: join(now, name), kind: 'missing' });
    await rename(temporary, target);
    return fileInfo(join(now, name), written);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => {});
    return refuse(asked)(thrown);
  }
}

/** New, with all of the data and the owner and permissions of what it will replace. */
async function writeTemporary(path: string, data: Uint8Array, before: BigIntStats | undefined): Promise<BigIntStats> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, before ? 0o600 : 0o666);
  try {
    await handle.writeFile(data);
    if (before) await keepRights(handle, before);
    await handle.sync();
    return await handle.stat({ bigint: true });
  } finally {
    await handle.close();
  }
}

/** Changing the owner takes set-user-ID bits away, so it comes first. */
async function keepRights(handle: FileHandle, before: BigIntStats): Promise<void> {
  const { uid, gid } = await handle.stat();
  const mode = Number(before.mode) & 0o7777;
  let kept = true;
  if (uid !== Number(before.uid) || gid !== Number(before.gid)) {
    // Only root may give a file away.
    kept = await handle.chown(Number(before.uid), Number(before.gid)).then(
      () => true,
      () => false,
    );
  }
  // A program that runs as its owner must not begin to run as another one.
  await handle.chmod(kept ? mode : mode & 0o1777);
}

function entryStats(path: string): Promise<BigIntStats | undefined> {
  return lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function checkVersion(stats: BigIntStats | undefined, wanted: string | undefined, asked: string): void {
  if (wanted === undefined || (stats && versionOf(stats) === wanted)) return;
  throw new Failure('conflict', `${asked} was changed by somebody else meanwhile.`, {
    hint: 'Read it again, then repeat the change.',
  });
}

/** Names are at most 255 bytes; the temporary one needs 18 more characters. */
function cutName(name: string): string {
  return Buffer.from(name)
    .subarray(0, 200)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
}
