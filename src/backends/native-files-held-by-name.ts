/**
 * The next best where the system cannot lead back to an opened object (macOS, a Linux without /proc): the path is
 * resolved, the real path judged, opened, and what was opened compared with what was judged. Darwin refuses to open
 * through any link, so there a file that is read is the judged one for certain. For the rest (what is done in a folder,
 * and reading elsewhere) a short time remains in which whoever may rename a folder on the way can put a link in its
 * place; it is looked for right before each step, which makes it hard to hit and not impossible.
 */
import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { unsteady } from './native-files-failures.ts';
import type { Held, HoldOptions } from './native-files-held.ts';

/** Darwin’s O_NOFOLLOW_ANY: no link anywhere in the path is followed. */
const NO_LINKS = process.platform === 'darwin' ? 0x20000000 : constants.O_NOFOLLOW;

export async function holdByName(path: string, { folder = false, follow = true }: HoldOptions = {}): Promise<Held> {
  const real = follow ? await realpath(path) : await realEntry(path);
  const stats = await lstat(real, { bigint: true });
  if (folder && !stats.isDirectory()) throw Object.assign(new Error(`${path} is not a folder`), { code: 'ENOTDIR' });
  return {
    path: real,
    realPath: real,
    async whereNow() {
      const now = await lstat(real, { bigint: true }).catch(() => undefined);
      if (!now || !isSame(now, stats) || (await realEntry(real)) !== real) throw unsteady(path);
      return real;
    },
    stats: async () => stats,
    async open() {
      const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | NO_LINKS);
      const isJudged = isSame(await handle.stat({ bigint: true }), stats) && (await realpath(real).catch(() => '')) === real;
      if (isJudged) return handle;
      await handle.close();
      throw unsteady(path);
    },
    [Symbol.dispose]() {},
  };
}

const isSame = (one: BigIntStats, other: BigIntStats) => one.ino === other.ino && one.dev === other.dev;

async function realEntry(path: string): Promise<string> {
  return path === '/' ? path : join(await realpath(dirname(path)), basename(path));
}
