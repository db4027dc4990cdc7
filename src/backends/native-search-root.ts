/** What a search is confined to: a held folder, and what lies below it without any link. */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Judge } from './backend.ts';
import { type Held, type Hold, type HoldOptions, hold as holdBest } from './native-files-held.ts';
import { heldObject } from './native-files-info.ts';
import { holdJudged } from './native-files-place.ts';

export interface SearchRoot extends Disposable {
  /** Leads to the folder itself, whatever its name is meanwhile: programs start in it. */
  readonly path: string;
  /** Where it was when the search began. */
  readonly realPath: string;
  readonly judge: Judge;
  /** Whether what is at a real path is neither named nor opened. */
  conceals(realPath: string): boolean;
  /** Holds what is at a relative path; undefined when it is no longer there, or a link has been put on the way. */
  hold(path: string, options?: Pick<HoldOptions, 'folder'>): Promise<Held | undefined>;
}

/** @throws Failure `not_found`, `denied` or `invalid_input` */
export async function holdSearchRoot(directory: string, judge: Judge, hold: Hold = holdBest): Promise<SearchRoot> {
  const root = await holdJudged(directory, judge, {}, hold).catch((failure: unknown) => {
    if (!(failure instanceof Failure) || failure.code !== 'not_found') throw failure;
    throw new Failure('not_found', `There is no folder ${directory}.`, {
      hint: 'See what there is with list_directory.',
      cause: failure,
    });
  });
  try {
    const stats = await root.stats();
    await judge.admit(heldObject(root.realPath, stats));
    if (!stats.isDirectory()) {
      throw new Failure('invalid_input', `${directory} is not a folder.`, {
        hint: 'Give the folder it is in, and its name as the pattern.',
      });
    }
  } catch (thrown) {
    root[Symbol.dispose]();
    throw thrown;
  }
  const { path: rootPath, realPath } = root;

  return {
    path: rootPath,
    realPath,
    judge,
    conceals: (path) => judge.conceals({ realPath: path, kind: 'missing' }) === true,
    async hold(path, { folder = false } = {}) {
      try {
        const held = await hold(join(rootPath, path), { folder, follow: path === '', exact: path !== '' });
        if (held.realPath === join(realPath, path) || held.realPath === join(await root.whereNow(), path)) return held;
        held[Symbol.dispose]();
      } catch {
        // Gone, replaced by something else, or not to be read: passed over, as if it had never been there.
      }
      return undefined;
    },
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}
