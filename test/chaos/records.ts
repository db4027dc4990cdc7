/** What the clients of a run were told: what the server has to answer for in the end. */

export type TaskWork =
  /** A tool that may be run again. */
  | 'idempotent'
  | 'once'
  | 'command'
  /** Work of the client's own. */
  | 'own';

/** A task whose creation was acknowledged. */
export interface PromisedTask {
  /** Number of its client. */
  readonly client: number;
  readonly id: string;
  /** Its title, and the name of the file where its runs leave their marks. */
  readonly key: string;
  readonly work: TaskWork;
  /** How it was asked for, where the same again must be the same task. */
  readonly again?: object;
  cancelling: boolean;
  /** The state that it was first seen to end in. */
  ended?: string;
  code?: string;
  attempts?: number;
}

export interface PromisedJob {
  readonly client: number;
  readonly id: string;
  readonly key: string;
  /** How it was seen to end. */
  ended?: string;
}

export interface Records {
  /** Attempts by how they ended. */
  readonly attempts: Map<string, number>;
  /** Tokens of idempotent calls, and whether they were answered. */
  readonly idempotent: { asked: number; succeeded: number };
  /** Keys of calls that were answered with success: each has left a mark. */
  readonly succeeded: string[];
  readonly tasks: PromisedTask[];
  readonly jobs: PromisedJob[];
  /** Sentences: what reached somebody it was not for. */
  readonly wrong: string[];
  /** Sentences: what ended a second time, in another way. */
  readonly reopened: string[];
  /** Sentences: answers that chaos does not excuse. */
  readonly unexpected: string[];
}

export function createRecords(): Records {
  return {
    attempts: new Map(),
    idempotent: { asked: 0, succeeded: 0 },
    succeeded: [],
    tasks: [],
    jobs: [],
    wrong: [],
    reopened: [],
    unexpected: [],
  };
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'interrupted']);

/** Notes a task as its owner was just told of it. @returns whether it has ended */
export function note(
  records: Records,
  task: PromisedTask,
  { state, code, attempts, note: why }: { state: string; code?: string; attempts?: number; note?: string },
): boolean {
  if (task.ended !== undefined && task.ended !== state) {
    records.reopened.push(`${task.key} had ended as ${task.ended} and is ${state} now: ${why}`);
  }
  if (!ENDED.has(state)) return false;
  Object.assign(task, { ended: state, ...(code !== undefined && { code }), ...(attempts !== undefined && { attempts }) });
  return true;
}
