/** What of the file system a confined command gets, as mounts for bubblewrap. */
import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Confinement } from '../backend.ts';
import type { Sealed } from './mount-check.ts';
import type { Place } from './placeholders.ts';
import { protectedPlaces } from './protected-places.ts';
import { exists, isFolder, isLink, real } from './real-paths.ts';
import { systemFolders } from './system-folders.ts';
import { listeningSockets, SOCKET_FOLDERS } from './unix-sockets.ts';
import { createVisibleTree, type VisibleTree } from './visible-tree.ts';

export interface Mounts {
  /** Arguments of bwrap. */
  readonly args: readonly string[];
  /** What must exist before the command starts, for something is mounted over it. */
  readonly places: readonly Place[];
  /** What is mounted in folders that may be written. */
  readonly sealed: readonly Sealed[];
  /** Files that were not there, and must not be when the command has ended. */
  readonly removed: readonly string[];
  /** Whether the command finds at a path what is there outside. */
  sees(path: string): boolean;
}

/** Empty for each command. */
const PRIVATE = ['/tmp', '/var/tmp'];
/** Where the sockets of the whole machine are, and little else. */
const RUNTIME = ['/run', '/var/run'];
/** What programs need of it: NixOS has them there. Names are looked up in what `/etc/resolv.conf` leads to. */
const RUNTIME_NEEDS = ['/run/current-system', '/run/opengl-driver', '/run/opengl-driver-32', '/etc/resolv.conf'];
/**
 * What root may write without any capability, for it is its own, beside what bwrap itself covers:
 * `kernel.core_pattern` names a program that the kernel runs outside.
 */
const KERNEL = ['/proc/sys', '/proc/sysrq-trigger', '/proc/scsi', '/proc/acpi/wakeup'];
/** What root could read in the same way: passwords and keys of the machine. */
const SECRETS = ['/etc/shadow', '/etc/shadow-', '/etc/krb5.keytab'];

/** Never written, whatever is listed. */
const KERNEL_FOLDERS = /^\/(?:proc|sys|dev)(?:\/(?!shm\/)|$)/;
/** Where everybody puts sockets. */
const SHARED = ['/', '/tmp', '/var/tmp'];

const isRoot = process.getuid?.() === 0;

/** @param home absolute path of the home directory */
export function planMounts(confinement: Confinement, environment: Readonly<Record<string, string>>, home: string): Mounts {
  const realHome = real(home);
  const system = confinement.readable && systemFolders(environment.PATH ?? '', realHome);
  const tree = createVisibleTree(system ? 'hidden' : 'read');
  const roots = confinement.writable.map(real).filter((path) => exists(path) && !KERNEL_FOLDERS.test(path));
  const wholly = roots.includes('/');
  const readable = (confinement.readable ?? []).map(real).filter(exists);

  for (const path of [...PRIVATE, ...RUNTIME]) if (isFolder(path) && !isLink(path)) tree.set(path, 'private');
  for (const path of RUNTIME_NEEDS.map(real)) if (path.startsWith('/run/') && exists(path)) tree.set(path, 'read');
  for (const path of system?.folders ?? []) tree.set(path, 'read');
  for (const path of [...SOCKET_FOLDERS, ...(isRoot ? SECRETS : [])])
    if (exists(path) && isInView(tree, path)) tree.set(path, 'hidden');
  for (const path of readable) tree.set(path, 'read');
  for (const path of roots) tree.set(path, 'write');
  // Reading what may be written is no less.
  for (const path of readable) if (tree.accessOf(dirname(path)) === 'write') tree.set(path, 'write');

  for (const path of confinement.hidden.map(real)) tree.seal(path, 'hidden', { path, kind: 'folder', content: '' });
  const removed: string[] = [];
  for (const { path, name } of roots.flatMap((root) => protectedPlaces(root, realHome))) {
    const missing = !exists(path);
    const free = name.whenMissing === 'free' || name.readers?.some((reader) => exists(join(realHome, reader))) === false;
    if ((missing && free) || tree.accessOf(path) !== 'write') continue;
    const place = real(path);
    if (tree.accesses.has(place) || tree.accessOf(place) !== 'write') continue;
    if (missing && name.whenMissing === 'removed') removed.push(place);
    const placeholder: Place = { path: place, kind: name.kind, content: name.placeholder ?? '' };
    tree.seal(place, 'read', name.whenMissing === 'blocked' ? placeholder : undefined);
  }
  for (const path of listeningSockets().map(real)) {
    const access = tree.accessOf(path);
    if (access === 'read' || (access === 'write' && !isOfWork(path, roots, realHome))) tree.seal(path, 'hidden');
  }

  const { args, last, sealed } = mountsOf(tree);
  const little = system && !wholly ? system : undefined;
  const links = little ? [...little.links, ...linksAmong(confinement.writable)] : [];
  return {
    args: [
      ...(little ? [] : [wholly ? '--bind' : '--ro-bind', '/', '/']),
      ...links.flatMap(({ path, target }) => ['--symlink', target, path]),
      ...['--dev', '/dev', '--proc', '/proc'],
      ...(isRoot ? KERNEL.filter(exists) : []).flatMap((path) => ['--ro-bind', path, path]),
      // Groups of the machine's that limit commands are in it.
      ...(wholly ? ['--ro-bind', '/sys', '/sys'] : []),
      ...args,
      ...last,
      ...(little ? ['--remount-ro', '/'] : []),
    ],
    places: tree.places,
    sealed,
    removed,
    sees: (path) => ['read', 'write'].includes(tree.accessOf(real(path))),
  };
}

/** Outer ones before what lies in them; what has to wait until everything in it is mounted comes last. */
function mountsOf(tree: VisibleTree): { args: string[]; last: string[]; sealed: Sealed[] } {
  const args: string[] = [];
  const last: string[] = [];
  const sealed: Sealed[] = [];
  const seal = (path: string, by: Sealed['by']) => {
    if (tree.sealed.has(path)) sealed.push({ path, by });
  };
  const folders = new Set(tree.places.filter(({ kind }) => kind === 'folder').map(({ path }) => path));
  for (const [path, access] of [...tree.accesses].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // What everything else is mounted in.
    if (path === '/') continue;
    const around = tree.accessOf(dirname(path));
    if (access === 'private') args.push('--perms', RUNTIME.includes(path) ? '0755' : '1777', '--tmpfs', path);
    else if (access === 'write' || access === 'read') {
      if (access === 'read' && around === 'read') continue;
      args.push(access === 'write' ? '--bind' : '--ro-bind', path, path);
      seal(path, 'itself');
    } else if (around === 'read' || around === 'write') {
      if (folders.has(path) || isFolder(path)) {
        args.push('--perms', '0555', '--tmpfs', path);
        last.push('--remount-ro', path);
        seal(path, 'folder');
      } else {
        args.push('--ro-bind', '/dev/null', path);
        seal(path, 'device');
      }
    }
  }
  return { args, last, sealed };
}

/**
 * Whether a socket in a folder that may be written was put there for the work in it, like a development server's. In
 * folders that everybody uses they are other programs', and in the home directory agents keep theirs.
 */
function isOfWork(path: string, roots: readonly string[], home: string): boolean {
  const [root = '/'] = roots.filter((each) => path.startsWith(`${each}/`)).sort((a, b) => b.length - a.length);
  return !SHARED.includes(root) && !path.startsWith(`${home}/.`);
}

function isInView(tree: VisibleTree, path: string): boolean {
  return tree.accessOf(path) === 'read';
}

/** Roots that were given as links, where nothing of the folders they lie in is to be seen. */
function linksAmong(paths: readonly string[]): { path: string; target: string }[] {
  return paths.filter(isLink).map((path) => ({ path, target: readlinkSync(path) }));
}
