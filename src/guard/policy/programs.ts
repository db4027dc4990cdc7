/** Which file on the backend a program's name stands for: rules go by the file, not by the spelling. */
import type { Backend } from '../../backends/backend.ts';
import { UNJUDGED } from '../paths.ts';

export interface FoundProgram {
  readonly path: string;
  /** With every link resolved. */
  readonly realPath: string;
  /** The same for every name of one file, hard links among them. */
  readonly version: string;
}

export interface ProgramFinder {
  /**
   * @param name as the shell would look it up: along `searchPath`, or from `cwd` when it holds a slash
   * @returns undefined when there is no such program
   */
  find(name: string, cwd: string, searchPath: string): Promise<FoundProgram | undefined>;
}

/** How long what was found along the search path is believed, milliseconds. Names with a slash are looked up each time. */
const BELIEVED_MS = 3000;
const MAX_REMEMBERED = 500;

export function createProgramFinder({ which, files }: Pick<Backend, 'which' | 'files'>): ProgramFinder {
  const remembered = new Map<string, { readonly untilMs: number; readonly found: Promise<FoundProgram | undefined> }>();

  async function identify(path: string): Promise<FoundProgram | undefined> {
    const realPath = await files.resolve(path).catch(() => undefined);
    if (realPath === undefined) return undefined;
    const info = await files.stat(realPath, UNJUDGED).catch(() => undefined);
    return info && info.kind !== 'directory' ? { path, realPath, version: info.version } : undefined;
  }

  async function alongPath(name: string, searchPath: string): Promise<FoundProgram | undefined> {
    const path = await which(name, searchPath).catch(() => null);
    return path === null ? undefined : identify(path);
  }

  return {
    find(name, cwd, searchPath) {
      if (name.includes('/')) return identify(name.startsWith('/') ? name : `${cwd}/${name}`);
      const key = `${searchPath}\0${name}`;
      const nowMs = Date.now();
      const known = remembered.get(key);
      if (known && known.untilMs > nowMs) return known.found;
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      const found = alongPath(name, searchPath);
      remembered.set(key, { untilMs: nowMs + BELIEVED_MS, found });
      return found;
    },
  };
}

/** Files that are many programs: which one, only the name says. */
const MULTI_CALL = /^(?:busybox|toybox|coreutils|box|sbase-box)(?:[.-].*)?$/;

export function isMultiCall({ realPath }: FoundProgram): boolean {
  return MULTI_CALL.test(baseName(realPath));
}

/** The plain names a program may go by: what it was called, and what the file behind it is called. */
export function namesOf(called: string, found: FoundProgram | undefined): readonly string[] {
  const name = baseName(called);
  if (!found || isMultiCall(found)) return [name];
  return [...new Set([name, baseName(found.path), baseName(found.realPath)])];
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether an entry of a list of programs means this one. @param entryFile what the entry itself stands for on the backend */
export function isSameProgram(found: FoundProgram, entryFile: FoundProgram | undefined): boolean {
  if (!entryFile || isMultiCall(entryFile)) return false;
  return found.realPath === entryFile.realPath || found.version === entryFile.version;
}
