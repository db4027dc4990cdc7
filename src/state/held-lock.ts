/**
 * A lock that a process holds for as long as it likes. Node has no `flock`, and a file with a process id in it stays
 * behind after kill -9; SQLite's lock on an otherwise empty database is the kernel's (fcntl), which goes with the process.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** @returns what gives the lock back, or undefined when another process has it. @throws where no file can be made */
export function holdLock(path: string): (() => void) | undefined {
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; BEGIN IMMEDIATE');
    return () => database.close();
  } catch (thrown) {
    database.close();
    if (thrown instanceof Error && thrown.message === 'database is locked') return undefined;
    throw thrown;
  }
}
