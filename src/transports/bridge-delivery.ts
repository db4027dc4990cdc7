/** Brings one request of the client to the server and its answer back, whatever happens to the server meanwhile. */
import type { IncomingMessage } from 'node:http';
import {
  ERROR_CODES,
  errorResponse,
  isObject,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type JsonRpcResult,
} from '../protocol/jsonrpc.ts';
import type { JsonObject } from '../tools/tool.ts';
import { isBusy, isEventStream, isResponseTo, parse, readAnswer, readJson, retryAfterMs, unreachable } from './bridge-answers.ts';
import { createPatience, type Patience } from './bridge-patience.ts';
import { createToolKnowledge } from './bridge-repeats.ts';
import { type BridgeSession, type OpenSession, POST_HEADERS, sessionHeaders } from './bridge-session.ts';
import { createListenFilter, type ListenFilter } from './bridge-subscription.ts';
import { NotSent, type Wire } from './bridge-wire.ts';
import { readEvents } from './event-reader.ts';
import { unknownOutcome } from './interrupted-calls.ts';
import { parameterHeaders, standardHeaders } from './mirrored-headers.ts';

export interface Delivery {
  /** One request of the client. Never throws; resolves when it has been answered, or was cancelled. */
  request(message: JsonRpcRequest, line: string, era: Era, cancelled: AbortSignal): Promise<void>;
  /** A notification, or the client's answer to a question: dropped when the server stays away. */
  pass(line: string): Promise<void>;
  /** The server's tools may have changed. */
  forgetTools(): void;
}

export type Era = 'session' | 'stateless';

export interface DeliveryOptions {
  readonly wire: Wire;
  readonly session: BridgeSession;
  readonly patienceMs: number;
  /** Where the server is, for messages. */
  readonly place: string;
  /** Aborted when the bridge ends. */
  readonly ending: AbortSignal;
  toClient(message: JsonRpcMessage | string): Promise<void>;
  /** Told once for each time that the server is away for longer than a restart takes. */
  onAway(reason: string): void;
}

/** How long a restart takes at most as a rule, milliseconds. */
const TOLD_AFTER_MS = 2000;
/** How often a request is sent again after its first may have been carried out: it may be what kills the server. */
const MAX_REPEATS = 4;

/** How an attempt ended. */
type Outcome =
  | { readonly kind: 'answered'; readonly answer?: JsonRpcResponse; readonly response?: IncomingMessage }
  /** Not taken, for now. */
  | { readonly kind: 'busy'; readonly afterMs: number; readonly answer: JsonRpcResponse }
  /** The server does not know the session any more, and has not looked at the request. */
  | { readonly kind: 'gone' }
  /** Nobody knows whether it was carried out, or the server itself says so and whether it may be sent again. */
  | { readonly kind: 'lost'; readonly answer?: JsonRpcResponse; readonly safe?: boolean };

export function createDelivery({ wire, session, patienceMs, place, ending, toClient, onAway }: DeliveryOptions): Delivery {
  let away = false;
  let lastOwnId = 0;
  const tools = createToolKnowledge(async (about, method, params) => {
    const id = `bridge-tools-${++lastOwnId}`;
    const stateless = isObject(about.params?._meta) && standardHeaders(about)['mcp-protocol-version'] !== undefined;
    const message: JsonRpcRequest = {
      jsonrpc: '2.0',
      id,
      method,
      params: stateless ? { ...params, _meta: about.params?._meta } : params,
    };
    const patience = createPatience(patienceMs);
    do {
      try {
        const within = stateless ? undefined : await session.current();
        const headers = { ...POST_HEADERS, ...(stateless ? standardHeaders(message) : sessionHeaders(within)) };
        const response = await wire.request('POST', headers, JSON.stringify(message));
        if (response.statusCode === 404 && within?.id !== undefined) {
          response.resume();
          await session.renew(within);
        } else if (!isBusy(response)) return await readAnswer(response, id);
        else response.resume();
      } catch {
        // Away still.
      }
    } while (await patience.wait(ending));
    return undefined;
  });

  async function currentSession(): Promise<OpenSession | undefined> {
    try {
      return await session.current();
    } catch (cause) {
      throw new NotSent(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  /** Reads one answer, and resumes its event stream as often as it breaks. */
  async function read(
    first: IncomingMessage,
    { id }: JsonRpcRequest,
    within: OpenSession | undefined,
    cancelled: AbortSignal,
    filter: ListenFilter | undefined,
  ): Promise<Outcome> {
    if (isBusy(first)) return { kind: 'busy', afterMs: retryAfterMs(first), answer: await readJson(first, id) };
    if (first.statusCode === 404 && within?.id !== undefined) {
      first.resume();
      return { kind: 'gone' };
    }
    if (!isEventStream(first)) {
      const answer = await readJson(first, id);
      // A proxy that had no answer from behind it.
      const isGateway = first.statusCode === 502 || first.statusCode === 504;
      return isGateway ? { kind: 'lost', answer } : ended(answer, first);
    }
    let response: IncomingMessage | undefined = first;
    let lastEventId: string | undefined;
    while (response) {
      let comeBackMs = 0;
      let events = 0;
      let inGoodOrder = true;
      try {
        for await (const event of readEvents(response)) {
          events++;
          lastEventId = event.id ?? lastEventId;
          comeBackMs = event.retryMs ?? comeBackMs;
          if (!event.data) continue;
          const message = parse(event.data);
          if (isResponseTo(message, id)) return ended(message, first);
          if (!filter || filter.passes(message)) await toClient(event.data);
        }
      } catch {
        inGoodOrder = false;
      }
      if (cancelled.aborted || lastEventId === undefined || !within) break;
      // A stream that was resumed and has nothing more to bring.
      if (inGoodOrder && events === 0 && response !== first) break;
      response = await resume(lastEventId, within, cancelled, comeBackMs);
    }
    return { kind: 'lost' };
  }

  function ended(answer: JsonRpcResponse, response: IncomingMessage): Outcome {
    const data = 'error' in answer ? answer.error.data : undefined;
    const isUnknown = isObject(data) && data.code === 'unavailable' && data.outcome === 'unknown';
    return isUnknown ? { kind: 'lost', answer, safe: data.safe_to_retry === true } : { kind: 'answered', answer, response };
  }

  async function resume(lastEventId: string, within: OpenSession, cancelled: AbortSignal, comeBackMs: number) {
    const patience = createPatience(patienceMs);
    const headers = { accept: 'text/event-stream', ...sessionHeaders(within), 'last-event-id': lastEventId };
    while (await patience.wait(cancelled, comeBackMs)) {
      try {
        const response = await wire.request('GET', headers);
        if (response.statusCode === 200) return response;
        response.resume();
        if (!isBusy(response)) return undefined;
      } catch {
        // Away still.
      }
    }
    return undefined;
  }

  async function attempt(message: JsonRpcRequest, line: string, era: Era, state: Attempts, cancelled: AbortSignal) {
    const within = era === 'stateless' ? undefined : await currentSession();
    state.within = within;
    const own = era === 'stateless' ? { ...standardHeaders(message), ...state.mirrored } : sessionHeaders(within);
    // Closing the response cancels a request that stands alone; in a session a notification does.
    const signal = era === 'stateless' ? cancelled : undefined;
    const response = await wire.request('POST', { ...POST_HEADERS, ...own }, line, signal);
    state.patience = createPatience(patienceMs);
    away = false;
    return read(response, message, within, cancelled, state.filter);
  }

  /** @returns the answer for the client; undefined when there is none to give */
  async function settle(message: JsonRpcRequest, line: string, era: Era, cancelled: AbortSignal) {
    const { id, method } = message;
    // Allowed before `initialize`, but a server over HTTP has nobody to answer it to then.
    if (method === 'ping' && era === 'session' && !(await session.current())) return { jsonrpc: '2.0' as const, id, result: {} };
    const state: Attempts = {
      patience: createPatience(patienceMs),
      filter: method === 'subscriptions/listen' ? createListenFilter(id, toClient) : undefined,
    };
    const startedMs = performance.now();
    for (let repeats = 0; !cancelled.aborted; ) {
      let outcome: Outcome;
      let afterMs = 0;
      let trouble = 'it does not answer.';
      try {
        outcome = await attempt(message, line, era, state, cancelled);
      } catch (thrown) {
        if (thrown instanceof NotSent) {
          trouble = thrown.message;
          if (!away && performance.now() - startedMs > TOLD_AFTER_MS) {
            away = true;
            onAway(trouble);
          }
          if (await state.patience.wait(cancelled)) continue;
          return unreachable(id, place, trouble);
        }
        outcome = { kind: 'lost' };
      }
      if (cancelled.aborted) return undefined;
      if (outcome.kind === 'answered') {
        if (await needsHeaders(message, era, outcome.answer, state)) continue;
        // The server ends what listens only when it stops.
        if (!state.filter || !outcome.answer || 'error' in outcome.answer) return accepted(message, era, outcome);
        state.filter.interrupted();
      } else if (outcome.kind === 'gone') {
        try {
          if (state.within) await session.renew(state.within);
        } catch (thrown) {
          return unreachable(id, place, thrown instanceof Error ? thrown.message : String(thrown));
        }
      } else if (outcome.kind === 'busy') {
        afterMs = outcome.afterMs;
      } else {
        const safe = outcome.safe ?? (await tools.isRepeatable(message));
        if (!safe || ++repeats > MAX_REPEATS) {
          return outcome.answer ?? errorResponse(id, unknownOutcome(`The connection broke while ${nameOf(message)} ran`, safe));
        }
        state.filter?.interrupted();
      }
      if (outcome.kind === 'gone' || (await state.patience.wait(cancelled, afterMs))) continue;
      return cancelled.aborted ? undefined : outcome.kind === 'busy' ? outcome.answer : unreachable(id, place, trouble);
    }
    return undefined;
  }

  /** Whether the server wants arguments told in headers, which are known now. */
  async function needsHeaders(message: JsonRpcRequest, era: Era, answer: JsonRpcResponse | undefined, state: Attempts) {
    if (era !== 'stateless' || state.mirrored || message.method !== 'tools/call' || !answer || !('error' in answer)) return false;
    if (answer.error.code !== ERROR_CODES.headerMismatch) return false;
    tools.forget();
    const schema = await tools.inputSchema(message);
    state.mirrored = schema ? parameterHeaders(schema, (message.params?.arguments ?? {}) as JsonObject) : {};
    return Object.keys(state.mirrored).length > 0;
  }

  function accepted(message: JsonRpcRequest, era: Era, { answer, response }: Extract<Outcome, { kind: 'answered' }>) {
    if (era === 'session' && answer && 'result' in answer) {
      const id = response?.headers['mcp-session-id'];
      if (message.method === 'initialize')
        session.opened(message, answer as JsonRpcResult, typeof id === 'string' ? id : undefined);
      else session.settled(message);
    }
    return answer;
  }

  return {
    async request(message, line, era, cancelled) {
      let answer: JsonRpcResponse | undefined;
      try {
        answer = await settle(message, line, era, cancelled);
      } catch (thrown) {
        answer = unreachable(message.id, place, thrown instanceof Error ? thrown.message : String(thrown));
      }
      if (answer && !cancelled.aborted) await toClient(answer);
    },
    async pass(line) {
      const patience = createPatience(patienceMs);
      do {
        try {
          const within = await session.current();
          const response = await wire.request('POST', { ...POST_HEADERS, ...sessionHeaders(within) }, line);
          response.resume();
          // A new session has been told what it needs, and knows nothing of questions asked in the old one.
          if (response.statusCode === 404 && within?.id !== undefined) return await session.renew(within);
          if (!isBusy(response)) return;
        } catch {
          // Away still.
        }
      } while (await patience.wait(ending));
    },
    forgetTools: () => tools.forget(),
  };
}

/** What one request has been through. */
interface Attempts {
  patience: Patience;
  readonly filter: ListenFilter | undefined;
  within?: OpenSession | undefined;
  /** Headers for the arguments, once the server has asked for them. */
  mirrored?: Record<string, string>;
}

function nameOf({ method, params }: JsonRpcRequest): string {
  return method === 'tools/call' && typeof params?.name === 'string' ? params.name : method;
}
