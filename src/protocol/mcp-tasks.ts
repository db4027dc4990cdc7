/** Tool calls as durable tasks, without a wire and without an era. */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { DurableTask, DurableTasks, TaskManagement } from '../orchestrator/durable-tasks.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';
import { callWishes } from './call-wishes.ts';
import { isAnswer } from './client-questions.ts';
import { invalidParams } from './jsonrpc.ts';
import { objectParam } from './params.ts';

export interface McpTasksOptions {
  readonly durable: DurableTasks & Pick<TaskManagement, 'until'>;
  /** How long ended tasks are kept, milliseconds. */
  readonly keptMs: number;
}

/** A call that becomes a task. */
export interface TaskCall {
  readonly tool: AnyTool;
  /** Of `tools/call`. */
  readonly params: JsonObject;
  readonly principal: Principal;
  readonly session?: string | undefined;
  /** What the task may ask its client for. */
  readonly clientCapabilities: JsonObject;
  /** Answers to what was asked before. */
  readonly answers?: Readonly<Record<string, JsonObject>>;
  /** As the client wishes, milliseconds. */
  readonly ttlMs?: number | undefined;
}

export interface McpTasks extends McpTasksOptions {
  /** Resolves once it is stored. @throws Failure `conflict` when its idempotency key was used for another call */
  create(call: TaskCall): Promise<DurableTask>;
  /** @throws ProtocolError -32602 for one that is not there, or somebody else's */
  find(id: unknown, principal: Principal): Promise<DurableTask>;
  /** @returns false when it had ended before */
  cancel(task: DurableTask, principal: Principal): Promise<boolean>;
  /** Hands over the answers to what it asks; everything else is ignored. */
  answer(task: DurableTask, principal: Principal, responses: JsonObject): Promise<void>;
}

export function createMcpTasks({ durable, keptMs }: McpTasksOptions): McpTasks {
  return {
    durable,
    keptMs,
    async create({ tool, params, principal, session, clientCapabilities, answers, ttlMs }) {
      const run = { tool: tool.name, arguments: objectParam(params, 'arguments') };
      const { idempotencyKey, priority } = callWishes(params);
      const task = await durable.submit({
        principal,
        title: tool.title,
        run,
        clientCapabilities,
        atOnce: true,
        ...(answers && { answers }),
        ...(priority && { priority }),
        ...(session !== undefined && { session }),
        ...(ttlMs !== undefined && { ttlMs: Math.min(ttlMs, keptMs) }),
        ...(idempotencyKey !== undefined && { idempotencyKey: `call:${idempotencyKey}` }),
      });
      if (idempotencyKey !== undefined && JSON.stringify(task.run) !== JSON.stringify(run)) {
        throw new Failure('conflict', `The idempotency key ${JSON.stringify(idempotencyKey)} was used for another call.`, {
          hint: 'Use a new key for every call that is meant to run.',
        });
      }
      return task;
    },
    async find(id, principal) {
      if (typeof id !== 'string') throw invalidParams('"params.taskId" must be a string.');
      try {
        return await durable.get(id, principal);
      } catch (thrown) {
        if (thrown instanceof Failure && thrown.code === 'not_found') throw invalidParams(`Unknown task: ${thrown.message}`);
        throw thrown;
      }
    },
    cancel: ({ id }, principal) => unlessLate(() => durable.cancel(id, principal)),
    async answer({ id, questions = {} }, principal, responses) {
      const open = Object.entries(questions).filter(([key, question]) => isAnswer(question, responses[key]));
      const answers = Object.fromEntries(open.map(([key]) => [key, responses[key] as JsonObject]));
      if (open.length > 0) await unlessLate(() => durable.answer(id, principal, answers));
    },
  };
}

/** @returns false when the task's state no longer allowed it */
async function unlessLate(change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'conflict') return false;
    throw thrown;
  }
}
