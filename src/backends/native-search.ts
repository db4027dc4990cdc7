import { extname } from 'node:path';
import type { Judge, SearchMatch, SearchRequest, SearchResult } from './backend.ts';
import { compileGlob } from './glob.ts';
import { type CandidateLine, matchLines } from './line-matcher.ts';
import type { Hold } from './native-files-held.ts';
import { readAllLines } from './native-search-lines.ts';
import { findRipgrep, RipgrepUnusable, ripgrepLines } from './native-search-ripgrep.ts';
import { holdSearchRoot, type SearchRoot } from './native-search-root.ts';
import { walkFiles } from './native-search-walk.ts';
import { compileSearchPattern, type SearchPattern } from './search-pattern.ts';

export interface NativeSearchOptions {
  /** Absolute path of ripgrep, or null to search without it; absent: the one on PATH, if any. */
  readonly ripgrep?: string | null;
  /** How folders and files are held; absent: the best way this machine has. */
  readonly hold?: Hold;
}

/**
 * Files below a folder by name, or lines in them by regular expression, ordered by path and line.
 *
 * One walk decides which files there are and one engine decides which lines match, so the answer is the same with
 * ripgrep and without; ripgrep only spares the reading of files that have nothing. The folder is held while it is
 * searched, and no link put into it meanwhile leads the search out of it.
 * @throws Failure `not_found`, `denied` or `invalid_input` for the folder, `invalid_input` for a bad glob or expression
 */
export async function searchNative(
  request: SearchRequest,
  signal: AbortSignal,
  judge: Judge,
  options: NativeSearchOptions = {},
): Promise<SearchResult> {
  signal.throwIfAborted();
  using root = await holdSearchRoot(request.directory, judge, options.hold);
  if (request.content === undefined) return await collectNames(chosenPaths(root, request, false, signal), request.limit);

  const pattern = compileSearchPattern(request.content, request.caseSensitive);
  const ripgrep = options.ripgrep === undefined ? await findRipgrep() : options.ripgrep;
  if (ripgrep !== null) {
    try {
      const paths = chosenPaths(root, request, true, signal);
      return await collectLines(ripgrepLines(ripgrep, pattern.ripgrep, root, paths, signal), pattern, request.limit);
    } catch (thrown) {
      if (!(thrown instanceof RipgrepUnusable)) throw thrown;
    }
  }
  return await collectLines(readAllLines(root, chosenPaths(root, request, true, signal), signal), pattern, request.limit);
}

/** The files whose names fit. Symbolic links have names, but nothing to look for inside. */
async function* chosenPaths(
  root: SearchRoot,
  request: SearchRequest,
  regularOnly: boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const fitsGlob = request.glob === undefined ? () => true : compileGlob(request.glob, request.caseSensitive);
  const extensions = request.extensions && new Set(request.extensions.map((each) => `.${each.replace(/^\./, '').toLowerCase()}`));
  for await (const { path, regular } of walkFiles(root, request, signal)) {
    if (regularOnly && !regular) continue;
    if (extensions && !extensions.has(extname(path).toLowerCase())) continue;
    if (fitsGlob(path)) yield path;
  }
}

async function collectNames(paths: AsyncIterable<string>, limit: number): Promise<SearchResult> {
  const matches: SearchMatch[] = [];
  for await (const path of paths) {
    if (matches.length === limit) return { matches, truncated: true };
    matches.push({ path });
  }
  return { matches, truncated: false };
}

async function collectLines(
  batches: AsyncIterable<readonly CandidateLine[]>,
  pattern: SearchPattern,
  limit: number,
): Promise<SearchResult> {
  const matches: SearchMatch[] = [];
  for await (const batch of batches) {
    for (const match of matchLines(batch, pattern)) {
      if (matches.length === limit) return { matches, truncated: true };
      matches.push(match);
    }
  }
  return { matches, truncated: false };
}
