/** The agent's side of the line: runs the calls it is sent, several at once, and holds nothing that must survive. */
import type { AuditEntry, AuditLog } from '../audit/audit-log.ts';
import { type Failure, toFailure } from '../errors.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AskPort, JsonObject } from '../tools/tool.ts';
import {
  createLine,
  dispatch,
  type FromAgent,
  type Parcel,
  type Receivers,
  receivedFailure,
  receivedPrincipal,
  type SentFailure,
  sentFailure,
  type ToAgent,
  unpack,
} from './agent-messages.ts';
import { propertiesOf } from './received-outcome.ts';
import { type Caller, type RunSurroundings, runTool } from './tool-run.ts';

/** The part of a worker's message port that is used (HTML, `MessagePort`). */
export interface AgentPort {
  postMessage(parcel: Parcel<FromAgent>): void;
  on(event: 'message', listener: (parcel: Parcel<ToAgent>) => void): unknown;
}

/** What an agent is made of; built by whoever starts the thread, with the ports below. */
export interface AgentParts extends RunSurroundings, AsyncDisposable {
  readonly catalogue: Catalogue;
  /** Takes note of leave that was given through another agent. */
  remember(leave: string): void;
}

/** What an agent asks the server's thread for. */
export interface AgentPorts {
  /** Writes to the one audit log of the server. */
  readonly audit: AuditLog;
  /** Tells the others of leave that a person gave for a session. */
  onRemember(leave: string): void;
}

type Call = Extract<ToAgent, { kind: 'call' }>;

/** Aborted from afar. The controller is made when the tool first asks for the signal, which most never do. */
class RemoteLimit {
  #controller: AbortController | undefined;
  #reason: Failure | undefined;

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Failure): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }
}

interface Settle {
  resolve(answers: JsonObject | undefined): void;
  reject(failure: Failure): void;
}

/**
 * Serves calls until the line says `close`.
 * @param build makes the agent; when it fails the server is told why
 * @param end called when everything is closed
 */
export async function serveCalls(
  port: AgentPort,
  build: (ports: AgentPorts) => Promise<AgentParts>,
  end: () => void,
): Promise<void> {
  const line = createLine<FromAgent>((parcel) => port.postMessage(parcel));
  const running = new Map<number, RemoteLimit>();
  const questions = createReplies();
  const records = createReplies();
  const early: ToAgent[] = [];
  let parts: AgentParts | undefined;
  const lag = createLagMeter();

  const ports: AgentPorts = {
    audit: {
      async record(entry: AuditEntry) {
        const { id, reply } = records.expect();
        line.send({ kind: 'record', record: id, entry });
        await reply;
      },
      [Symbol.asyncDispose]: async () => {},
    },
    onRemember: (leave) => line.send({ kind: 'remembered', leave }),
  };

  port.on('message', (parcel) => {
    for (const message of unpack(parcel)) {
      if (parts) dispatch(receivers(parts), message);
      else early.push(message);
    }
  });

  let made: Receivers<ToAgent> | undefined;
  function receivers(agent: AgentParts): Receivers<ToAgent> {
    made ??= {
      call: (call) => void run(call, agent),
      abort: ({ call, reason }) => running.get(call)?.abort(receivedFailure(reason)),
      answered: ({ question, failure, answers }) => questions.settle(question, failure, answers),
      recorded: ({ record, failure }) => records.settle(record, failure),
      remembered: ({ leave }) => agent.remember(leave),
      check: ({ check }) => line.send({ kind: 'checked', check, eventLoopLagMs: lag.take(), heapUsedBytes: heapUsed() }),
      close: () => void close(agent),
    };
    return made;
  }

  async function close(agent: AgentParts): Promise<void> {
    lag.stop();
    try {
      await agent[Symbol.asyncDispose]();
    } finally {
      end();
    }
  }

  async function run(call: Call, { catalogue, backend }: AgentParts): Promise<void> {
    const limit = new RemoteLimit();
    running.set(call.call, limit);
    try {
      const tool = catalogue.loadedTool(call.tool) ?? (await catalogue.tool(call.tool));
      const running = { task: { id: call.task, tool: call.tool }, limit };
      const outcome = await runTool(tool, call.arguments, running, callerOf(call), { backend });
      const { isError, meta } = outcome;
      line.send({ kind: 'completed', call: call.call, isError, hasMeta: meta !== undefined, result: propertiesOf(outcome) });
    } catch (thrown) {
      line.send({ kind: 'failed', call: call.call, failure: sentFailure(toFailure(thrown)) });
    } finally {
      running.delete(call.call);
    }
  }

  function callerOf({ call, principal, session, can, state, progress, output, log }: Call): Omit<Caller, 'signal'> {
    return {
      principal: receivedPrincipal(principal),
      session,
      ask: { can, state, request: ask(call) },
      ...(progress && { progress: (update) => line.send({ kind: 'progress', call, update }) }),
      ...(output && { output: (stream, chunk) => line.send({ kind: 'output', call, stream, chunk }) }),
      ...(log && {
        log: (level, data, logger) => line.send({ kind: 'log', call, level, data, ...(logger !== undefined && { logger }) }),
      }),
      closeStream: () => line.send({ kind: 'close_stream', call }),
    };
  }

  function ask(call: number): AskPort['request'] {
    return async (asked, options) => {
      const { id, reply } = questions.expect();
      line.send({ kind: 'ask', call, question: id, questions: asked, ...(options && { options }) });
      return (await reply) as Awaited<ReturnType<AskPort['request']>> as never;
    };
  }

  try {
    const agent = await build(ports);
    agent.catalogue.onChange((change) => line.send({ kind: 'changed', change }));
    parts = agent;
    line.send({ kind: 'ready' });
    for (const message of early.splice(0)) dispatch(receivers(agent), message);
  } catch (thrown) {
    line.send({ kind: 'unusable', failure: sentFailure(toFailure(thrown)) });
  }
}

/** Replies that are waited for, by number. */
function createReplies() {
  const waiting = new Map<number, Settle>();
  let last = 0;
  return {
    expect() {
      const id = ++last;
      const reply = new Promise<JsonObject | undefined>((resolve, reject) => waiting.set(id, { resolve, reject }));
      return { id, reply };
    },
    settle(id: number, failure: SentFailure | undefined, value?: JsonObject) {
      const settle = waiting.get(id);
      waiting.delete(id);
      if (failure) settle?.reject(receivedFailure(failure));
      else settle?.resolve(value);
    },
  };
}

const LAG_INTERVAL_MS = 1000;

/** How late this thread's timers ran, milliseconds: the worst since it was last asked. */
function createLagMeter() {
  let dueMs = performance.now() + LAG_INTERVAL_MS;
  let worstMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    worstMs = Math.max(worstMs, nowMs - dueMs);
    dueMs = nowMs + LAG_INTERVAL_MS;
  }, LAG_INTERVAL_MS);
  timer.unref();
  return {
    take() {
      const taken = Math.max(0, Math.round(worstMs));
      worstMs = 0;
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}

/** Of this thread's own heap. */
function heapUsed(): number {
  return process.memoryUsage().heapUsed;
}
