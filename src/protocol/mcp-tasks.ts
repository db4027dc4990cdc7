/** Tool calls as durable tasks, without a wire and without an era. */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { DurableTask, DurableTasks, TaskManagement } from '../orchestrator/durable-tasks.ts';
import { parseArguments } from '../orchestrator/tool-values.ts';
import type { AnyTool, AskPort, JsonObject } from '../tools/tool.ts';
import { isAnswer } from './client-questions.ts';
import { invalidParams } from './jsonrpc.ts';

export interface McpTasksOptions {
  readonly durable: DurableTasks & Pick<TaskManagement, 'until'>;
  /** How long ended tasks are kept, milliseconds. */
  readonly keptMs: number;
}

/** A call that becomes a task. */
export interface TaskCall {
  readonly tool: AnyTool;
  readonly arguments: JsonObject;
  readonly principal: Principal;
  readonly session?: string | undefined;
  readonly clientCapabilities: JsonObject;
  /** For questions that come before there is a task. */
  readonly ask: AskPort;
  /** As the client wishes, milliseconds. */
  readonly ttlMs?: number | undefined;
}

export interface McpTasks extends McpTasksOptions {
  /** Resolves once it is stored. @throws whatever the port for questions throws */
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
    async create({ tool, arguments: values, principal, session, clientCapabilities, ask, ttlMs }) {
      const answers = await askFirst(tool, values, ask);
      return durable.submit({
        principal,
        title: tool.title,
        run: { tool: tool.name, arguments: values },
        ttlMs: Math.min(ttlMs ?? keptMs, keptMs),
        clientCapabilities,
        answers,
        ...(session !== undefined && { session }),
      });
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

/** The answers to what a tool asks before there is a task. */
async function askFirst(tool: AnyTool, values: JsonObject, ask: AskPort): Promise<Record<string, JsonObject>> {
  const answers: Record<string, JsonObject> = {};
  if (!tool.asksFirst) return answers;
  await tool.asksFirst(parseArguments(tool, values), {
    ...ask,
    async request(questions, options) {
      const given = await ask.request(questions, options);
      Object.assign(answers, given);
      return given;
    },
  });
  return answers;
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
