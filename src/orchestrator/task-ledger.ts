import type { Principal } from '../identity/principal.ts';

export type TaskState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'input_required';

/** One call as it is remembered for `tasks://all`. Times are milliseconds since 1970. */
export interface TaskRecord {
  readonly id: string;
  readonly tool: string;
  readonly principal: string;
  state: TaskState;
  readonly createdMs: number;
  startedMs?: number;
  endedMs?: number;
  /** Failure code of a task that did not complete. */
  code?: string;
}

/** How many tasks are remembered; the oldest is forgotten first. */
const REMEMBERED = 500;

/** The latest calls, in memory. */
export function createTaskLedger() {
  const records: TaskRecord[] = [];
  let next = 0;

  return {
    open(id: string, tool: string, principal: Principal): TaskRecord {
      const record: TaskRecord = { id, tool, principal: principal.id, state: 'queued', createdMs: Date.now() };
      records[next] = record;
      next = (next + 1) % REMEMBERED;
      return record;
    },
    start(record: TaskRecord) {
      record.state = 'running';
      record.startedMs = Date.now();
    },
    end(record: TaskRecord, state: TaskState, code?: string) {
      record.state = state;
      record.endedMs = Date.now();
      if (code !== undefined) record.code = code;
    },
    /** Newest first. */
    list(principal: Principal): TaskRecord[] {
      const inOrder = [...records.slice(next), ...records.slice(0, next)];
      return inOrder.filter((record) => record.principal === principal.id).reverse();
    },
  };
}
