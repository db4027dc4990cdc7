import type { ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { AuditLog } from '../audit/audit-log.ts';
import type { OutputStream } from '../backends/backend.ts';
import { Failure, toFailure } from '../errors.ts';
import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { GuardedCall, PersonQuestion } from '../guard/guarded-call.ts';
import type { Principal } from '../identity/principal.ts';
import { redactor } from '../redaction/process-redactor.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AnyTool, AskPort, JsonObject, LogLevel, Progress, ToolContext } from '../tools/tool.ts';
import { RawResult } from '../tools/tool.ts';
import { askPerson } from './approval-questions.ts';
import { type CallLimit, createCallLimits } from './call-limits.ts';
import { callRecord } from './call-record.ts';
import { createHealthCheck, type Health } from './health.ts';
import { createTaskLedger, type Task, type TaskRecord } from './task-ledger.ts';
import { parseArguments, presentFailure, presentOutput, presentRaw } from './tool-values.ts';

/** One `tools/call`, whoever it came from. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: JsonObject;
}

/** What the caller's side offers to the running tool; its functions are handed on as they are, without `this`. */
export interface Caller {
  readonly principal: Principal;
  /** Id of the MCP session, where there is one. */
  readonly session?: string | undefined;
  readonly signal: AbortSignal;
  readonly ask: AskPort;
  progress?(update: Progress): void;
  output?(stream: OutputStream, chunk: Uint8Array): void;
  log?(level: LogLevel, data: unknown, logger?: string): void;
  closeStream?(): void;
}

/** How a call ended. A failed tool is an outcome, not an exception: the model is to read it. */
export interface ToolOutcome {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: JsonObject;
  readonly isError: boolean;
  readonly failure?: Failure;
  readonly meta?: JsonObject;
}

/**
 * Thrown by an `AskPort` to end an attempt whose questions must reach the client first. It passes through the
 * orchestrator untouched, as protocol errors do.
 */
export interface PassThrough {
  readonly passThrough: true;
}

export interface OrchestratorStatus {
  readonly agents: readonly {
    readonly id: string;
    readonly state: 'running' | 'draining';
    readonly running: number;
    readonly capacity: number;
    readonly calls: number;
    readonly failures: number;
    readonly health: Health;
  }[];
  readonly queued: number;
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
}

export interface OrchestratorOptions {
  readonly catalogue: Catalogue;
  backend(name: string | undefined, call: GuardedCall): Promise<GuardedBackend>;
  /** Calls at once; more wait their turn. */
  readonly capacity: number;
  /** Calls that may wait; one more is refused. */
  readonly maxQueueSize: number;
  /** Upper limit of any call, seconds. */
  readonly timeoutSeconds: number;
  readonly healthCheckSeconds: number;
  /** Where every call is recorded; an answer is given only once its record is written. */
  readonly audit?: AuditLog;
}

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { catalogue, capacity, maxQueueSize, timeoutSeconds, audit } = options;
  const ledger = createTaskLedger();
  const health = createHealthCheck(options.healthCheckSeconds);
  const startedAt = Date.now();
  const waiting: (() => void)[] = [];
  const limits = createCallLimits();
  const idle: (() => void)[] = [];
  let running = 0;
  let calls = 0;
  let failures = 0;
  let stopping = false;

  /** Takes a place among the running calls; undefined means at once, so that the common case costs no promise. */
  function takePlace(limit: CallLimit): Promise<void> | undefined {
    if (running < capacity) {
      running++;
      return undefined;
    }
    if (waiting.length >= maxQueueSize) {
      throw new Failure('unavailable', `The server is busy: ${running} calls run and ${waiting.length} wait.`, {
        hint: 'Try again in a few seconds, or raise `orchestrator.max_queue_size`.',
        details: { retry_after_seconds: 2 },
      });
    }
    const { signal } = limit;
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  function leavePlace() {
    const next = waiting.shift();
    if (next) next();
    else {
      running--;
      if (running === 0) for (const resolve of idle.splice(0)) resolve();
    }
  }

  async function call({ tool: name, arguments: values }: ToolCall, caller: Caller): Promise<ToolOutcome> {
    if (stopping) throw new Failure('unavailable', 'The server is stopping.', { hint: 'Try again once it is back.' });
    const tool = catalogue.loadedTool(name) ?? (await catalogue.tool(name));
    const task = ledger.open(name, caller.principal);
    const limit = limits.open(name, tool.timeoutSeconds ?? timeoutSeconds, caller.signal);
    let entered = false;
    try {
      const turn = takePlace(limit);
      if (turn) await turn;
      entered = true;
      calls++;
      ledger.start(task);
      const outcome = await run(tool, values, task, limit, caller);
      if (outcome.isError) failures++;
      ledger.end(task, outcome.isError ? 'failed' : 'completed', outcome.failure?.code);
      if (audit) await audit.record(callRecord(task, caller, values));
      return outcome;
    } catch (thrown) {
      if (isPassThrough(thrown)) {
        ledger.end(task, 'input_required');
        if (audit) await audit.record(callRecord(task, caller, values));
        throw thrown;
      }
      failures++;
      const failure = becauseOf(limit.reason, toFailure(thrown));
      ledger.end(task, failure.code === 'cancelled' ? 'cancelled' : 'failed', failure.code);
      if (audit) await audit.record(callRecord(task, caller, values, failure));
      return presentFailure(failure);
    } finally {
      limit.release();
      if (entered) leavePlace();
    }
  }

  async function run(tool: AnyTool, values: JsonObject, task: Task, limit: CallLimit, caller: Caller): Promise<ToolOutcome> {
    const input = parseArguments(tool, values);
    const context = new CallContext(task, limit, caller, options.backend);
    if (limit.reason) throw limit.reason;
    const output = await limit.guard(tool.execute(input, context));
    return output instanceof RawResult ? presentRaw(output) : presentOutput(tool, output);
  }

  return {
    call,
    status: () => ({
      agents: [
        {
          id: 'in-process',
          state: stopping ? 'draining' : 'running',
          running,
          capacity,
          calls,
          failures,
          health: health.latest(),
        },
      ],
      queued: waiting.length,
      uptimeSeconds: Math.round((Date.now() - startedAt) / 1000),
    }),
    tasks: (principal) => ledger.list(principal),
    async [Symbol.asyncDispose]() {
      stopping = true;
      limits.stop(new Failure('unavailable', 'The server is stopping.'));
      health.stop();
      if (running > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
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

function ignore(): void {}

/** What a tool is given. A class for its getters, which an object literal would be made anew with for each call. */
class CallContext implements ToolContext {
  readonly principal: Principal;
  readonly backend: ToolContext['backend'];
  readonly progress: ToolContext['progress'];
  readonly output: ToolContext['output'];
  readonly ask: AskPort;
  readonly closeStream: ToolContext['closeStream'];
  readonly #task: Task;
  readonly #limit: CallLimit;
  readonly #log: Caller['log'];

  constructor(task: Task, limit: CallLimit, caller: Caller, backend: OrchestratorOptions['backend']) {
    this.principal = caller.principal;
    this.backend = (name) => backend(name, guardedCall(task, limit, caller));
    this.progress = caller.progress ?? ignore;
    this.output = caller.output ?? ignore;
    this.ask = caller.ask;
    this.closeStream = caller.closeStream ?? ignore;
    this.#task = task;
    this.#limit = limit;
    this.#log = caller.log;
  }

  get taskId(): string {
    return this.#task.id;
  }

  get signal(): AbortSignal {
    return this.#limit.signal;
  }

  get log(): ToolContext['log'] {
    const log = this.#log;
    return log ? (level, data, logger) => log(level, redactor.json(data), logger) : ignore;
  }
}

function guardedCall(task: Task, limit: CallLimit, { principal, session, ask }: Caller): GuardedCall {
  const person = ask.can.elicitation
    ? { askPerson: (question: PersonQuestion) => askPerson(ask, question, session !== undefined) }
    : {};
  return { principal, session, tool: task.tool, taskId: task.id, signal: limit.signal, ...person };
}

function isPassThrough(thrown: unknown): thrown is PassThrough {
  return typeof thrown === 'object' && thrown !== null && (thrown as Partial<PassThrough>).passThrough === true;
}
