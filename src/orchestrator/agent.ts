/** The server's side of the line: one agent's thread, the calls it runs, and its end. */
import type { AuditLog } from '../audit/audit-log.ts';
import { Failure, toFailure } from '../errors.ts';
import type { CatalogueChange } from '../tools/catalogue.ts';
import type { JsonObject } from '../tools/tool.ts';
import {
  createLine,
  dispatch,
  type FromAgent,
  type Parcel,
  type Receivers,
  receivedFailure,
  sentFailure,
  sentPrincipal,
  type ToAgent,
  unpack,
} from './agent-messages.ts';
import type { CallLimit } from './call-limits.ts';
import type { Health } from './health.ts';
import type { ToolCall, ToolOutcome } from './orchestrator.ts';
import { ReceivedOutcome } from './received-outcome.ts';
import type { Task } from './task-ledger.ts';
import type { Caller } from './tool-run.ts';

/** A thread as its host started it. */
export interface AgentThread {
  post(parcel: Parcel<ToAgent>): void;
  /** Called once; `error` is what it died of, absent when it ended by itself. */
  onEnd(listener: (error: Error | undefined) => void): void;
  onParcel(listener: (parcel: Parcel<FromAgent>) => void): void;
  /** Ends it whatever it is doing. */
  terminate(): Promise<void>;
}

/** What agents need of the server. */
export interface AgentHost {
  start(): Promise<AgentThread>;
  readonly audit?: AuditLog | undefined;
  onCatalogueChange(change: CatalogueChange): void;
  /** An agent was given leave for a session: the others are to know. */
  onRemember(leave: string): void;
}

/** Thrown by `run` when the agent went away: nobody knows how far the call came. */
export class AgentLost extends Error {
  override readonly name = 'AgentLost';
}

export interface Agent {
  /** Resolves when it takes calls; rejects when it cannot be started. */
  readonly ready: Promise<void>;
  /** Calls it runs now. */
  readonly running: number;
  /** @throws AgentLost; otherwise what the tool throws, as a Failure */
  run(call: ToolCall, task: Task, limit: CallLimit, caller: Caller): Promise<ToolOutcome>;
  /** How it is doing; undefined when it has not answered the check before this one. */
  check(): Promise<Health> | undefined;
  remember(leave: string): void;
  /** Lets it clean up after its last call, and ends it. */
  close(): Promise<void>;
  /** Ends it at once; its calls are lost. */
  terminate(reason: string): void;
}

/** Time an agent has to clean up, milliseconds. */
const CLOSE_MS = 2000;

interface Running {
  readonly caller: Caller;
  resolve(outcome: ToolOutcome): void;
  reject(thrown: unknown): void;
}

/** @param onEnd called once when it is gone, with the reason unless it was closed */
export function startAgent(host: AgentHost, onEnd: (reason: string | undefined) => void): Agent {
  const calls = new Map<number, Running>();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let thread: AgentThread | undefined;
  let lastCall = 0;
  let lastCheck = 0;
  let pendingCheck: { readonly check: number; resolve(health: Health): void } | undefined;
  let ended = false;
  let reason: string | undefined;
  let closing = false;
  const gone = Promise.withResolvers<void>();
  const line = createLine<ToAgent>((parcel) => {
    if (!ended) thread?.post(parcel);
  });

  function finish(error?: Error): void {
    if (ended) return;
    ended = true;
    const why = reason ?? (closing ? undefined : (error?.message ?? 'It ended by itself.'));
    for (const { reject } of calls.values()) reject(new AgentLost(why));
    calls.clear();
    ready.reject(new Error(why));
    gone.resolve();
    onEnd(why);
  }

  const receive: Receivers<FromAgent> = {
    ready: () => ready.resolve(),
    unusable: ({ failure }) => terminate(failure.message),
    completed: ({ call, result, isError, hasMeta }) =>
      take(call)?.resolve(new ReceivedOutcome(result as string, isError, hasMeta)),
    failed: ({ call, failure }) => take(call)?.reject(receivedFailure(failure)),
    progress: ({ call, update }) => calls.get(call)?.caller.progress?.(update),
    output: ({ call, stream, chunk }) => calls.get(call)?.caller.output?.(stream, chunk),
    log: ({ call, level, data, logger }) => calls.get(call)?.caller.log?.(level, data, logger),
    close_stream: ({ call }) => calls.get(call)?.caller.closeStream?.(),
    ask: (message) => void answer(message),
    record: (message) => void record(message),
    remembered: ({ leave }) => host.onRemember(leave),
    changed: ({ change }) => host.onCatalogueChange(change),
    checked({ check, eventLoopLagMs, heapUsedBytes }) {
      if (pendingCheck?.check !== check) return;
      pendingCheck.resolve({ checkedMs: Date.now(), eventLoopLagMs, heapUsedBytes });
      pendingCheck = undefined;
    },
  };

  function take(call: number): Running | undefined {
    const taken = calls.get(call);
    calls.delete(call);
    return taken;
  }

  async function answer({ call, question, questions, options }: Extract<FromAgent, { kind: 'ask' }>): Promise<void> {
    const asked = calls.get(call);
    if (!asked) return;
    try {
      const answers: JsonObject = await asked.caller.ask.request(questions, options);
      line.send({ kind: 'answered', question, answers });
    } catch (thrown) {
      if (thrown instanceof Failure) return line.send({ kind: 'answered', question, failure: sentFailure(thrown) });
      // The attempt is over (stateless era): its questions go to the client, and what the tool still does is not waited for.
      take(call)?.reject(thrown);
      const over = new Failure('cancelled', 'The call goes on with the answers, as another attempt.');
      line.send({ kind: 'abort', call, reason: sentFailure(over) });
    }
  }

  async function record({ record: id, entry }: Extract<FromAgent, { kind: 'record' }>): Promise<void> {
    try {
      await host.audit?.record(entry);
      line.send({ kind: 'recorded', record: id });
    } catch (thrown) {
      line.send({ kind: 'recorded', record: id, failure: sentFailure(toFailure(thrown)) });
    }
  }

  function terminate(why: string | undefined): void {
    if (ended) return;
    reason ??= why;
    // Whatever keeps a thread from ending must not keep its calls waiting.
    finish();
    void thread?.terminate();
  }

  async function open(): Promise<void> {
    try {
      thread = await host.start();
    } catch (thrown) {
      return finish(thrown as Error);
    }
    if (ended) return void thread.terminate();
    thread.onParcel((parcel) => {
      for (const message of unpack(parcel)) if (!ended) dispatch(receive, message);
    });
    thread.onEnd(finish);
  }

  void open();
  return {
    ready: ready.promise,
    get running() {
      return calls.size;
    },
    run({ tool, arguments: values }, task, limit, caller) {
      if (ended) return Promise.reject(new AgentLost(reason ?? 'It has ended.'));
      const call = ++lastCall;
      return new Promise<ToolOutcome>((resolve, reject) => {
        calls.set(call, { caller, resolve, reject });
        limit.onStop((failure) => line.send({ kind: 'abort', call, reason: sentFailure(failure) }));
        line.send({
          kind: 'call',
          call,
          tool,
          arguments: values,
          task: task.id,
          principal: sentPrincipal(caller.principal),
          session: caller.session,
          can: caller.ask.can,
          state: caller.ask.state,
          progress: caller.progress !== undefined,
          output: caller.output !== undefined,
          log: caller.log !== undefined,
        });
      });
    },
    check() {
      if (pendingCheck) return undefined;
      const check = ++lastCheck;
      return new Promise<Health>((resolve) => {
        pendingCheck = { check, resolve };
        line.send({ kind: 'check', check });
      });
    },
    remember: (leave) => line.send({ kind: 'remembered', leave }),
    async close() {
      if (ended) return;
      closing = true;
      line.send({ kind: 'close' });
      const late = setTimeout(() => terminate(undefined), CLOSE_MS);
      await gone.promise;
      clearTimeout(late);
    },
    terminate,
  };
}
