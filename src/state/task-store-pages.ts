/** Pages of tasks, newest first, without reading what comes before them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SHORT_COLUMNS, type TaskRow } from './task-store-schema.ts';

export interface PageRequest {
  readonly limit: number;
  /** Only tasks created before this one. */
  readonly beforeNumber?: number | undefined;
  readonly project?: string | undefined;
  /** At least one. */
  readonly states: readonly string[];
}

export function createTaskPages(database: DatabaseSync) {
  // One look into the index per state, and these merged: an index on the principal alone would cost every insert.
  const numbers = database.prepare(
    'SELECT number FROM tasks INDEXED BY tasks_listed WHERE principal = ? AND state = ? AND number < ? ORDER BY number DESC LIMIT ?',
  );
  const row = database.prepare(`SELECT ${SHORT_COLUMNS} FROM tasks WHERE number = ?`);
  const ofProject = new Map<number, StatementSync>();

  function ofProjectStatement(states: number): StatementSync {
    const known = ofProject.get(states);
    if (known) return known;
    const made = database.prepare(
      `SELECT ${SHORT_COLUMNS} FROM tasks INDEXED BY tasks_of_project
         WHERE project = ? AND principal = ? AND number < ? AND state IN (${Array(states).fill('?').join()}) ORDER BY number DESC LIMIT ?`,
    );
    ofProject.set(states, made);
    return made;
  }

  return {
    /** A page of a principal's tasks, without what can be large. */
    page(principal: string, { limit, beforeNumber = Number.MAX_SAFE_INTEGER, project, states }: PageRequest): TaskRow[] {
      if (project !== undefined) {
        return ofProjectStatement(states.length).all(project, principal, beforeNumber, ...states, limit) as unknown as TaskRow[];
      }
      const found = states.flatMap((state) => numbers.all(principal, state, beforeNumber, limit) as { number: number }[]);
      return found
        .sort((a, b) => b.number - a.number)
        .slice(0, limit)
        .map(({ number }) => row.get(number) as unknown as TaskRow);
    },
  };
}
