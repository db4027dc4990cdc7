/** Files that belong to others: read as they are, replaced in one step, with everything about them kept. */
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../errors.ts';

/**
 * The text of a file, undefined where there is none.
 * @throws Failure `invalid_config` when it is no UTF-8 text, `denied` or `unavailable` when it cannot be read
 */
export async function readConfigFile(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw unusable(path, error);
  });
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('invalid_config', `${path} is not UTF-8 text. Nothing was changed.`, { cause });
  }
}

/**
 * Replaces a file's text in one step. A symbolic link stays one: what it points to is replaced. Mode and owner are
 * kept; missing folders are made.
 * @param before the text it had when it was read; when it has changed since, nothing is written
 * @param mode permission bits of a file that is made
 * @throws Failure `conflict`, `denied` or `unavailable`; the file is then as it was
 */
export async function replaceConfigFile(path: string, before: string | undefined, text: string, mode: number): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await behindLinks(path);
    await mkdir(dirname(target), { recursive: true });
    const existing = await stat(target).catch(() => undefined);
    temporary = join(dirname(target), `.mcp-python-${randomBytes(6).toString('hex')}`);
    const file = await open(temporary, 'wx', existing ? 0o600 : mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (existing) {
      await chmod(temporary, existing.mode & 0o7777);
      const own = await stat(temporary);
      if (own.uid !== existing.uid || own.gid !== existing.gid) await chown(temporary, existing.uid, existing.gid);
    }
    if ((await readConfigFile(target)) !== before) throw changedMeanwhile(path);
    await rename(temporary, target);
    temporary = undefined;
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : unusable(path, thrown as NodeJS.ErrnoException);
  } finally {
    if (temporary !== undefined) await rm(temporary, { force: true });
  }
}

/** Links to follow before it must be a circle, as the kernel counts. */
const MAX_LINKS = 40;

/** Where a path leads, also through a link to a file that does not exist yet. */
async function behindLinks(path: string): Promise<string> {
  let at = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const real = await realpath(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (real !== undefined) return real;
    const entry = await lstat(at).catch(() => undefined);
    if (!entry?.isSymbolicLink()) return at;
    at = resolve(dirname(at), await readlink(at));
  }
  throw new Failure('unavailable', `${path} is a symbolic link that leads in a circle.`);
}

function changedMeanwhile(path: string): Failure {
  return new Failure('conflict', `${path} was changed by another program in this moment. Nothing was written.`, {
    hint: 'Run the command again, best while the client is closed.',
  });
}

function unusable(path: string, error: NodeJS.ErrnoException): Failure {
  const denied = error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS';
  return new Failure(denied ? 'denied' : 'unavailable', `${path} cannot be used: ${error.message}. Nothing was changed.`, {
    hint: 'Print the entry with --print and put it there yourself.',
    cause: error,
  });
}
