/**
 * Which paths may be read, written and worked in. Every decision is about the real path, with all symbolic links
 * resolved on the machine the path is on; of files, about the path of what the backend holds open.
 */
import type { BackendFiles, Judge } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { magicReason } from './magic-paths.ts';
import { normalPath } from './normal-path.ts';
import { createOwnLinks, findOwnPlaces, isBelow, type OwnPlaces } from './own-places.ts';
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

/** `look at` is about the entry itself, a link at the end not followed. */
export type PathUse = 'look at' | 'read' | 'write' | 'search' | 'work in';

export interface PathPolicy {
  /** The absolute path that a caller's path means. @throws Failure `invalid_input` */
  absolute(path: string): string;
  /**
   * The judge of one access, to be handed to the backend.
   * @throws Failure `invalid_input` for what is no path, `denied` for one that need not be looked at to be refused
   */
  judge(path: string, use: PathUse): Judge;
  /**
   * The real path, if it may be used so: for what is not opened by us, such as the paths in a command. What it leads
   * to may be another thing a moment later.
   * @throws Failure `denied` naming the path and the rule.
   */
  allow(path: string, use: PathUse): Promise<string>;
  /**
   * Whether the path as it is written may be used so, links left aside: enough where something else keeps what a link
   * leads to, as a sandbox does.
   */
  plainlyAllows(path: string, use: PathUse): Promise<boolean>;
}

/** For looks of the guard itself, which nobody is told about. */
export const UNJUDGED: Judge = { admit: async () => {}, conceals: () => false };

/** Real paths of what the rules name, as of one moment. */
interface Places {
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly own: OwnPlaces;
}

/**
 * Roots may be links and may be changed while we run: what they were is believed so long, as in a burst of calls.
 * Nothing is refused by it: they are looked up again first.
 */
const PLACES_BELIEVED_MS = 1000;

/** @param files of the machine the paths are on */
export function createPathPolicy(
  rules: PathRules,
  files: Pick<BackendFiles, 'resolve' | 'otherPlaces' | 'linkedFiles'>,
): PathPolicy {
  const { restrictions, workspace, temporary, home, protectedPaths } = rules;
  const confined = restrictions.length > 0;
  const links = createOwnLinks(files);

  function absolute(path: string): string {
    if (path === '' || path.includes('\0'))
      throw new Failure('invalid_input', 'A path must not be empty or hold NUL characters.');
    if (path === '~' || path.startsWith('~/')) return normalPath(home + path.slice(1));
    return normalPath(path.startsWith('/') ? path : `${workspace}/${path}`);
  }

  const realPaths = (paths: readonly string[]) =>
    Promise.all(paths.map((path) => files.resolve(absolute(path)).catch(() => absolute(path))));

  async function findPlaces(): Promise<Places> {
    const [roots, ours] = await Promise.all([
      realPaths(confined ? restrictions : [workspace, temporary]),
      realPaths(protectedPaths),
    ]);
    return {
      readable: confined ? roots : ['/'],
      // A workspace of / would make everything writable; whoever wants that says so in `path_restrictions`.
      writable: confined ? roots : roots.filter((root) => root !== '/'),
      own: await findOwnPlaces(ours, files, links),
    };
  }

  let known: { readonly atMs: number; readonly places: Promise<Places> } | undefined;
  function currentPlaces(): Promise<Places> {
    const nowMs = performance.now();
    if (!known || nowMs - known.atMs > PLACES_BELIEVED_MS) known = { atMs: nowMs, places: findPlaces() };
    return known.places;
  }

  /** Why the real path may not be used so; undefined when it may. */
  function objection(real: string, use: PathUse, places: Places, isRoot: boolean): Objection | undefined {
    const magic = magicReason(real, use);
    if (magic) return { reason: magic };
    if (places.own.hold(real)) return { reason: OURS };
    // A file there would be in the way of a folder of ours that is made later.
    if (use === 'write' && places.own.areBelow(real)) return { reason: 'what is below it belongs to mcp-python itself' };
    const roots = use === 'write' ? places.writable : places.readable;
    if (isRoot || roots.some((root) => isBelow(real, root))) return undefined;
    const verb = use === 'write' ? 'writing' : 'access';
    const shown = confined ? restrictions : roots;
    return {
      reason: `${verb} is confined to ${shown.join(', ') || 'nothing'}`,
      hint: 'A person can allow more with `execution.security.path_restrictions` in the configuration of mcp-python.',
    };
  }

  function judge(path: string, use: PathUse): Judge {
    const asked = absolute(path);
    const magic = magicReason(asked, use);
    if (magic) throw denied(path, asked, { reason: magic });
    // A root that is a link may be looked at too, though the link itself lies outside.
    const isRoot = use === 'look at' && confined && restrictions.some((root) => absolute(root) === asked);
    let places: Places | undefined;
    // Looked up while the backend opens the object.
    currentPlaces().catch(() => {});

    return {
      async admit({ realPath, ...object }) {
        places = await currentPlaces();
        let refused = objection(realPath, use, places, isRoot);
        if (refused) {
          // The roots may just have been changed.
          known = undefined;
          places = await currentPlaces();
          refused = objection(realPath, use, places, isRoot);
        }
        if (!refused && (await places.own.haveNameOf({ realPath, ...object }))) refused = { reason: OURS };
        if (refused) throw denied(path, realPath, refused);
      },
      conceals: (object) => places === undefined || places.own.hold(object.realPath) || places.own.haveNameOf(object),
    };
  }

  async function nearestResolvable(path: string): Promise<string> {
    const real = await files.resolve(path).catch(() => undefined);
    return real ?? (path === '/' ? path : nearestResolvable(parentOf(path)));
  }

  return {
    absolute,
    judge,
    async plainlyAllows(path, use) {
      const asked = absolute(path);
      return magicReason(asked, use) === undefined && objection(asked, use, await currentPlaces(), false) === undefined;
    },
    async allow(path, use) {
      const { admit } = judge(path, use);
      const asked = absolute(path);
      const realPath = await files.resolve(asked).catch(async (failure: unknown) => {
        // What is wrong with a path is told only where it may be used at all.
        await admit({ realPath: await nearestResolvable(parentOf(asked)), kind: 'missing' });
        throw failure;
      });
      await admit({ realPath, kind: 'missing' });
      return realPath;
    },
  };
}

const OURS = 'it belongs to mcp-python itself';

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

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
