/**
 * Durable tasks and projects on the disk: `tasks.db` in the state folder (SQLite, WAL), shared by all processes that use
 * the folder. Every change is one transaction and has a number, so that what happened since can be asked for.
 */
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { Failure } from '../errors.ts';
import { inOneStep, openDatabase } from './sqlite-database.ts';
import { createClaims } from './task-store-claims.ts';
import { createTaskPages } from './task-store-pages.ts';
import { ENDED_STATES, MIGRATIONS, SHORT_COLUMNS, type TaskRow } from './task-store-schema.ts';

export const TASKS_FILE = 'tasks.db';

/** A task to be stored; what is absent is null, or the column's default. */
export type NewTaskRow = Pick<TaskRow, 'id' | 'principal' | 'title' | 'priority' | 'tool' | 'arguments'> &
  Partial<
    Pick<
      TaskRow,
      | 'description'
      | 'type'
      | 'strict'
      | 'project'
      | 'component'
      | 'key'
      | 'ttl_ms'
      | 'max_attempts'
      | 'assignee'
      | 'session'
      | 'capabilities'
      | 'answers'
      | 'idempotency_key'
    >
  > & {
    /** Ids of tasks of the same principal that are there, or come before it in the same list. */
    readonly dependsOn: readonly string[];
  };

/** A project as stored; `components` is JSON whose meaning is the orchestrator's. */
export interface ProjectRow {
  readonly id: string;
  readonly principal: string;
  readonly name: string;
  readonly description: string;
  readonly components: string;
  readonly created_ms: number;
}

export type TaskPatch = Partial<
  Pick<
    TaskRow,
    | 'state'
    | 'ready_ms'
    | 'attempts'
    | 'max_attempts'
    | 'assignee'
    | 'agent'
    | 'note'
    | 'code'
    | 'owner'
    | 'job'
    | 'questions'
    | 'answers'
    | 'ask_state'
    | 'arguments'
    | 'result'
  >
>;

export type TaskStore = ReturnType<typeof openTaskStore>;

/**
 * @param folder the state folder
 * @param retentionMs how long ended tasks are kept that say nothing else
 * @param place the folder that relative paths start from in this process
 */
export function openTaskStore(folder: string, retentionMs: number, place: string) {
  const path = join(folder, TASKS_FILE);
  const database = openDatabase(path, MIGRATIONS);
  const sql = statements(database);
  const pages = createTaskPages(database);
  const nextChange = () => (sql.nextChange.get() as { value: number }).value;
  const claims = createClaims(database, nextChange, place);

  /** @throws Failure `not_found` */
  function insert(rows: readonly NewTaskRow[], principalRecord: string): void {
    const nowMs = Date.now();
    const change = nextChange();
    const [{ principal } = { principal: '' }] = rows;
    sql.savePrincipal.run(principal, principalRecord);
    for (const row of rows) {
      const needed = row.dependsOn.map((id) => dependency(id, row));
      const unmet = needed.filter(({ state }) => state !== 'completed');
      const { dependsOn: _, ...columns } = row;
      const state = unmet.length > 0 ? 'blocked' : row.tool === null ? 'open' : 'queued';
      const { lastInsertRowid: number } = sql.insert.run({
        ...EMPTY,
        ...columns,
        place,
        state,
        created_ms: nowMs,
        ready_ms: nowMs,
        unmet: unmet.length,
        change,
      });
      for (const each of needed) sql.addDependency.run(each.number, number);
    }
  }

  function dependency(id: string, { principal, title }: NewTaskRow): TaskRow {
    const found = sql.find.get(id, principal) as TaskRow | undefined;
    if (found) return found;
    throw new Failure('not_found', `"${title}" is to depend on the task ${id}, which is not there.`, {
      hint: 'Give the ids of tasks as they were told when those were created.',
    });
  }

  function apply(row: TaskRow, patch: TaskPatch): TaskRow {
    const nowMs = Date.now();
    const change = nextChange();
    const ends = patch.state !== undefined && ENDED_STATES.has(patch.state);
    const full: Record<string, SQLInputValue> = { ...patch, updated_ms: nowMs, change };
    if (ends) {
      full.ended_ms = nowMs;
      full.expires_ms = Math.max(nowMs, row.ttl_ms === null ? nowMs + retentionMs : row.created_ms + row.ttl_ms);
    } else if (patch.state !== undefined && row.ended_ms !== null) {
      full.ended_ms = null;
      full.expires_ms = null;
    }
    const updated = sql.update(Object.keys(full)).get({ ...full, number: row.number }) as unknown as TaskRow;
    if (patch.state === 'completed' && row.state !== 'completed') sql.release.run({ needs: row.number, now: nowMs, change });
    // Why they are blocked is another now.
    else if (ends || row.ended_ms !== null) sql.touchDependants.run({ change, needs: row.number });
    return updated;
  }

  return {
    ...pages,
    ...claims,
    path,
    /** Stores all of them, or none. @throws Failure `not_found` for a dependency that is not there */
    add(rows: readonly NewTaskRow[], principalRecord: string, project?: ProjectRow): void {
      inOneStep(database, () => {
        if (project) sql.addProject.run({ ...project });
        if (rows.length > 0) insert(rows, principalRecord);
      });
    },
    find: (id: string, principal: string) => sql.find.get(id, principal) as TaskRow | undefined,
    findByKey: (key: string, principal: string) => sql.findByKey.get(key, principal) as TaskRow | undefined,
    principalRecord: (id: string) => (sql.principal.get(id) as { record: string } | undefined)?.record,
    dependencies: (number: number) =>
      sql.dependencies.all(number) as unknown as Pick<TaskRow, 'number' | 'id' | 'title' | 'state'>[],
    /** Tasks that did not complete and keep it from ever beginning, near or far. */
    stuckBy: (number: number) => sql.stuckBy.all(number) as unknown as Pick<TaskRow, 'title' | 'state'>[],
    /**
     * Changes one task, unless `allowed` says no to how it is at that moment.
     * @returns the task afterwards; undefined when it was not allowed, or is not there
     */
    change(number: number, patch: TaskPatch | ((row: TaskRow) => TaskPatch), allowed: (row: TaskRow) => boolean) {
      return inOneStep(database, () => {
        const row = sql.get.get(number) as TaskRow | undefined;
        if (!row || !allowed(row)) return undefined;
        return apply(row, typeof patch === 'function' ? patch(row) : patch);
      });
    },
    /** Forgets one that has ended, at once. */
    discard(number: number): void {
      sql.discard.run(number);
    },
    /** The newest change, of whichever process. */
    lastChange: () => (sql.lastChange.get() as { value: number }).value,
    /** Numbers of the tasks that were changed after this one, in the order of their changes. */
    changedSince: (change: number) => sql.changedSince.all(change) as unknown as Pick<TaskRow, 'number' | 'state' | 'change'>[],
    get: (number: number) => sql.get.get(number) as TaskRow | undefined,
    /** A number that differs from before whenever another process has written. */
    dataVersion: () => (sql.dataVersion.get() as { data_version: number }).data_version,
    project: (id: string, principal: string) => sql.project.get(id, principal) as ProjectRow | undefined,
    /** Newest first. */
    projects: (principal: string, limit: number) => sql.projects.all(principal, limit) as unknown as ProjectRow[],
    /** How many tasks of a project are in each state that any is in. */
    countStates(project: string): Record<string, number> {
      const counts = sql.countStates.all(project) as { state: string; count: number }[];
      return Object.fromEntries(counts.map(({ state, count }) => [state, count]));
    },
    tasksOfProject: (id: string) => sql.tasksOfProject.all(id) as unknown as TaskRow[],
    dependenciesOfProject: (id: string) =>
      sql.dependenciesOfProject.all(id) as unknown as { readonly task: number; readonly needs: number }[],
    /** Forgets what has ended long ago: single tasks, and projects of which every task has. */
    forget(nowMs: number): void {
      inOneStep(database, () => {
        sql.forgetTasks.run(nowMs);
        for (const { id } of sql.oldProjects.all({ now: nowMs, before: nowMs - retentionMs }) as { id: string }[]) {
          sql.forgetTasksOf.run(id);
          sql.forgetProject.run(id);
        }
        sql.forgetDependencies.run();
      });
    },
    close: () => database.close(),
  };
}

const EMPTY = {
  description: null,
  type: null,
  strict: 0,
  project: null,
  component: null,
  key: null,
  ttl_ms: null,
  max_attempts: 1,
  assignee: null,
  session: null,
  capabilities: null,
  answers: null,
  idempotency_key: null,
};

function statements(database: DatabaseSync) {
  const prepare = (text: string) => database.prepare(text);
  const updates = new Map<string, StatementSync>();
  return {
    nextChange: prepare('UPDATE sequence SET value = value + 1 RETURNING value'),
    lastChange: prepare('SELECT value FROM sequence'),
    savePrincipal: prepare(
      'INSERT INTO principals (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record WHERE record <> excluded.record',
    ),
    principal: prepare('SELECT record FROM principals WHERE id = ?'),
    insert: prepare(
      `INSERT INTO tasks (id, place, principal, state, priority, title, description, type, tool, strict, project, component, key,
         created_ms, updated_ms, ready_ms, ttl_ms, max_attempts, unmet, assignee, session, capabilities, answers,
         idempotency_key, change, arguments)
       VALUES (:id, :place, :principal, :state, :priority, :title, :description, :type, :tool, :strict, :project, :component, :key,
         :created_ms, :created_ms, :ready_ms, :ttl_ms, :max_attempts, :unmet, :assignee, :session, :capabilities,
         :answers, :idempotency_key, :change, :arguments)`,
    ),
    addDependency: prepare('INSERT OR IGNORE INTO dependencies (needs, task) VALUES (?, ?)'),
    dependencies: prepare(
      'SELECT number, id, title, state FROM dependencies JOIN tasks ON number = needs WHERE task = ? ORDER BY number',
    ),
    find: prepare('SELECT * FROM tasks WHERE id = ? AND principal = ?'),
    findByKey: prepare('SELECT * FROM tasks WHERE idempotency_key = ? AND principal = ?'),
    get: prepare('SELECT * FROM tasks WHERE number = ?'),
    /** Few different sets of columns are ever changed. */
    update(columns: readonly string[]): StatementSync {
      const key = columns.join();
      const known = updates.get(key);
      if (known) return known;
      const made = prepare(
        `UPDATE tasks SET ${columns.map((name) => `${name} = :${name}`).join(', ')} WHERE number = :number RETURNING *`,
      );
      updates.set(key, made);
      return made;
    },
    release: prepare(
      `UPDATE tasks SET unmet = unmet - 1, updated_ms = :now, change = :change,
         ready_ms = CASE WHEN unmet = 1 THEN :now ELSE ready_ms END,
         state = CASE WHEN unmet > 1 OR state <> 'blocked' THEN state WHEN tool IS NULL THEN 'open' ELSE 'queued' END
       WHERE number IN (SELECT task FROM dependencies WHERE needs = :needs)`,
    ),
    touchDependants: prepare(
      `WITH RECURSIVE waiting (number) AS (
         SELECT task FROM dependencies WHERE needs = :needs
         UNION SELECT task FROM dependencies JOIN waiting ON needs = waiting.number
       ) UPDATE tasks SET change = :change WHERE number IN (SELECT number FROM waiting) AND state = 'blocked'`,
    ),
    // Only what is blocked itself can be blocked by something further off.
    stuckBy: prepare(
      `WITH RECURSIVE needed (number) AS (
         SELECT needs FROM dependencies WHERE task = ?
         UNION SELECT needs FROM needed JOIN tasks USING (number) JOIN dependencies ON task = number WHERE state = 'blocked'
       ) SELECT title, state FROM needed JOIN tasks USING (number)
         WHERE state IN ('failed', 'cancelled', 'interrupted') ORDER BY number`,
    ),
    changedSince: prepare('SELECT number, state, change FROM tasks WHERE change > ? ORDER BY change'),
    dataVersion: prepare('PRAGMA data_version'),
    addProject: prepare(
      'INSERT INTO projects (id, principal, name, description, components, created_ms) VALUES (:id, :principal, :name, :description, :components, :created_ms)',
    ),
    project: prepare('SELECT * FROM projects WHERE id = ? AND principal = ?'),
    projects: prepare('SELECT * FROM projects WHERE principal = ? ORDER BY rowid DESC LIMIT ?'),
    countStates: prepare('SELECT state, count(*) AS count FROM tasks WHERE project = ? GROUP BY state'),
    tasksOfProject: prepare(`SELECT ${SHORT_COLUMNS} FROM tasks WHERE project = ? ORDER BY number`),
    dependenciesOfProject: prepare(
      'SELECT task, needs FROM tasks JOIN dependencies ON task = number WHERE project = ? ORDER BY task, needs',
    ),
    discard: prepare('DELETE FROM tasks WHERE number = ? AND ended_ms IS NOT NULL'),
    forgetTasks: prepare(
      `DELETE FROM tasks WHERE expires_ms < ? AND project IS NULL AND (state = 'completed' OR number NOT IN
         (SELECT needs FROM dependencies JOIN tasks AS dependants ON dependants.number = task WHERE dependants.ended_ms IS NULL))`,
    ),
    oldProjects: prepare(
      `SELECT id FROM projects WHERE created_ms < :before AND NOT EXISTS
         (SELECT 1 FROM tasks WHERE project = projects.id AND (expires_ms IS NULL OR expires_ms >= :now))`,
    ),
    forgetTasksOf: prepare('DELETE FROM tasks WHERE project = ?'),
    forgetProject: prepare('DELETE FROM projects WHERE id = ?'),
    forgetDependencies: prepare('DELETE FROM dependencies WHERE task NOT IN (SELECT number FROM tasks)'),
  };
}
