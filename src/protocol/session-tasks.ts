/** Tasks of MCP 2025-11-25: the client asks for a call to become one, and fetches its result with `tasks/result`. */
import type { Principal } from '../identity/principal.ts';
import type { DurableTask } from '../orchestrator/durable-tasks.ts';
import type { AnyTool, AskPort, AskRequest, JsonObject } from '../tools/tool.ts';
import { missingCapability } from './client-questions.ts';
import { ERROR_CODES, invalidParams, isObject, ProtocolError } from './jsonrpc.ts';
import type { McpTasks } from './mcp-tasks.ts';
import type { McpService } from './service.ts';
import { coreTask, errorOf, isEnded, resultOf, statusOf } from './task-shapes.ts';

/** The one revision that has them in its core. */
export const TASKS_REVISION = '2025-11-25';

/** What a server that offers them says at `initialize`. */
export const TASKS_CAPABILITY: JsonObject = { list: {}, cancel: {}, requests: { tools: { call: {} } } };

const RELATED_TASK = 'io.modelcontextprotocol/related-task';
const PAGE_SIZE = 50;

/** Whose tasks they are, and how its client is reached. */
export interface TaskOwner {
  readonly principal: Principal;
  readonly session: string;
  readonly clientCapabilities: JsonObject;
  /** Sends a notification of the session, not of one request. */
  notify(method: string, params: JsonObject): void;
}

/** What belongs to one request. */
interface TaskExchange {
  readonly ask: AskPort;
  readonly signal: AbortSignal;
}

/** Whether a method may have to do with tasks. */
export function concernsTasks(method: string): boolean {
  return method === 'tools/call' || Object.hasOwn(METHODS, method);
}

/** The tasks of one session. */
export class SessionTasks {
  readonly #service: McpService;
  readonly #owner: TaskOwner;
  /** Ids of those whose changes the client is told. */
  readonly #followed = new Set<string>();
  #stop: (() => void) | undefined;

  constructor(service: McpService, owner: TaskOwner) {
    this.#service = service;
    this.#owner = owner;
  }

  /**
   * @param plainly answers a call that is no task
   * @throws ProtocolError -32602 for an unknown task, -32601 for a call that cannot be one, or must be
   */
  async answer<T>(
    method: string,
    params: JsonObject,
    exchange: TaskExchange,
    plainly: () => T | Promise<T>,
  ): Promise<T | JsonObject> {
    if (method === 'tools/call') {
      const tool = await this.#service.knownTool(params.name);
      return tool && wantsTask(tool, params) ? this.#create(tool, params) : plainly();
    }
    return (METHODS[method] as Method)(await this.#service.tasks(), params, { ...this.#owner, ...exchange });
  }

  /** Tells the client of no more changes; the tasks go on. */
  stop(): void {
    this.#stop?.();
    this.#followed.clear();
  }

  /** `CreateTaskResult`; the client hears of the task's changes until it has ended. */
  async #create(tool: AnyTool, params: JsonObject): Promise<JsonObject> {
    if (!isObject(params.task)) throw invalidParams('"params.task" must be an object.');
    const { principal, session, clientCapabilities, notify } = this.#owner;
    const tasks = await this.#service.tasks();
    const { ttl } = params.task;
    const ttlMs = typeof ttl === 'number' && ttl > 0 ? Math.ceil(ttl) : undefined;
    const task = await tasks.create({ tool, params, principal, session, clientCapabilities, ttlMs });
    this.#followed.add(task.id);
    this.#stop ??= tasks.durable.onChange((changed) => {
      if (!this.#followed.has(changed.id)) return;
      if (isEnded(changed)) this.#followed.delete(changed.id);
      notify('notifications/tasks/status', coreTask(changed, tasks.keptMs));
    });
    return { task: coreTask(task, tasks.keptMs) };
  }
}

/**
 * Whether a call is to become a task.
 * @throws ProtocolError -32601 where tool and request do not agree about it (2025-11-25, tool-level negotiation)
 */
function wantsTask({ name, taskSupport }: AnyTool, params: JsonObject): boolean {
  const asked = params.task !== undefined;
  if (asked && taskSupport === undefined) throw new ProtocolError(ERROR_CODES.methodNotFound, `${name} cannot run as a task.`);
  if (!asked && taskSupport === 'required') {
    throw new ProtocolError(ERROR_CODES.methodNotFound, `${name} runs as a task only: send "params.task".`);
  }
  return asked;
}

type Method = (tasks: McpTasks, params: JsonObject, exchange: TaskOwner & TaskExchange) => Promise<JsonObject>;

const METHODS: Readonly<Record<string, Method>> = {
  'tasks/get': async (tasks, params, { principal }) => coreTask(await tasks.find(params.taskId, principal), tasks.keptMs),
  async 'tasks/list'({ durable, keptMs }, { cursor }, { principal }) {
    if (cursor !== undefined && typeof cursor !== 'string') throw invalidParams('"params.cursor" must be a string.');
    const page = await durable.list(principal, { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
    return {
      tasks: page.tasks.map((task) => coreTask(task, keptMs)),
      ...(page.cursor !== undefined && { nextCursor: page.cursor }),
    };
  },
  async 'tasks/result'(tasks, params, exchange) {
    const task = await settled(tasks, await tasks.find(params.taskId, exchange.principal), exchange);
    if (statusOf(task) === 'completed') {
      const result = resultOf(task);
      return { ...result, _meta: { ...(isObject(result._meta) && result._meta), ...relatedTo(task) } };
    }
    const { code, message, data } = errorOf(task);
    throw new ProtocolError(code, message, data);
  },
  async 'tasks/cancel'(tasks, params, { principal }) {
    const task = await tasks.find(params.taskId, principal);
    if (!(await tasks.cancel(task, principal))) throw invalidParams('The task has ended already.');
    return coreTask(await tasks.find(task.id, principal), tasks.keptMs);
  },
};

/** Waits until it has ended, and takes its questions to the client meanwhile, where that can be asked. */
async function settled(tasks: McpTasks, begun: DurableTask, exchange: TaskOwner & TaskExchange): Promise<DurableTask> {
  const { principal, ask, signal, clientCapabilities } = exchange;
  let task = begun;
  while (!isEnded(task)) {
    signal.throwIfAborted();
    const { questions = {} } = task;
    // What this client cannot be asked, another one may answer.
    const askable = missingCapability(Object.values(questions), clientCapabilities) === undefined;
    if (askable && task.state === 'input_required') {
      await tasks.answer(task, principal, await ask.request(related(task, questions)));
    }
    const isNext = (now: DurableTask) => isEnded(now) || (askable && now.state === 'input_required');
    task = await tasks.durable.until(task.id, principal, signal, isNext);
  }
  return task;
}

/** Messages that belong to a task say so. */
function related(task: DurableTask, questions: Readonly<Record<string, AskRequest>>): Record<string, AskRequest> {
  const mark = ({ method, params = {} }: AskRequest) => {
    const meta = isObject(params._meta) ? params._meta : {};
    return { method, params: { ...params, _meta: { ...meta, ...relatedTo(task) } } } as AskRequest;
  };
  return Object.fromEntries(Object.entries(questions).map(([key, question]) => [key, mark(question)]));
}

const relatedTo = ({ id }: DurableTask): JsonObject => ({ [RELATED_TASK]: { taskId: id } });
