/** SQLite files of the state folder: how they are opened, brought to the present schema, and changed in one step. */
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Longest wait for another process that writes, milliseconds. Nothing else goes on meanwhile. */
const BUSY_MS = 5000;

/**
 * Opens a database in WAL mode, making it and its folder where they are not there; only their owner may read them. A
 * write is with the kernel when it returns, so kill -9 loses none; power loss may lose the last ones.
 * @param migrations the n-th brings schema version n to n + 1; all that are missing are run, in one step
 * @throws Error when a newer version of the program has been here, and what SQLite throws
 */
export function openDatabase(path: string, migrations: readonly string[]): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would make it readable by everybody; its other files take after this one.
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout=${BUSY_MS}; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL`);
    if (versionOf(database) !== migrations.length) inOneStep(database, () => migrate(database, migrations));
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function versionOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

/** Another process may have been faster, so the version is read again inside the step. */
function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  const version = versionOf(database);
  if (version > migrations.length) throw new Error('It was written by a newer version of mcp-python.');
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version=${migrations.length}`);
}

/** All of the work or none of it; nobody else writes meanwhile. */
export function inOneStep<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const made = work();
    database.exec('COMMIT');
    return made;
  } catch (thrown) {
    // SQLite has rolled back by itself after some errors, as when the disk is full.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}
