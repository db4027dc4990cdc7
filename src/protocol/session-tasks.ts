/** Tasks of MCP 2025-11-25: the client asks for a call to become one, and fetches its result with `tasks/result`. */
import type { Principal } from '../identity/principal.ts';
import type { DurableTask } from '../orchestrator/durable-tasks.ts';
import type { AnyTool, AskPort, JsonObject } from '../tools/tool.ts';
import { ERROR_CODES, invalidParams, isObject, ProtocolError } from './jsonrpc.ts';
import type { McpTasks } from './mcp-tasks.ts';
import { objectParam } from './params.ts';
import { coreTask, errorOf, isEnded, resultOf, statusOf } from './task-shapes.ts';

export const TASKS_REVISION = '2025-11-25';

/** What a server that offers them says at `initialize`. */
export const TASKS_CAPABILITY: JsonObject = { list: {}, cancel: {}, requests: { tools: { call: {} } } };

const RELATED_TASK = 'io.modelcontextprotocol/related-task';
const PAGE_SIZE = 50;

/** What a session gives with each request. */
export interface TaskExchange {
  readonly principal: Principal;
  readonly session: string | undefined;
  readonly clientCapabilities: JsonObject;
  readonly ask: AskPort;
  readonly signal: AbortSignal;
  /** Sends a notification of the session, not of one request. */
  notify(method: string, params: JsonObject): void;
}

export function isSessionTasksMethod(method: string): boolean {
  return Object.hasOwn(METHODS, method);
}

/** @throws ProtocolError -32602 for an unknown task, or one that has ended and is to be cancelled */
export function answerSessionTasks(
  tasks: McpTasks,
  method: string,
  params: JsonObject,
  exchange: TaskExchange,
): Promise<JsonObject> {
  return (METHODS[method] as Method)(tasks, params, exchange);
}

/**
 * What becomes of `tools/call`: undefined for a plain call.
 * @throws ProtocolError -32601 where tool and request do not agree about a task (2025-11-25, tool-level negotiation)
 */
export function wantsTask(tool: AnyTool | undefined, params: JsonObject): boolean {
  const asked = params.task !== undefined;
  if (!tool || asked === (tool.taskSupport !== undefined)) return asked && tool !== undefined;
  if (asked) throw new ProtocolError(ERROR_CODES.methodNotFound, `${tool.name} cannot run as a task.`);
  if (tool.taskSupport === 'optional') return false;
  throw new ProtocolError(ERROR_CODES.methodNotFound, `${tool.name} runs as a task only: send "params.task".`);
}

/** `CreateTaskResult`; its client hears of every change until it has ended. */
export async function createSessionTask(
  tasks: McpTasks,
  tool: AnyTool,
  params: JsonObject,
  { principal, session, clientCapabilities, ask, notify }: TaskExchange,
): Promise<JsonObject> {
  if (!isObject(params.task)) throw invalidParams('"params.task" must be an object.');
  const { ttl } = params.task;
  const ttlMs = typeof ttl === 'number' && ttl > 0 ? ttl : undefined;
  const values = objectParam(params, 'arguments');
  const task = await tasks.create({ tool, arguments: values, principal, session, clientCapabilities, ask, ttlMs });
  const stop = tasks.durable.onChange((changed) => {
    if (changed.id !== task.id) return;
    notify('notifications/tasks/status', coreTask(changed, tasks.keptMs));
    if (isEnded(changed)) stop();
  });
  return { task: coreTask(task, tasks.keptMs) };
}

type Method = (tasks: McpTasks, params: JsonObject, exchange: TaskExchange) => Promise<JsonObject>;

const METHODS: Readonly<Record<string, Method>> = {
  'tasks/get': async (tasks, params, { principal }) => coreTask(await tasks.find(params.taskId, principal), tasks.keptMs),
  async 'tasks/list'({ durable, keptMs }, { cursor }, { principal }) {
    if (cursor !== undefined && typeof cursor !== 'string') throw invalidParams('"params.cursor" must be a string.');
    const page = await durable.list(principal, { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) }).catch(() => {
      throw invalidParams('"params.cursor" is none of ours.');
    });
    return {
      tasks: page.tasks.map((task) => coreTask(task, keptMs)),
      ...(page.cursor !== undefined && { nextCursor: page.cursor }),
    };
  },
  async 'tasks/result'(tasks, params, exchange) {
    const task = await settled(tasks, await tasks.find(params.taskId, exchange.principal), exchange);
    const status = statusOf(task);
    const related = { [RELATED_TASK]: { taskId: task.id } };
    if (status === 'completed') {
      const result = resultOf(task);
      return { ...result, _meta: { ...(isObject(result._meta) && result._meta), ...related } };
    }
    const { code, message, data } =
      status === 'cancelled' ? { ...errorOf(task), message: 'The task was cancelled.' } : errorOf(task);
    throw new ProtocolError(code, message, { ...(isObject(data) && data), _meta: related });
  },
  async 'tasks/cancel'(tasks, params, { principal }) {
    const task = await tasks.find(params.taskId, principal);
    if (!(await tasks.cancel(task, principal))) throw invalidParams(`The task has ended already: it is ${statusOf(task)}.`);
    return coreTask(await tasks.find(task.id, principal), tasks.keptMs);
  },
};

/** Waits until it has ended, and takes its questions to the client meanwhile. */
async function settled(tasks: McpTasks, begun: DurableTask, { principal, ask, signal }: TaskExchange): Promise<DurableTask> {
  let task = begun;
  while (!isEnded(task)) {
    signal.throwIfAborted();
    if (task.state === 'input_required' && task.questions) {
      await tasks.answer(task, principal, await ask.request(task.questions));
    }
    task = await tasks.durable.until(task.id, principal, signal, (now) => isEnded(now) || now.state === 'input_required');
  }
  return task;
}
