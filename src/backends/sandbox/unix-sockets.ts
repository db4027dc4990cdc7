/**
 * Sockets in the file system through which a command could have others work for it: a container engine, the service
 * manager, an agent that holds keys. A read-only view does not keep anybody from connecting to them.
 */
import { readFileSync } from 'node:fs';
import { entryAt } from './real-paths.ts';

/** Doors to the machine outside `/run`, there or not yet: folders, so that a service started later is covered too. */
export const SOCKET_FOLDERS: readonly string[] = [
  '/nix/var/nix/daemon-socket',
  '/var/lib/incus',
  '/var/lib/lxd',
  '/var/snap/lxd',
];

/** Programs look up names of users and groups there. */
const HARMLESS = /^\/var\/lib\/sss\/pipes\//;

/** Paths of the sockets that something listens on now, as their owners named them. Nothing where the system does not tell. */
export function listeningSockets(): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return [];
  }
  const paths = new Set<string>();
  // Number, users, protocol, flags, type, state, inode, then the path; what is connected only has none of its own.
  for (const [, path = ''] of table.matchAll(/^\S+: (?:\S+ +){5}\d+ (\/.*)$/gm)) {
    if (!HARMLESS.test(path)) paths.add(path);
  }
  return [...paths].filter((path) => entryAt(path)?.isSocket());
}
