/** The agents: how many there are, which of them takes the next call, and what happens when one dies. */
import { Failure } from '../errors.ts';
import { type Agent, type AgentHost, startAgent } from './agent.ts';
import type { CallLimit } from './call-limits.ts';
import type { Health } from './health.ts';
import type { ToolCall, ToolOutcome } from './orchestrator.ts';
import type { Task } from './task-ledger.ts';
import type { Caller } from './tool-run.ts';

export interface PoolOptions extends AgentHost {
  /** Agents that are kept once they were needed; more come and go with the load. */
  readonly count: number;
  readonly minAgents: number;
  readonly maxAgents: number;
  /** Calls at once per agent. */
  readonly callsPerAgent: number;
  readonly healthCheckSeconds: number;
  /** An agent beyond `minAgents` that had nothing to do for so long is ended, seconds. */
  readonly idleSeconds: number;
  /** Told when there may be a free place where there was none. */
  onFree(): void;
  /** A word for people: an agent died, or cannot be started. */
  onTrouble(message: string): void;
}

export interface AgentStatus {
  /** `agent-1`; kept when the agent is replaced. */
  readonly id: string;
  readonly state: 'starting' | 'ready' | 'draining' | 'restarting';
  /** Calls now. */
  readonly running: number;
  readonly capacity: number;
  /** Since the server's start, over all replacements. */
  readonly calls: number;
  readonly failures: number;
  readonly restarts: number;
  /** Why it was last replaced. */
  readonly lastEnd?: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly health?: Health;
}

/** A place for one call. */
export interface Place {
  /** @throws AgentLost */
  run(call: ToolCall, task: Task, limit: CallLimit, caller: Caller): Promise<ToolOutcome>;
  /** Call once, when the call has ended. */
  leave(ok: boolean): void;
}

export interface Pool extends AsyncDisposable {
  /** A place with the least loaded agent; undefined while all are busy, or none is ready. Starts agents where more are needed. */
  take(): Place | undefined;
  /** Whether any agent takes calls. */
  readonly anyReady: boolean;
  status(): readonly AgentStatus[];
  /** Keeps so many agents from now on, until the load asks for others. @throws Failure `invalid_input` */
  scale(count: number): void;
  /** Replaces an agent at once; its calls are lost. @throws Failure `not_found` */
  restart(id: string): void;
  /** Lets an agent finish its calls, takes no more, and ends it. @throws Failure `not_found` */
  drain(id: string): void;
}

interface Slot {
  readonly id: string;
  readonly number: number;
  agent: Agent | undefined;
  state: AgentStatus['state'];
  running: number;
  calls: number;
  failures: number;
  restarts: number;
  lastEnd: string | undefined;
  startedMs: number;
  usedMs: number;
  health: Health | undefined;
  /** Deaths in a row without a quiet time between. */
  deaths: number;
  revival: NodeJS.Timeout | undefined;
  /** Ends when it has no calls left. */
  leaving: boolean;
  /** Has a call that does not end; takes no more. */
  stuck: boolean;
}

/** An agent that lived so long, milliseconds, did not die of what the one before died of. */
const QUIET_MS = 60_000;
/** Longest pause before an agent that keeps dying is started again, milliseconds. */
const MAX_PAUSE_MS = 30_000;

export function createPool(options: PoolOptions): Pool {
  const { callsPerAgent, maxAgents, minAgents } = options;
  let count = options.count;
  const slots: Slot[] = [];
  let turn = 0;
  /**
   * Takes what comes in this turn of the event loop: what travels together costs one wake-up of a thread instead of
   * several, and that is more than a cheap call.
   */
  let together: Slot | undefined;
  let closed = false;
  const leave = new Set<string>();
  let checking: NodeJS.Timeout | undefined;

  function start(slot: Slot): void {
    slot.state = 'starting';
    slot.startedMs = Date.now();
    slot.running = 0;
    slot.health = undefined;
    slot.stuck = false;
    const agent = startAgent({ ...options, onRemember: share }, (reason) => onEnd(slot, agent, reason));
    slot.agent = agent;
    agent.ready.then(
      () => {
        if (slot.agent !== agent) return;
        if (slot.state === 'starting') slot.state = 'ready';
        for (const each of leave) agent.remember(each);
        options.onFree();
      },
      () => {},
    );
    checking ??= setInterval(check, options.healthCheckSeconds * 1000).unref();
  }

  function add(): void {
    const used = new Set(slots.map(({ number }) => number));
    let number = 1;
    while (used.has(number)) number++;
    const slot: Slot = {
      id: `agent-${number}`,
      number,
      agent: undefined,
      state: 'starting',
      running: 0,
      calls: 0,
      failures: 0,
      restarts: 0,
      lastEnd: undefined,
      startedMs: Date.now(),
      usedMs: performance.now(),
      health: undefined,
      deaths: 0,
      revival: undefined,
      leaving: false,
      stuck: false,
    };
    slots.push(slot);
    slots.sort((a, b) => a.number - b.number);
    start(slot);
  }

  function onEnd(slot: Slot, agent: Agent, reason: string | undefined): void {
    if (slot.agent !== agent) return;
    slot.agent = undefined;
    if (closed || slot.leaving || reason === undefined) {
      remove(slot);
      return;
    }
    const lived = Date.now() - slot.startedMs;
    slot.deaths = lived > QUIET_MS ? 1 : slot.deaths + 1;
    slot.lastEnd = reason;
    slot.restarts++;
    slot.state = 'restarting';
    const pauseMs = slot.deaths <= 1 ? 0 : Math.min(MAX_PAUSE_MS, 250 * 2 ** (slot.deaths - 2));
    const when = pauseMs === 0 ? 'now' : `in ${pauseMs / 1000} s`;
    options.onTrouble(`${slot.id} is gone and is started again ${when}: ${reason}`);
    slot.revival = setTimeout(() => start(slot), pauseMs).unref();
  }

  function remove(slot: Slot): void {
    clearTimeout(slot.revival);
    const index = slots.indexOf(slot);
    if (index >= 0) slots.splice(index, 1);
  }

  function share(session: string): void {
    leave.add(session);
    for (const { agent } of slots) agent?.remember(session);
    options.onRemember(session);
  }

  function retire(slot: Slot): void {
    slot.leaving = true;
    slot.state = 'draining';
    if (slot.running > 0) return;
    clearTimeout(slot.revival);
    if (slot.agent) void slot.agent.close();
    else remove(slot);
  }

  /** An agent that is dead, or whose call of the last interval is still unanswered, is replaced. */
  function check(): void {
    for (const slot of [...slots]) {
      const { agent } = slot;
      if (!agent || slot.state === 'starting') continue;
      const asked = agent.check();
      if (asked) asked.then((health) => slot.agent === agent && Object.assign(slot, { health }));
      else agent.terminate(`It did not answer for ${options.healthCheckSeconds} s.`);
    }
    shrink();
  }

  function shrink(): void {
    const idleSinceMs = performance.now() - options.idleSeconds * 1000;
    const staying = slots.filter(({ leaving }) => !leaving);
    for (const slot of staying.slice(minAgents)) {
      if (slot.state === 'ready' && slot.running === 0 && slot.usedMs < idleSinceMs) retire(slot);
    }
  }

  /** One at a time: what the first of them can take is not asked of a second. */
  function grow(): void {
    const staying = slots.filter(({ leaving }) => !leaving);
    if (staying.some(({ state }) => state === 'starting')) return;
    const free = staying.some(isFree);
    if (staying.length < (free ? count : maxAgents)) add();
  }

  function take(): Place | undefined {
    if (closed) return undefined;
    const slot = together && isFree(together) ? together : leastLoaded();
    // Who finds nobody idle would rather have one more.
    if (!slot || (slot.running > 0 && slots.length < count)) grow();
    if (!slot?.agent) return undefined;
    if (!together) setImmediate(nextTurn);
    together = slot;
    return placeOf(slot, slot.agent);
  }

  function leastLoaded(): Slot | undefined {
    let best: Slot | undefined;
    for (let offset = 0; offset < slots.length; offset++) {
      const slot = slots[(turn + offset) % slots.length] as Slot;
      if (isFree(slot) && (!best || slot.running < best.running)) best = slot;
    }
    if (best) turn = slots.indexOf(best) + 1;
    return best;
  }

  function isFree({ state, stuck, running }: Slot): boolean {
    return state === 'ready' && !stuck && running < callsPerAgent;
  }

  function nextTurn(): void {
    together = undefined;
  }

  function placeOf(slot: Slot, agent: Agent): Place {
    slot.running++;
    slot.calls++;
    slot.usedMs = performance.now();
    return {
      run: agent.run,
      leave(ok) {
        if (!ok) slot.failures++;
        slot.usedMs = performance.now();
        // The agent may have been replaced meanwhile, and its successor owes nothing to this call.
        if (slot.agent !== agent) return options.onFree();
        slot.running--;
        // The call was given up, and its tool goes on: nobody can say what it will do, so the thread ends with its last call.
        if (agent.running > slot.running) slot.stuck = true;
        if (slot.stuck && slot.running === 0) agent.terminate('A call did not end when it was told to.');
        else if (slot.leaving) retire(slot);
        else options.onFree();
      },
    };
  }

  function find(id: string): Slot {
    const found = slots.find((slot) => slot.id === id);
    if (found) return found;
    const known = slots.map((slot) => slot.id).join(', ') || 'none is started';
    throw new Failure('not_found', `There is no agent "${id}".`, { hint: `Agents: ${known}.` });
  }

  return {
    take,
    get anyReady() {
      return slots.some(({ state }) => state === 'ready');
    },
    status: () =>
      slots.map(({ id, state, running, calls, failures, restarts, lastEnd, startedMs, health }) => ({
        id,
        state,
        running,
        capacity: callsPerAgent,
        calls,
        failures,
        restarts,
        ...(lastEnd !== undefined && { lastEnd }),
        startedMs,
        ...(health && { health }),
      })),
    scale(wanted) {
      if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > maxAgents) {
        throw new Failure('invalid_input', `The pool can have 1 to ${maxAgents} agents.`, {
          hint: 'Raise `orchestrator.max_agents` for more.',
        });
      }
      count = wanted;
      const staying = slots.filter(({ leaving }) => !leaving);
      for (const slot of staying.slice(wanted)) retire(slot);
      for (let missing = wanted - staying.length; missing > 0; missing--) add();
    },
    restart(id) {
      const slot = find(id);
      slot.deaths = 0;
      if (slot.agent) slot.agent.terminate('It was restarted on request.');
      else {
        clearTimeout(slot.revival);
        start(slot);
      }
    },
    drain: (id) => retire(find(id)),
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(checking);
      for (const { revival } of slots) clearTimeout(revival);
      await Promise.all(slots.map(({ agent }) => agent?.close()));
    },
  };
}
