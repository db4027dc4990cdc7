/**
 * The server's end of the local socket. Whoever can open it is the local principal without a credential: so it is the
 * user's own, in a folder that only the user can enter.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { VERSION } from '../version.ts';
import { type LocalServerRecord, RECORD_FILE, SOCKET_FILE } from './local-server.ts';

export interface LocalSocket {
  readonly path: string;
  /** Once nothing listens any more: takes socket and record away. Another server may have its own from now on. */
  leave(): void;
}

/** Bytes that a socket's path may have on every system (sockaddr_un), with the end of the string. */
const MAX_PATH_BYTES = 104;

/**
 * @param server what answers on it
 * @param url of the same server over TCP, for the record
 * @returns the socket, or why there is none as a sentence
 */
export async function openLocalSocket(folder: string, server: Server, url: string): Promise<LocalSocket | string> {
  const path = join(folder, SOCKET_FILE);
  const record = join(folder, RECORD_FILE);
  if (Buffer.byteLength(path) >= MAX_PATH_BYTES) return `There is no local socket: its path ${path} would be too long.`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o077) !== 0) {
      return `There is no local socket: others can enter ${folder}. Run \`chmod 700 ${folder}\` and start again.`;
    }
    const { holdLock } = await import('../state/held-lock.ts');
    const giveBack = holdLock(join(folder, 'server.lock'));
    if (!giveBack) return `The local socket ${path} is left to the server that has it; this one is only at ${url}.`;
    const leave = () => {
      rmSync(record, { force: true });
      rmSync(path, { force: true });
      giveBack();
    };
    try {
      // Nobody listens on it any more, or the lock would be held.
      rmSync(path, { force: true });
      await listen(server, path);
      writeRecord(record, { pid: process.pid, started: new Date().toISOString(), url, socket: path, version: VERSION });
    } catch (thrown) {
      server.close();
      leave();
      throw thrown;
    }
    return { path, leave };
  } catch (thrown) {
    return `There is no local socket: ${thrown instanceof Error ? thrown.message : thrown}.`;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Bound within the call, so nobody finds it with more rights.
    const before = process.umask(0o177);
    server.listen(path, () => {
      server.off('error', reject);
      chmodSync(path, 0o600);
      resolve();
    });
    process.umask(before);
  });
}

/** In one step: who looks for it finds all of it, or nothing. */
function writeRecord(path: string, record: LocalServerRecord): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, path);
}
