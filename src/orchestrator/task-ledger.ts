import type { Principal } from '../identity/principal.ts';

export type TaskState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'input_required';

/** One call as it is remembered for `tasks://all`. Times are milliseconds since 1970. */
export interface TaskRecord {
  /** UUID */
  readonly id: string;
  readonly tool: string;
  readonly principal: string;
  readonly state: TaskState;
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  /** Failure code of a task that did not complete. */
  readonly code?: string;
}

/** A call on its way. */
export class Task {
  readonly tool: string;
  readonly principal: string;
  readonly createdMs = Date.now();
  state: TaskState = 'queued';
  startedMs: number | undefined;
  endedMs: number | undefined;
  code: string | undefined;
  #id: string | undefined;

  constructor(tool: string, principal: Principal) {
    this.tool = tool;
    this.principal = principal.id;
  }

  /** Made when first asked for: hardly anybody does, and hundreds of them would be kept. */
  get id(): string {
    this.#id ??= crypto.randomUUID();
    return this.#id;
  }
}

/** How many tasks are remembered; the oldest is forgotten first. */
const REMEMBERED = 500;

/** The latest calls, in memory. */
export function createTaskLedger() {
  const tasks: Task[] = [];
  let next = 0;

  return {
    open(tool: string, principal: Principal): Task {
      const task = new Task(tool, principal);
      tasks[next] = task;
      next = (next + 1) % REMEMBERED;
      return task;
    },
    start(task: Task) {
      task.state = 'running';
      task.startedMs = Date.now();
    },
    end(task: Task, state: TaskState, code?: string) {
      task.state = state;
      task.endedMs = Date.now();
      task.code = code;
    },
    /** Newest first. */
    list(principal: Principal): TaskRecord[] {
      const inOrder = [...tasks.slice(next), ...tasks.slice(0, next)];
      return inOrder
        .filter((task) => task.principal === principal.id)
        .reverse()
        .map(({ id, tool, principal: owner, state, createdMs, startedMs, endedMs, code }) => ({
          id,
          tool,
          principal: owner,
          state,
          createdMs,
          ...(startedMs !== undefined && { startedMs }),
          ...(endedMs !== undefined && { endedMs }),
          ...(code !== undefined && { code }),
        }));
    },
  };
}
