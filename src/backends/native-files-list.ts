/** Listing one folder: in an amount of memory that does not depend on how much is in it. */
import { lstat, opendir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { FileInfo, Judge, ListOptions } from './backend.ts';
import { refuse } from './native-files-failures.ts';
import { type Held, type Hold, hold as holdBest } from './native-files-held.ts';
import { fileInfo, heldObject } from './native-files-info.ts';
import { holdJudged } from './native-files-place.ts';

/** Names taken from the system at once. */
const BATCH = 1024;
/** Names looked at; a larger folder is shown in part. Reading so many takes about two seconds. */
const MAX_NAMES = 1_000_000;
/** Entries looked at side by side. */
const ABREAST = 64;

export async function listFolder(
  path: string,
  options: ListOptions,
  judge: Judge,
  hold: Hold = holdBest,
): Promise<{ entries: FileInfo[]; truncated: boolean }> {
  using folder = await holdJudged(path, judge, {}, hold);
  const stats = await folder.stats();
  await judge.admit(heldObject(folder.realPath, stats));
  if (!stats.isDirectory()) throw new Failure('invalid_input', `${path} is not a folder.`, { hint: 'Read it with read_file.' });
  const { names, more } = await firstNames(folder, options, judge).catch(refuse(path));
  const entries: FileInfo[] = [];
  for (let from = 0; from < names.length; from += ABREAST) {
    const infos = await Promise.all(names.slice(from, from + ABREAST).map((name) => entryInfo(folder, name, judge)));
    entries.push(...infos.filter((info) => info !== undefined));
  }
  return { entries, truncated: more };
}

/** The first `limit` names in order. */
async function firstNames(folder: Held, { hidden, limit }: ListOptions, judge: Judge) {
  let names: string[] = [];
  let seen = 0;
  let more = false;
  const keepFirst = () => {
    names.sort();
    if (names.length > limit) more = true;
    names = names.slice(0, limit);
  };
  for await (const { name } of await opendir(folder.path, { bufferSize: BATCH })) {
    if (seen === MAX_NAMES) {
      more = true;
      break;
    }
    seen += 1;
    if (!hidden && name.startsWith('.')) continue;
    if (await judge.conceals({ realPath: join(folder.realPath, name), kind: 'missing' })) continue;
    names.push(name);
    if (names.length >= 2 * limit + BATCH) keepFirst();
  }
  keepFirst();
  return { names, more };
}

/** Undefined for what went between the listing and the look at it, and for what is concealed. */
async function entryInfo(folder: Held, name: string, judge: Judge): Promise<FileInfo | undefined> {
  const [path, realPath] = [join(folder.path, name), join(folder.realPath, name)];
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!stats || (await judge.conceals(heldObject(realPath, stats)))) return undefined;
  return fileInfo(realPath, stats, stats.isSymbolicLink() ? await readlink(path).catch(() => undefined) : undefined);
}
