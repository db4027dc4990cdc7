/**
 * Sessions and their events on the disk, for the next server process: `sessions.db` in the state folder (SQLite, WAL).
 *
 * A write is with the kernel when it returns, so it outlives kill -9; power loss may lose the last ones. Several servers
 * may use one folder: each session belongs to one process, and passes to another only when that one is gone.
 */
import { join } from 'node:path';
import { isAlive, ownIdentity } from './process-identity.ts';
import { inOneStep, openDatabase } from './sqlite-database.ts';

/** What is stored of a session; `terms` and `settings` are JSON whose meaning is the protocol's. */
export interface StoredSession {
  readonly id: string;
  readonly principalId: string;
  readonly terms: string;
  readonly settings: string;
}

/** A session as far as it counts: who has it, and when it was used last, milliseconds since 1970. */
export interface SessionUse {
  readonly id: string;
  readonly principalId: string;
  readonly usedMs: number;
}

/** A stream that is open; `request` is the JSON of what it answers, null for the session's own. */
export interface StoredStream {
  readonly stream: number;
  readonly request: string | null;
}

export interface StoredEvent {
  readonly stream: number;
  readonly sequence: number;
  /** Empty for one that only gave its id away. */
  readonly data: string;
}

/** Every method throws what SQLite throws, as when the disk is full. */
export interface SessionStore {
  /** Makes the sessions of servers that are gone ours, and tells all of ours, least recently used first. */
  adopt(): readonly SessionUse[];
  /** A principal's session; `elsewhere` when another running server has it. */
  find(id: string, principalId: string): StoredSession | 'elsewhere' | undefined;
  /** Our sessions whose own stream is open. */
  listening(): readonly { readonly id: string; readonly stream: number; readonly settings: string }[];
  /** Keeps a value under a name, for all servers. @returns the one before */
  remember(name: string, value: string): string | undefined;
  create(session: StoredSession, usedMs: number): void;
  saveSettings(id: string, settings: string): void;
  /** Writes when sessions were used last. */
  touch(uses: Iterable<Pick<SessionUse, 'id' | 'usedMs'>>): void;
  remove(id: string): void;
  /** Gives all that is ours to whoever asks next. */
  release(): void;
  openStream(id: string, stream: number, request: string | null): void;
  append(id: string, event: StoredEvent): void;
  /** Appends after the newest event. */
  appendNext(id: string, stream: number, data: string): void;
  /** Closes a stream, with its last event in one step. */
  finishStream(id: string, stream: number, last: StoredEvent | undefined): void;
  /** Forgets events up to and with this sequence, but never the newest: ids go on from there. */
  trim(id: string, sequence: number): void;
  /** Oldest first. */
  events(id: string): readonly StoredEvent[];
  streams(id: string): readonly StoredStream[];
  close(): void;
}

const SCHEMA = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, principal TEXT NOT NULL, terms TEXT NOT NULL, settings TEXT NOT NULL,
    owner TEXT NOT NULL, used_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE streams (
    session TEXT NOT NULL, stream INTEGER NOT NULL, request TEXT, PRIMARY KEY (session, stream)
  ) WITHOUT ROWID;
  CREATE TABLE events (
    session TEXT NOT NULL, sequence INTEGER NOT NULL, stream INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (session, sequence)
  ) WITHOUT ROWID;
  CREATE TABLE remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`;

/** @param folder the state folder, made when it is not there */
export function openSessionStore(folder: string): SessionStore {
  const database = openDatabase(join(folder, 'sessions.db'), [SCHEMA]);
  const owner = ownIdentity();
  const sql = {
    owners: database.prepare('SELECT DISTINCT owner FROM sessions WHERE owner <> ?'),
    take: database.prepare('UPDATE sessions SET owner = ? WHERE owner = ?'),
    uses: database.prepare(
      'SELECT id, principal AS principalId, used_ms AS usedMs FROM sessions WHERE owner = ? ORDER BY used_ms',
    ),
    find: database.prepare(
      'SELECT id, principal AS principalId, terms, settings, owner FROM sessions WHERE id = ? AND principal = ?',
    ),
    takeOne: database.prepare('UPDATE sessions SET owner = ? WHERE id = ? AND owner = ?'),
    listening: database.prepare(
      'SELECT id, stream, settings FROM streams JOIN sessions ON id = session WHERE request IS NULL AND owner = ?',
    ),
    remembered: database.prepare('SELECT value FROM remembered WHERE name = ?'),
    remember: database.prepare('INSERT OR REPLACE INTO remembered (name, value) VALUES (?, ?)'),
    create: database.prepare('INSERT INTO sessions (id, principal, terms, settings, owner, used_ms) VALUES (?, ?, ?, ?, ?, ?)'),
    settings: database.prepare('UPDATE sessions SET settings = ? WHERE id = ?'),
    touch: database.prepare('UPDATE sessions SET used_ms = ? WHERE id = ?'),
    remove: ['sessions WHERE id', 'streams WHERE session', 'events WHERE session'].map((from) =>
      database.prepare(`DELETE FROM ${from} = ?`),
    ),
    openStream: database.prepare('INSERT INTO streams (session, stream, request) VALUES (?, ?, ?)'),
    closeStream: database.prepare('DELETE FROM streams WHERE session = ? AND stream = ?'),
    append: database.prepare('INSERT INTO events (session, sequence, stream, data) VALUES (?, ?, ?, ?)'),
    appendNext: database.prepare(
      'INSERT INTO events (session, sequence, stream, data) SELECT ?1, ifnull(max(sequence), 0) + 1, ?2, ?3 FROM events WHERE session = ?1',
    ),
    trim: database.prepare(
      'DELETE FROM events WHERE session = ?1 AND sequence <= ?2 AND sequence < (SELECT max(sequence) FROM events WHERE session = ?1)',
    ),
    events: database.prepare('SELECT stream, sequence, data FROM events WHERE session = ? ORDER BY sequence'),
    streams: database.prepare('SELECT stream, request FROM streams WHERE session = ? ORDER BY stream'),
  };

  return {
    adopt() {
      for (const { owner: other } of sql.owners.all(owner) as { owner: string }[]) {
        if (!isAlive(other)) sql.take.run(owner, other);
      }
      return sql.uses.all(owner) as unknown as SessionUse[];
    },
    find(id, principalId) {
      const row = sql.find.get(id, principalId) as (StoredSession & { owner: string }) | undefined;
      if (!row) return undefined;
      const { owner: other, ...stored } = row;
      if (other === owner) return stored;
      // Whoever comes second has not changed a row.
      if (isAlive(other) || sql.takeOne.run(owner, id, other).changes === 0) return 'elsewhere';
      return stored;
    },
    listening: () => sql.listening.all(owner) as { id: string; stream: number; settings: string }[],
    remember(name, value) {
      const before = sql.remembered.get(name) as { value: string } | undefined;
      if (before?.value !== value) sql.remember.run(name, value);
      return before?.value;
    },
    create({ id, principalId, terms, settings }, usedMs) {
      sql.create.run(id, principalId, terms, settings, owner, usedMs);
    },
    saveSettings(id, settings) {
      sql.settings.run(settings, id);
    },
    touch(uses) {
      inOneStep(database, () => {
        for (const { id, usedMs } of uses) sql.touch.run(usedMs, id);
      });
    },
    remove(id) {
      inOneStep(database, () => {
        for (const statement of sql.remove) statement.run(id);
      });
    },
    release() {
      sql.take.run('', owner);
    },
    openStream(id, stream, request) {
      sql.openStream.run(id, stream, request);
    },
    append(id, { stream, sequence, data }) {
      sql.append.run(id, sequence, stream, data);
    },
    appendNext(id, stream, data) {
      sql.appendNext.run(id, stream, data);
    },
    finishStream(id, stream, last) {
      if (!last) {
        sql.closeStream.run(id, stream);
        return;
      }
      inOneStep(database, () => {
        sql.append.run(id, last.sequence, last.stream, last.data);
        sql.closeStream.run(id, stream);
      });
    },
    trim(id, sequence) {
      sql.trim.run(id, sequence);
    },
    events: (id) => sql.events.all(id) as unknown as StoredEvent[],
    streams: (id) => sql.streams.all(id) as unknown as StoredStream[],
    close: () => database.close(),
  };
}
