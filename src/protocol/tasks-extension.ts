/**
 * The Tasks extension of MCP 2026-07-28, `io.modelcontextprotocol/tasks` (SEP-2663): the server decides that a call
 * becomes a task, for clients that declare the extension; the client looks with `tasks/get`, answers with
 * `tasks/update`, and ends it with `tasks/cancel`.
 */
import { Failure } from '../errors.ts';
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

/** -32021: the request makes no sense to clients that do not know tasks. */
function tasksNotDeclared(what: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.missingClientCapability, `${what} needs the client capability "${TASKS_EXTENSION}".`, {
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  });
}

/** Whether a client has declared the extension with this request. */
function declaresTasks({ extensions }: JsonObject): boolean {
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** @param what needs it, the subject of the message. @throws ProtocolError -32021 unless the client declared the extension */
export function requireTasks(what: string, clientCapabilities: JsonObject): void {
  if (!declaresTasks(clientCapabilities)) throw tasksNotDeclared(what);
}

/**
 * Whether a call of this tool becomes a task.
 * @throws ProtocolError -32021 when it would have to, and the client does not know tasks
 */
export function runsAsTask({ name, taskSupport }: AnyTool, clientCapabilities: JsonObject): boolean {
  if (taskSupport === 'required') requireTasks(name, clientCapabilities);
  return taskSupport !== undefined && declaresTasks(clientCapabilities);
}

export interface ExtensionCall {
  readonly tool: AnyTool;
  /** Of `tools/call`. */
  readonly params: JsonObject;
  readonly principal: Principal;
  readonly clientCapabilities: JsonObject;
  /** For questions that come before there is a task. */
  readonly ask: AskPort;
  /** Aborted when the client goes away before it has an answer. */
  readonly signal: AbortSignal;
}

/**
 * `tools/call` of a tool that supports tasks: a `CreateTaskResult`, or the result where it came at once.
 * @throws whatever the port for questions throws
 */
export async function callAsTask(tasks: McpTasks, { ask, signal, ...call }: ExtensionCall): Promise<JsonObject> {
  const { principal, tool, params } = call;
  const answers = await askFirst(tool, objectParam(params, 'arguments'), ask);
  const created = await tasks.create({ ...call, answers });
  const soon = AbortSignal.any([signal, AbortSignal.timeout(SHORTCUT_MS)]);
  const task = await tasks.durable.until(created.id, principal, soon, (now) => isEnded(now) || now.state === 'input_required');
  if (signal.aborted) await tasks.cancel(task, principal);
  // What failed in the protocol's sense is told as a task that failed.
  if (statusOf(task) !== 'completed') return createdTask(task, tasks.keptMs);
  // Who sends the same call again under a key gets the same result.
  if (!isObject(params._meta) || !('mcp-python/idempotency-key' in params._meta)) await tasks.durable.discard(task.id, principal);
  return resultOf(task);
}

/** The answers to what a tool asks before there is a task. */
async function askFirst(tool: AnyTool, values: JsonObject, ask: AskPort): Promise<Record<string, JsonObject>> {
  const answers: Record<string, JsonObject> = {};
  const input = tool.asksFirst && (await parsed(tool, values));
  if (input === undefined) return answers;
  await tool.asksFirst?.(input, {
    ...ask,
    async request(questions, options) {
      const given = await ask.request(questions, options);
      Object.assign(answers, given);
      return given;
    },
  });
  return answers;
}

/** Undefined for bad arguments: the call itself says what is wrong with them. */
async function parsed(tool: AnyTool, values: JsonObject): Promise<unknown> {
  const { parseArguments } = await import('../orchestrator/tool-values.ts');
  try {
    return parseArguments(tool, values);
  } catch (thrown) {
    if (thrown instanceof Failure) return undefined;
    throw thrown;
  }
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
  params: JsonObject,
  principal: Principal,
): Promise<JsonObject> {
  const task = await tasks.find(params.taskId, principal);
  return (METHODS[method] as Method)(tasks, task, principal, params);
}
