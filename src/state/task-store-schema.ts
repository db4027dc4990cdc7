/** The tables of `tasks.db`, and the rows as they stand in them. Times are milliseconds since 1970, objects are JSON. */

/** States a task never leaves by itself. */
export const ENDED_STATES: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'interrupted']);

/** What is stored of a task; see the fields of the same names in the orchestrator's durable tasks. */
export interface TaskRow {
  /** Order of creation. */
  readonly number: number;
  readonly id: string;
  /** Folder that relative paths of its call start from; only processes with the same one run it. */
  readonly place: string;
  readonly principal: string;
  readonly state: string;
  /** 0 is the most urgent, 3 the least. */
  readonly priority: number;
  readonly title: string;
  readonly description: string | null;
  readonly type: string | null;
  /** Null: work for a client's agent. */
  readonly tool: string | null;
  /** 1: a command that ends with another status than 0 has failed. */
  readonly strict: number;
  readonly project: string | null;
  readonly component: string | null;
  /** Its name among the tasks of its project. */
  readonly key: string | null;
  readonly created_ms: number;
  readonly updated_ms: number;
  /** Since when it may be run, or from when on. */
  readonly ready_ms: number;
  readonly started_ms: number | null;
  readonly ended_ms: number | null;
  readonly ttl_ms: number | null;
  /** When it may be forgotten; null while it has not ended. */
  readonly expires_ms: number | null;
  readonly attempts: number;
  readonly max_attempts: number;
  /** Tasks it depends on that are not completed. */
  readonly unmet: number;
  /** The client's agent it is meant for. */
  readonly assignee: string | null;
  readonly agent: string | null;
  readonly note: string | null;
  readonly code: string | null;
  /** The process that runs it; kept after a cancellation until the run is over. */
  readonly owner: string | null;
  /** The job its command runs as, which goes on whatever becomes of the process. */
  readonly job: string | null;
  readonly session: string | null;
  readonly capabilities: string | null;
  readonly questions: string | null;
  readonly answers: string | null;
  readonly ask_state: string | null;
  readonly idempotency_key: string | null;
  /** Number of the change it was last part of. */
  readonly change: number;
  readonly arguments: string | null;
  readonly result: string | null;
}

/** All but what can be large. */
export const SHORT_COLUMNS = `number, id, place, principal, state, priority, title, description, type, tool, strict, project,
  component, key, created_ms, updated_ms, ready_ms, started_ms, ended_ms, ttl_ms, expires_ms, attempts, max_attempts, unmet,
  assignee, agent, note, code, owner, job, session, capabilities, change`;

/** Each brings the schema one version further; one that was released is never changed. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE tasks (
     number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, principal TEXT NOT NULL, state TEXT NOT NULL,
     priority INTEGER NOT NULL, title TEXT NOT NULL, description TEXT, type TEXT, tool TEXT,
     strict INTEGER NOT NULL DEFAULT 0, project TEXT, component TEXT, key TEXT, created_ms INTEGER NOT NULL,
     updated_ms INTEGER NOT NULL, ready_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, ttl_ms INTEGER,
     expires_ms INTEGER, attempts INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL DEFAULT 1,
     unmet INTEGER NOT NULL DEFAULT 0, assignee TEXT, agent TEXT, note TEXT, code TEXT, owner TEXT, job TEXT, session TEXT,
     capabilities TEXT, questions TEXT, answers TEXT, ask_state TEXT, idempotency_key TEXT, change INTEGER NOT NULL,
     arguments TEXT, result TEXT
   ) STRICT;
   CREATE INDEX tasks_listed ON tasks (principal, state);
   CREATE INDEX tasks_ready ON tasks (principal, priority, ready_ms) WHERE state = 'queued';
   CREATE INDEX tasks_owned ON tasks (owner) WHERE owner IS NOT NULL;
   CREATE INDEX tasks_changed ON tasks (change);
   CREATE INDEX tasks_of_project ON tasks (project) WHERE project IS NOT NULL;
   CREATE INDEX tasks_expiring ON tasks (expires_ms) WHERE expires_ms IS NOT NULL;
   CREATE UNIQUE INDEX tasks_once ON tasks (principal, idempotency_key) WHERE idempotency_key IS NOT NULL;
   CREATE TABLE dependencies (
     needs INTEGER NOT NULL, task INTEGER NOT NULL, PRIMARY KEY (needs, task)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX dependencies_of_task ON dependencies (task);
   CREATE TABLE principals (
     id TEXT PRIMARY KEY, record TEXT NOT NULL, served INTEGER NOT NULL DEFAULT 0
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE projects (
     id TEXT PRIMARY KEY, principal TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, components TEXT NOT NULL,
     created_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX projects_listed ON projects (principal);
   CREATE TABLE runners (owner TEXT PRIMARY KEY, beat_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE sequence (value INTEGER NOT NULL) STRICT;
   INSERT INTO sequence (value) VALUES (0);`,
  `ALTER TABLE tasks ADD COLUMN place TEXT NOT NULL DEFAULT '';
   ALTER TABLE runners ADD COLUMN place TEXT NOT NULL DEFAULT '';
   DROP INDEX tasks_ready;
   CREATE INDEX tasks_ready ON tasks (place, principal, priority, ready_ms) WHERE state = 'queued';`,
];
