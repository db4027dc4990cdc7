/** Where paths lead, also those that lead to nothing yet. */
import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Judge } from './backend.ts';
import { asFailure } from './native-files-failures.ts';
import { type Held, type Hold, type HoldOptions, hold as holdBest } from './native-files-held.ts';

/** As many links as Linux follows in one path (path_resolution(7)). */
const MAX_LINKS = 40;

/** Follows a dangling link too: a file made through it appears where it points. */
export async function resolvePlace(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || path === '/') throw asFailure(path, thrown);
  }
  const target = await readlink(path).catch(() => undefined);
  const parent = await resolvePlace(dirname(path), links);
  if (target === undefined) return join(parent, basename(path));
  if (links >= MAX_LINKS) throw new Failure('invalid_input', `${path} is a link that leads in a circle.`);
  return resolvePlace(target.startsWith('/') ? target : join(parent, target), links + 1);
}

/**
 * Holds what a path leads to. What is wrong with a path is told only where it may be used: whoever may not look there
 * does not learn what there is.
 */
export async function holdJudged(path: string, judge: Judge, options?: HoldOptions, hold: Hold = holdBest): Promise<Held> {
  try {
    return await hold(path, options);
  } catch (thrown) {
    throw await judgedFailure(path, asFailure(path, thrown), judge, options?.follow);
  }
}

/** The failure of an access, once its place has been judged. @throws Failure of the judge */
export async function judgedFailure(path: string, failure: Failure, judge: Judge, follow = true): Promise<Failure> {
  await judge.admit({
    realPath: follow ? await nearestPlace(path) : join(await nearestPlace(dirname(path)), basename(path)),
    kind: 'missing',
  });
  return failure;
}

async function nearestPlace(path: string): Promise<string> {
  const place = await resolvePlace(path).catch(() => undefined);
  return place ?? (path === '/' ? path : nearestPlace(dirname(path)));
}
