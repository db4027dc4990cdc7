/** What is told about files: to callers, and to the guard that judges them. */
import type { BigIntStats } from 'node:fs';
import type { FileInfo, FileKind, HeldObject } from './backend.ts';

type Stats = BigIntStats;

/** What a guard judges by. */
export function heldObject(realPath: string, stats: Stats): HeldObject {
  return {
    realPath,
    kind: kindOf(stats),
    identity: identityOf(stats),
    names: Number(stats.nlink),
    changedMs: Number(stats.ctimeMs),
  };
}

export function fileInfo(path: string, stats: Stats, linkTarget?: string): FileInfo {
  return {
    path,
    kind: kindOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    modifiedMs: Number(stats.mtimeNs / 1000n) / 1000,
    version: versionOf(stats),
    ...(linkTarget !== undefined && { linkTarget }),
  };
}

/** The time alone would miss a change within the same tick of the clock; a file replaced in one step has another inode. */
export function versionOf({ ino, size, mtimeNs }: Stats): string {
  return `${ino}-${size}-${mtimeNs}`;
}

export function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
