import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';

const KEY_BYTES = 32;

/**
 * A random key of 32 bytes that outlives the process, made on first use and readable by its owner only.
 * Two processes that start at once get the same one.
 */
export async function loadSecretKey(folder: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  const existing = await read(path);
  if (existing) return existing;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${randomBytes(6).toString('hex')}`;
    await writeFile(temporary, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' });
    // A link fails where the name exists already: whoever comes second uses the first one's key.
    await link(temporary, path).catch(() => {});
    await rm(temporary);
    const made = await read(path);
    if (made) return made;
  } catch (cause) {
    throw unusable(path, cause);
  }
  throw unusable(path);
}

async function read(path: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unusable(path, error);
  });
  if (bytes && bytes.length !== KEY_BYTES) throw unusable(path);
  return bytes;
}

function unusable(path: string, cause?: unknown): Failure {
  return new Failure('unavailable', `The key file ${path} cannot be used.`, {
    hint: 'Make its folder writable, or choose another with `state.directory`.',
    cause,
  });
}
