import type { ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { AuditLog } from '../audit/audit-log.ts';
import { Failure, toFailure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';
import { AgentLost } from './agent.ts';
import { type CallLimit, createCallLimits } from './call-limits.ts';
import { callRecord } from './call-record.ts';
import type { TaskPriority } from './durable-tasks.ts';
import { createHealthCheck } from './health.ts';
import { createOwnPlaces } from './own-places.ts';
import type { AgentStatus, Place, Pool } from './pool.ts';
import { createFairQueue } from './queue.ts';
import { createRepeatedCalls } from './repeated-calls.ts';
import { createTaskLedger, type Task, type TaskRecord } from './task-ledger.ts';
import type { Caller, RunSurroundings } from './tool-run.ts';
import { presentFailure } from './tool-values.ts';

/** One `tools/call`, whoever it came from. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: JsonObject;
  /** Absent: `medium`. */
  readonly priority?: TaskPriority;
  /** The same key of the same principal again is the same call, and runs once. */
  readonly idempotencyKey?: string;
}

/** How a call ended. A failed tool is an outcome, not an exception: the model is to read it. */
export interface ToolOutcome {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: JsonObject | undefined;
  readonly isError: boolean;
  readonly failure?: Failure;
  readonly meta?: JsonObject | undefined;
}

/**
 * Thrown by an `AskPort` to end an attempt whose questions must reach the client first. It passes through the
 * orchestrator untouched, as protocol errors do.
 */
export interface PassThrough {
  readonly passThrough: true;
}

export interface OrchestratorStatus {
  /** Those that were started; and `in-process`, the server's own thread, for what runs in it. */
  readonly agents: readonly AgentStatus[];
  /** Calls that wait for a place, and how long the first of them has, milliseconds. */
  readonly queued: number;
  readonly longestWaitMs: number;
  readonly uptimeSeconds: number;
}

export interface Orchestrator extends AsyncDisposable {
  /**
   * Runs one call to its end.
   * @throws Failure `not_found` for an unknown tool, `unavailable` when the queue is full or the server stops.
   */
  call(call: ToolCall, caller: Caller): Promise<ToolOutcome>;
  status(): OrchestratorStatus;
  /** The principal's latest tasks, newest first. */
  tasks(principal: Principal): readonly TaskRecord[];
  /** The agents, to be looked after by a person; undefined where all calls run in this thread. */
  readonly pool: Pool | undefined;
}

export interface OrchestratorOptions extends RunSurroundings {
  readonly catalogue: Catalogue;
  /** Calls at once in the server's own thread; more wait their turn. */
  readonly capacity: number;
  /** Calls that may wait; one more is refused. */
  readonly maxQueueSize: number;
  /** Upper limit of any call, seconds. */
  readonly timeoutSeconds: number;
  readonly healthCheckSeconds: number;
  /** Where every call is recorded; an answer is given only once its record is written. */
  readonly audit?: AuditLog;
  /** Makes the agents, with the first call; absent: all calls run in this thread. */
  pool?(onFree: () => void): Pool;
}

/** How often a call whose agent was lost is run, when its tool may be run again. */
const MAX_ATTEMPTS = 3;

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { catalogue, maxQueueSize, timeoutSeconds, audit } = options;
  const ledger = createTaskLedger();
  const health = createHealthCheck(options.healthCheckSeconds);
  const startedAt = Date.now();
  const queue = createFairQueue<(place: Place) => void>();
  const limits = createCallLimits();
  const repeated = createRepeatedCalls();
  const own = createOwnPlaces(options, serveQueue);
  const idle: (() => void)[] = [];
  let pool: Pool | undefined;
  let open = 0;
  let stopping = false;

  function freePlace(tool?: AnyTool): Place | undefined {
    if (!options.pool || tool?.runsIn === 'server') return own.take();
    pool ??= options.pool(serveQueue);
    const place = pool.take();
    // Tools of ours need not wait until the first agent is up: they do not block.
    return place ?? (tool && tool.toolset !== 'plugin' && !pool.anyReady ? own.take() : undefined);
  }

  function serveQueue(): void {
    while (queue.size > 0) {
      const place = freePlace();
      if (!place) return;
      queue.next()?.(place);
    }
  }

  /** Undefined promises nothing: the common case costs no promise. */
  function takePlace(tool: AnyTool, { priority }: ToolCall, principal: Principal, limit: CallLimit): Place | Promise<Place> {
    // Who came before goes before.
    const place = queue.size === 0 || tool.runsIn === 'server' ? freePlace(tool) : undefined;
    if (place) return place;
    if (queue.size >= maxQueueSize) {
      throw new Failure('unavailable', `The server is busy: ${open - queue.size} calls run and ${queue.size} wait.`, {
        hint: 'Try again in a few seconds, or raise `orchestrator.max_queue_size`.',
        details: { retry_after_seconds: 2 },
      });
    }
    const { signal } = limit;
    return new Promise((resolve, reject) => {
      const entry = queue.add(
        (free) => {
          signal.removeEventListener('abort', leave);
          resolve(free);
        },
        principal.id,
        priority,
      );
      const leave = () => {
        queue.remove(entry);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  async function call(asked: ToolCall, caller: Caller): Promise<ToolOutcome> {
    if (stopping) throw new Failure('unavailable', 'The server is stopping.', { hint: 'Try again once it is back.' });
    const tool = catalogue.loadedTool(asked.tool) ?? (await catalogue.tool(asked.tool));
    const { idempotencyKey } = asked;
    if (idempotencyKey === undefined) return record(tool, asked, caller);
    return repeated.once(caller.principal.id, idempotencyKey, asked, () => record(tool, asked, caller));
  }

  /** One call from its beginning in the ledger to its end in the audit log. */
  async function record(tool: AnyTool, asked: ToolCall, caller: Caller): Promise<ToolOutcome> {
    const { tool: name, arguments: values } = asked;
    const task = ledger.open(name, caller.principal);
    const limit = limits.open(name, tool.timeoutSeconds ?? timeoutSeconds, caller.signal);
    open++;
    try {
      const outcome = await attempt(tool, asked, task, limit, caller);
      ledger.end(task, outcome.isError ? 'failed' : 'completed', outcome.failure?.code);
      if (audit) await audit.record(callRecord(task, caller, values));
      return outcome;
    } catch (thrown) {
      if (isPassThrough(thrown)) {
        ledger.end(task, 'input_required');
        if (audit) await audit.record(callRecord(task, caller, values));
        throw thrown;
      }
      const failure = becauseOf(limit.reason, toFailure(thrown));
      ledger.end(task, failure.code === 'cancelled' ? 'cancelled' : 'failed', failure.code);
      if (audit) await audit.record(callRecord(task, caller, values, failure));
      return presentFailure(failure);
    } finally {
      limit.release();
      open--;
      if (open === 0) for (const resolve of idle.splice(0)) resolve();
    }
  }

  async function attempt(tool: AnyTool, asked: ToolCall, task: Task, limit: CallLimit, caller: Caller): Promise<ToolOutcome> {
    for (let attempts = 1; ; attempts++) {
      const free = takePlace(tool, asked, caller.principal, limit);
      const place = free instanceof Promise ? await free : free;
      ledger.start(task);
      let ok = false;
      try {
        if (limit.reason) throw limit.reason;
        const outcome = await limit.guard(place.run(asked, task, limit, caller));
        ok = !outcome.isError;
        return outcome;
      } catch (thrown) {
        if (!(thrown instanceof AgentLost)) throw thrown;
        if (limit.reason) throw limit.reason;
        if (!mayRepeat(tool) || attempts === MAX_ATTEMPTS) throw agentLost(asked.tool, attempts, thrown);
      } finally {
        place.leave(ok);
      }
    }
  }

  return {
    call,
    status() {
      const agents = pool?.status() ?? [];
      const ownThread = own.status();
      return {
        agents:
          options.pool && ownThread.calls === 0
            ? agents
            : [...agents, { ...ownThread, startedMs: startedAt, health: health.latest() }],
        queued: queue.size,
        longestWaitMs: Math.round(queue.longestWaitMs()),
        uptimeSeconds: Math.round((Date.now() - startedAt) / 1000),
      };
    },
    tasks: (principal) => ledger.list(principal),
    get pool() {
      if (options.pool && !stopping) pool ??= options.pool(serveQueue);
      return pool;
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      limits.stop(new Failure('unavailable', 'The server is stopping.'));
      health.stop();
      if (open > 0) await new Promise<void>((resolve) => idle.push(resolve));
      await pool?.[Symbol.asyncDispose]();
    },
  };
}

/** Whether a call may be run again when nobody knows how far it came. */
function mayRepeat({ annotations }: AnyTool): boolean {
  return annotations.readOnlyHint || annotations.idempotentHint;
}

function agentLost(tool: string, attempts: number, { message }: AgentLost): Failure {
  const times = attempts > 1 ? ` ${attempts} times` : '';
  return new Failure('agent_lost', `The agent that ran ${tool} was lost${times}: ${message}`, {
    hint:
      attempts > 1
        ? 'Look at what the arguments make the tool do before trying again.'
        : 'Nobody knows how far it came. Look at what it was to change before trying again.',
    details: { attempts },
  });
}

/** A tool only sees that it was aborted; the failure is told with the reason, and what the tool got done. */
function becauseOf(reason: Failure | undefined, failure: Failure): Failure {
  const byAbort = failure.code === 'cancelled' || (failure.cause instanceof Error && failure.cause.name === 'AbortError');
  if (!byAbort || !reason) return failure;
  const { code, message, hint } = reason;
  return new Failure(code, message, {
    ...(hint && { hint }),
    ...(failure.details && { details: failure.details }),
    cause: failure,
  });
}

function isPassThrough(thrown: unknown): thrown is PassThrough {
  return typeof thrown === 'object' && thrown !== null && (thrown as Partial<PassThrough>).passThrough === true;
}
