/**
 * A lock between the processes that write one audit log. Node has no `flock`, and a lock file with a process id in it
 * stays behind after kill -9. SQLite's lock on an otherwise empty database is the kernel's (fcntl): it goes with the
 * process, however that ends.
 *
 * Taking it costs 15 µs, so it is kept for a few milliseconds. Who waits for it says so by a file, and then whoever
 * gives it back stays away for a moment.
 */
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../errors.ts';

/** How long it is kept once it was taken, milliseconds. */
const LEASE_MS = 5;
/** How long its holder then leaves it to those who wait; they look every millisecond. */
const YIELD_MS = 4;
const LOOK_AGAIN_MS = 1;

/** SQLite's words for a lock that another has (SQLITE_BUSY); Deno gives no number. */
const BUSY = 'database is locked';

export interface ProcessLock {
  /**
   * Resolves when this process has the lock, with a number that changes whenever it was away. It is kept until the
   * current turn of the event loop has ended, at least.
   * @throws Failure `unavailable` after so many milliseconds, or what makes a lock impossible here
   */
  hold(patience: number): Promise<number>;
  close(): void;
}

/** @throws where no lock file can be made in the folder */
export function openProcessLock(directory: string): ProcessLock {
  const path = join(directory, 'lock');
  const wanted = join(directory, 'lock.wanted');
  // SQLite would make it readable by everybody.
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
  const database = new DatabaseSync(path);
  // The database stays empty: a disk that is full, or a process that is killed, cannot harm it.
  database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY');
  let turn = 0;
  let held = false;
  let lease: NodeJS.Timeout | undefined;
  let away = 0;
  let broken: unknown;

  function take(): boolean {
    try {
      database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      if (error instanceof Error && error.message === BUSY) return false;
      throw error;
    }
    held = true;
    turn++;
    lease = setTimeout(release, LEASE_MS).unref();
    return true;
  }

  function release(): void {
    clearTimeout(lease);
    if (!held) return;
    held = false;
    try {
      database.exec('ROLLBACK');
      if (!existsSync(wanted)) return;
      // Who still waits says so again; who was killed meanwhile does not.
      rmSync(wanted, { force: true });
      away = performance.now() + YIELD_MS;
    } catch (error) {
      broken = error;
    }
  }

  async function wait(patience: number): Promise<void> {
    const until = performance.now() + patience;
    for (let yielding = away > performance.now(); ; yielding = false) {
      if (!yielding && take()) break;
      if (performance.now() > until)
        throw new Failure('unavailable', `Another process keeps ${path} locked: it hangs, or was stopped.`);
      if (!yielding) closeSync(openSync(wanted, 'a', 0o600));
      const pause = yielding ? away - performance.now() : LOOK_AGAIN_MS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, pause)));
    }
  }

  return {
    async hold(patience) {
      if (broken) throw broken;
      if (!held && (away > performance.now() || !take())) await wait(patience);
      return turn;
    },
    close() {
      release();
      // Closing frees the lock as well, and what is broken holds none.
      if (!broken) database.close();
    },
  };
}
