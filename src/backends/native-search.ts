import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Failure } from '../errors.ts';
import type { SearchMatch, SearchRequest, SearchResult } from './backend.ts';
import { compileGlob } from './glob.ts';
import { type CandidateLine, matchLines } from './line-matcher.ts';
import { readAllLines } from './native-search-lines.ts';
import { findRipgrep, RipgrepUnusable, ripgrepLines } from './native-search-ripgrep.ts';
import { walkFiles } from './native-search-walk.ts';
import { compileSearchPattern, type SearchPattern } from './search-pattern.ts';

export interface NativeSearchOptions {
  /** Absolute path of ripgrep, or null to search without it; absent: the one on PATH, if any. */
  readonly ripgrep?: string | null;
}

/**
 * Files below a folder by name, or lines in them by regular expression, ordered by path and line.
 *
 * One walk decides which files there are and one engine decides which lines match, so the answer is the same with
 * ripgrep and without; ripgrep only spares the reading of files that have nothing.
 * @throws Failure `not_found`, `denied` or `invalid_input` for the folder, `invalid_input` for a bad glob or expression
 */
export async function searchNative(
  request: SearchRequest,
  signal: AbortSignal,
  options: NativeSearchOptions = {},
): Promise<SearchResult> {
  signal.throwIfAborted();
  await requireDirectory(request.directory);
  if (request.content === undefined) return collectNames(chosenPaths(request, false, signal), request.limit);

  const pattern = compileSearchPattern(request.content, request.caseSensitive);
  const ripgrep = options.ripgrep === undefined ? await findRipgrep() : options.ripgrep;
  if (ripgrep !== null) {
    try {
      const paths = chosenPaths(request, true, signal);
      return await collectLines(ripgrepLines(ripgrep, pattern.ripgrep, request.directory, paths, signal), pattern, request.limit);
    } catch (thrown) {
      if (!(thrown instanceof RipgrepUnusable)) throw thrown;
    }
  }
  return collectLines(readAllLines(request.directory, chosenPaths(request, true, signal), signal), pattern, request.limit);
}

async function requireDirectory(directory: string): Promise<void> {
  const info = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') throw new Failure('denied', `The folder ${directory} may not be read.`, { cause: error });
    throw new Failure('not_found', `There is no folder ${directory}.`, {
      hint: 'See what there is with list_directory.',
      cause: error,
    });
  });
  if (!info.isDirectory()) {
    throw new Failure('invalid_input', `${directory} is not a folder.`, {
      hint: 'Give the folder it is in, and its name as the pattern.',
    });
  }
}

/** The files whose names fit. Symbolic links have names, but nothing to look for inside. */
async function* chosenPaths(request: SearchRequest, regularOnly: boolean, signal: AbortSignal): AsyncGenerator<string> {
  const fitsGlob = request.glob === undefined ? () => true : compileGlob(request.glob, request.caseSensitive);
  const extensions = request.extensions && new Set(request.extensions.map((each) => `.${each.replace(/^\./, '').toLowerCase()}`));
  for await (const { path, regular } of walkFiles(request, signal)) {
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
