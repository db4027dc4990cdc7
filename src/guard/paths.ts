/**
 * Which paths may be read, written and worked in. Every decision is about the real path, with all symbolic links
 * resolved on the machine the path is on.
 */
import { Failure } from '../errors.ts';
import { magicReason } from './magic-paths.ts';
import { safeText } from './text.ts';

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

export type PathUse = 'read' | 'write' | 'search' | 'work in';

export interface PathPolicy {
  /** The absolute path that a caller's path means. @throws Failure `invalid_input` */
  absolute(path: string): string;
  /**
   * The real path, if it may be used so.
   * @throws Failure `denied` naming the path and the rule.
   */
  allow(path: string, use: PathUse): Promise<string>;
  /**
   * The place of the entry itself, a link at the end not followed, if it may be looked at.
   * @throws Failure `denied` naming the path and the rule.
   */
  allowEntry(path: string): Promise<string>;
  /** A test for many real paths at once: whether they lie in a place that is ours. */
  protectedTest(): Promise<(realPath: string) => boolean>;
}

/** @param resolve the path with its links resolved, on the machine it is on */
export function createPathPolicy(rules: PathRules, resolve: (path: string) => Promise<string>): PathPolicy {
  const { restrictions, workspace, temporary, home, protectedPaths } = rules;
  const confined = restrictions.length > 0;

  function absolute(path: string): string {
    if (path === '' || path.includes('\0'))
      throw new Failure('invalid_input', 'A path must not be empty or hold NUL characters.');
    if (path === '~' || path.startsWith('~/')) return normalize(home + path.slice(1));
    return normalize(path.startsWith('/') ? path : `${workspace}/${path}`);
  }

  /** Resolved each time: a root may be a link, and may be changed while we run. */
  const realPaths = (paths: readonly string[]) =>
    Promise.all(paths.map((path) => resolve(absolute(path)).catch(() => absolute(path))));

  async function rootsFor(use: PathUse): Promise<readonly string[]> {
    if (confined) return realPaths(restrictions);
    if (use !== 'write') return ['/'];
    // A workspace of / would make everything writable; whoever wants that says so in `path_restrictions`.
    return (await realPaths([workspace, temporary])).filter((root) => root !== '/');
  }

  /** Why the real path may not be used so; undefined when it may. */
  async function objection(asked: string, real: string, use: PathUse, isRoot = false): Promise<Objection | undefined> {
    const magic = magicReason(asked, use) ?? magicReason(real, use);
    if (magic) return { reason: magic };
    const [roots, ours] = await Promise.all([rootsFor(use), realPaths(protectedPaths)]);
    if (ours.some((folder) => isBelow(real, folder))) return { reason: 'it belongs to mcp-python itself' };
    // A file there would be in the way of a folder of ours that is made later.
    if (use === 'write' && ours.some((folder) => isBelow(folder, real)))
      return { reason: 'what is below it belongs to mcp-python itself' };
    if (isRoot || roots.some((root) => isBelow(real, root))) return undefined;
    const verb = use === 'write' ? 'writing' : 'access';
    const shown = confined ? restrictions : roots;
    return {
      reason: `${verb} is confined to ${shown.join(', ') || 'nothing'}`,
      hint: 'A person can allow more with `execution.security.path_restrictions` in the configuration of mcp-python.',
    };
  }

  /** Resolves, and tells what is wrong with a path only where the path may be used at all. */
  async function resolveFor(asked: string, path: string, use: PathUse): Promise<string> {
    try {
      return await resolve(asked);
    } catch (failure) {
      const nearest = await nearestResolvable(parentOf(asked));
      const refused = await objection(asked, nearest, use);
      throw refused ? denied(path, nearest, refused) : failure;
    }
  }

  async function nearestResolvable(path: string): Promise<string> {
    const real = await resolve(path).catch(() => undefined);
    return real ?? (path === '/' ? path : nearestResolvable(parentOf(path)));
  }

  async function allow(path: string, use: PathUse): Promise<string> {
    const asked = absolute(path);
    const real = await resolveFor(asked, path, use);
    const refused = await objection(asked, real, use);
    if (refused) throw denied(path, real, refused);
    return real;
  }

  return {
    absolute,
    allow,
    async allowEntry(path) {
      const asked = absolute(path);
      if (asked === '/') return allow(path, 'read');
      const folder = await resolveFor(parentOf(asked), path, 'read');
      const entry = `${folder === '/' ? '' : folder}${asked.slice(asked.lastIndexOf('/'))}`;
      // A root that is a link may be looked at too, though the link itself lies outside.
      const isRoot = confined && restrictions.some((root) => absolute(root) === asked);
      const refused = await objection(asked, entry, 'read', isRoot);
      if (refused) throw denied(path, entry, refused);
      return entry;
    },
    async protectedTest() {
      const ours = await realPaths(protectedPaths);
      return (realPath) => ours.some((folder) => isBelow(realPath, folder));
    },
  };
}

interface Objection {
  readonly reason: string;
  readonly hint?: string;
}

function denied(path: string, real: string, { reason, hint }: Objection): Failure {
  const through = real === path ? '' : ` (${safeText(real)})`;
  return new Failure('denied', `${safeText(path)}${through} is out of bounds: ${reason}.`, {
    ...(hint && { hint }),
    details: { path, real_path: real },
  });
}

/** Whether `path` is `folder` or below it, by whole segments. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
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

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
