/** The few operations on files that a transport has to offer (SFTP, the archive API of containers). */
import type { FileKind } from '../backend.ts';

/** Attributes of an entry itself, links not followed. */
export interface RemoteEntry {
  readonly kind: FileKind;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedMs: number;
  readonly ownerId?: number;
  readonly groupId?: number;
}

/** An open file. Positions and lengths are bytes. */
export interface RemoteHandle extends AsyncDisposable {
  /** Of what is open, whatever the name leads to by now. */
  stat(): Promise<RemoteEntry>;
  /** Shorter at the end of the file, empty past it. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/**
 * Paths are absolute and used as they are given. Rejects with Failure: `not_found`, `denied` (the machine's own rights),
 * `invalid_input` (a folder where a file is needed), `conflict` (exists already), `unavailable`, `unsupported`.
 */
export interface RemoteFiles {
  stat(path: string): Promise<RemoteEntry>;
  readLink(path: string): Promise<string>;
  /** All links resolved; the path must exist. */
  realPath(path: string): Promise<string>;
  /** In any order; `truncated` when there were more than `limit`. Without `.` and `..`. */
  list(
    path: string,
    limit: number,
  ): Promise<{ readonly entries: readonly (RemoteEntry & { readonly name: string })[]; readonly truncated: boolean }>;
  open(path: string): Promise<RemoteHandle>;
  /** Makes a new file with these bytes and this mode, stored durably where the machine can. @throws `conflict` */
  create(path: string, data: Uint8Array, mode: number): Promise<void>;
  /** Puts one file in the place of another, in one step. */
  replace(from: string, to: string): Promise<void>;
  makeFolder(path: string, mode: number): Promise<void>;
  changeOwner?(path: string, ownerId: number, groupId: number): Promise<void>;
  remove(path: string): Promise<void>;
}
