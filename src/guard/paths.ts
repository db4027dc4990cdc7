/**
 * Which paths may be read, written and worked in. Every decision is about the real path, with all symbolic links
 * resolved on the machine the path is on.
 */
import { Failure } from '../errors.ts';

export interface PathRules {
  /** Folders everything is confined to; empty: reading anywhere, writing below the workspace and the temporary folder. */
  readonly restrictions: readonly string[];
  /** Folder that relative paths start from. */
  readonly workspace: string;
  readonly temporary: string;
  readonly home: string;
  /** Our own files and folders, out of reach whatever the rest says. */
  readonly protectedPaths: readonly string[];
}

export type PathUse = 'read' | 'write' | 'work in';

export interface PathPolicy {
  /** The absolute path that a caller's path means. @throws Failure `invalid_input` */
  absolute(path: string): string;
  /**
   * The real path, if it may be used so.
   * @throws Failure `denied` naming the path and the rule.
   */
  allow(path: string, use: PathUse): Promise<string>;
  /** Whether a real path lies in a protected place; for entries found below an allowed folder. */
  isProtected(realPath: string): Promise<boolean>;
}

/** @param resolve the path with its links resolved, on the machine it is on */
export function createPathPolicy(rules: PathRules, resolve: (path: string) => Promise<string>): PathPolicy {
  const { restrictions, workspace, temporary, home } = rules;
  const confined = restrictions.length > 0;
  // A workspace of / would make everything writable; whoever wants that says so in `path_restrictions`.
  const writable = confined ? restrictions : [workspace, temporary].filter((folder) => folder !== '/');

  // Resolved each time: a root may be a link, and may be changed while we run.
  const isBelowAny = async (path: string, folders: readonly string[]) => {
    for (const folder of folders) {
      if (isBelow(path, await resolve(absolute(folder)).catch(() => absolute(folder)))) return true;
    }
    return false;
  };

  function absolute(path: string): string {
    if (path === '' || path.includes('\0'))
      throw new Failure('invalid_input', 'A path must not be empty or hold NUL characters.');
    if (path === '~' || path.startsWith('~/')) return normalize(home + path.slice(1));
    return normalize(path.startsWith('/') ? path : `${workspace}/${path}`);
  }

  const isProtected = (path: string) => isBelowAny(path, rules.protectedPaths);

  return {
    absolute,
    isProtected,
    async allow(path, use) {
      const asked = absolute(path);
      const real = await resolve(asked);
      const magic = magicReason(asked, use) ?? magicReason(real, use);
      if (magic) throw denied(path, real, magic, {});
      if (await isProtected(real)) throw denied(path, real, 'it belongs to mcp-python itself', {});
      const roots = use === 'write' ? writable : restrictions;
      if ((use !== 'write' && !confined) || (await isBelowAny(real, roots))) return real;
      throw denied(path, real, `${use === 'write' ? 'writing' : 'access'} is confined to ${roots.join(', ') || 'nothing'}`, {
        hint: 'A person can allow more with `execution.security.path_restrictions` in the configuration of mcp-python.',
      });
    },
  };
}

function denied(path: string, real: string, reason: string, options: { hint?: string }): Failure {
  const through = real === path ? '' : ` (${real})`;
  return new Failure('denied', `${path}${through} is out of bounds: ${reason}.`, {
    ...options,
    details: { path, real_path: real },
  });
}

/** Whether `path` is `folder` or below it, by whole segments. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/** Paths that are doors: through a process, or to a device. Plain files of /proc, like /proc/meminfo, are not. */
const DOORS =
  /^\/proc\/(?:self|thread-self|\d+)\/(?:task\/\d+\/)?(?:root|cwd|exe|fd|fdinfo|map_files|mem|environ|pagemap|maps|smaps|auxv|syscall|stack)(?:\/|$)/;

function magicReason(path: string, use: PathUse): string | undefined {
  if (DOORS.test(path)) return 'it leads into a process';
  if (/^\/dev\//.test(path) && !path.startsWith('/dev/shm/')) return 'it is a device';
  if (use === 'write' && /^\/(?:proc|sys|dev)(?:\/|$)/.test(path)) return 'it is part of the kernel’s interface';
  return undefined;
}

/** An absolute path without `.`, `..` and doubled slashes; POSIX, whatever this machine is. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
