/**
 * The Tasks extension of MCP 2026-07-28, `io.modelcontextprotocol/tasks` (SEP-2663): the server decides that a call
 * becomes a task, for clients that declare the extension; the client looks with `tasks/get`, answers with
 * `tasks/update`, and ends it with `tasks/cancel`.
 */
import type { Principal } from '../identity/principal.ts';
import type { DurableTask } from '../orchestrator/durable-tasks.ts';
import type { AnyTool, AskPort, JsonObject } from '../tools/tool.ts';
import { ERROR_CODES, isObject, ProtocolError } from './jsonrpc.ts';
import type { McpTasks } from './mcp-tasks.ts';
import { objectParam } from './params.ts';
import { createdTask, detailedTask, isEnded, resultOf, statusOf } from './task-shapes.ts';

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A call that is over so soon, milliseconds, is answered as if there had been no task. */
const SHORTCUT_MS = 300;

/** Whether a client has declared the extension with this request. */
export function declaresTasks({ extensions }: JsonObject): boolean {
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** -32021: the request makes no sense to clients that do not know tasks. */
export function tasksNotDeclared(what: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.missingClientCapability, `${what} needs the client capability "${TASKS_EXTENSION}".`, {
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  });
}

export interface ExtensionCall {
  readonly tool: AnyTool;
  readonly params: JsonObject;
  readonly principal: Principal;
  readonly clientCapabilities: JsonObject;
  readonly ask: AskPort;
  readonly signal: AbortSignal;
}

/** `tools/call` of a tool that supports tasks: a `CreateTaskResult`, or the result where it came at once. */
export async function callAsTask(tasks: McpTasks, { params, principal, signal, ...call }: ExtensionCall): Promise<JsonObject> {
  const created = await tasks.create({ ...call, principal, arguments: objectParam(params, 'arguments') });
  const soon = AbortSignal.any([signal, AbortSignal.timeout(SHORTCUT_MS)]);
  const task = await tasks.durable.ended(created.id, principal, soon);
  return isEnded(task) && statusOf(task) === 'completed' ? resultOf(task) : createdTask(task, tasks.keptMs);
}

type Method = (tasks: McpTasks, task: DurableTask, principal: Principal, params: JsonObject) => Promise<JsonObject>;

const METHODS: Readonly<Record<string, Method>> = {
  'tasks/get': async ({ keptMs }, task) => detailedTask(task, keptMs),
  async 'tasks/update'(tasks, task, principal, params) {
    await tasks.answer(task, principal, objectParam(params, 'inputResponses'));
    return {};
  },
  async 'tasks/cancel'(tasks, task, principal) {
    await tasks.cancel(task, principal);
    return {};
  },
};

export function isTasksMethod(method: string): boolean {
  return Object.hasOwn(METHODS, method);
}

/** @throws ProtocolError -32602 for an unknown task */
export async function answerTasksMethod(
  tasks: McpTasks,
  method: string,
  principal: Principal,
  params: JsonObject,
): Promise<JsonObject> {
  const task = await tasks.find(params.taskId, principal);
  return (METHODS[method] as Method)(tasks, task, principal, params);
}
