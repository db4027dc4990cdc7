/**
 * The bridge's session with the server (MCP 2025-11-25 and before). When the server no longer knows it, another is
 * opened in its place with what the client has said so far, and the client is told that lists may have changed.
 */
import type { IncomingMessage } from 'node:http';
import {
  isObject,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type JsonRpcResult,
} from '../protocol/jsonrpc.ts';
import type { JsonObject } from '../tools/tool.ts';
import { isBusy, readAnswer, retryAfterMs } from './bridge-answers.ts';
import { createPatience } from './bridge-patience.ts';
import type { Wire } from './bridge-wire.ts';
import { readEvents } from './event-reader.ts';

export const POST_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } as const;

/** What `initialize` settled with the server. */
export interface OpenSession {
  /** Undefined where the server has no sessions. */
  readonly id: string | undefined;
  readonly version: string;
  readonly capabilities: JsonObject;
}

export interface BridgeSession {
  /** The one that holds now, once a new one is open if it is being replaced. @throws when it cannot be replaced */
  current(): Promise<OpenSession | undefined>;
  /** The client's own `initialize` was answered. */
  opened(message: JsonRpcRequest, answer: JsonRpcResult, sessionId: string | undefined): void;
  /** The client has been answered something that a new session would have to be told again. */
  settled(message: JsonRpcRequest): void;
  /** Replaces a session that the server does not know any more. @throws when that does not succeed in time */
  renew(lost: OpenSession): Promise<void>;
  /** Keeps the session's own event stream open from now on. */
  listen(): void;
  /** Tells the server that the session is over. */
  end(): Promise<void>;
}

export interface BridgeSessionOptions {
  readonly wire: Wire;
  /** How long a server that is away is waited for, milliseconds. */
  readonly patienceMs: number;
  /** Hands a message to the client; resolves once there is room for more. */
  toClient(message: JsonRpcMessage | string): Promise<void>;
  /** The server may be another one. */
  onRenewed(): void;
}

/** How long the server gets to be told that the session is over, milliseconds. */
const END_MS = 1000;

export function sessionHeaders(session: OpenSession | undefined): Record<string, string> {
  return {
    ...(session?.id !== undefined && { 'mcp-session-id': session.id }),
    // Revisions before do not know the header.
    ...(session && session.version >= '2025-06-18' && { 'mcp-protocol-version': session.version }),
  };
}

export function createBridgeSession({ wire, patienceMs, toClient, onRenewed }: BridgeSessionOptions): BridgeSession {
  const closing = new AbortController();
  const subscriptions = new Set<unknown>();
  let initialize: JsonRpcRequest | undefined;
  let logLevel: JsonObject | undefined;
  let session: OpenSession | undefined;
  let renewing: Promise<void> | undefined;
  let listening = false;
  let ownStream = new AbortController();
  let lastOwnId = 0;

  async function post(message: object, within: OpenSession | undefined): Promise<IncomingMessage> {
    const headers = { ...POST_HEADERS, ...sessionHeaders(within) };
    return wire.request('POST', headers, JSON.stringify({ jsonrpc: '2.0', ...message }), closing.signal);
  }

  async function ask(method: string, params: JsonObject | undefined, within: OpenSession | undefined) {
    const id = `bridge-${++lastOwnId}`;
    const response = await post({ id, method, ...(params && { params }) }, within);
    if (isBusy(response)) throw new Error('The server is busy.');
    return { response, answer: await readAnswer(response, id) };
  }

  async function open(): Promise<OpenSession> {
    const { response, answer } = await ask('initialize', initialize?.params, undefined);
    if ('error' in answer) throw new Refused(answer);
    const opened = openSession(answer, response);
    (await post({ method: 'notifications/initialized' }, opened)).resume();
    if (logLevel) await ask('logging/setLevel', logLevel, opened);
    for (const uri of subscriptions) await ask('resources/subscribe', { uri }, opened);
    return opened;
  }

  async function replace(): Promise<void> {
    const patience = createPatience(patienceMs);
    for (;;) {
      try {
        session = await open();
        break;
      } catch (thrown) {
        if (thrown instanceof Refused || !(await patience.wait(closing.signal))) throw thrown;
      }
    }
    onRenewed();
    await tellMissed();
    ownStream.abort();
  }

  /** What may have changed unheard. */
  async function tellMissed(): Promise<void> {
    for (const kind of ['tools', 'prompts', 'resources']) {
      const capability = session?.capabilities[kind];
      if (!isObject(capability) || capability.listChanged !== true) continue;
      await toClient({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
    }
    for (const uri of subscriptions) {
      await toClient({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    }
  }

  /** Reads the session's own stream for as long as the bridge lives. */
  async function keepListening(): Promise<void> {
    let lastEventId: string | undefined;
    let listenedTo: OpenSession | undefined;
    let patience = createPatience(Number.POSITIVE_INFINITY);
    while (!closing.signal.aborted) {
      let comeBackMs = 0;
      try {
        await renewing?.catch(() => {});
        if (listenedTo !== session) lastEventId = undefined;
        listenedTo = session;
        ownStream = new AbortController();
        const signal = AbortSignal.any([ownStream.signal, closing.signal]);
        const resume = lastEventId === undefined ? undefined : { 'last-event-id': lastEventId };
        const headers = { accept: 'text/event-stream', ...sessionHeaders(listenedTo), ...resume };
        const response = await wire.request('GET', headers, undefined, signal);
        if (response.statusCode === 200) {
          patience = createPatience(Number.POSITIVE_INFINITY);
          for await (const event of readEvents(response)) {
            lastEventId = event.id ?? lastEventId;
            comeBackMs = event.retryMs ?? comeBackMs;
            if (event.data) await toClient(event.data);
          }
        } else {
          response.resume();
          if (response.statusCode === 404 && listenedTo?.id !== undefined) await renew(listenedTo);
          else if (response.statusCode === 400 && lastEventId !== undefined) {
            lastEventId = undefined;
            await tellMissed();
          } else if (!isBusy(response) && (response.statusCode ?? 0) < 500) return;
          comeBackMs = retryAfterMs(response);
        }
      } catch {
        // Broken, or refused for now: once more.
      }
      if (ownStream.signal.aborted) continue;
      await patience.wait(closing.signal, comeBackMs);
    }
  }

  function renew(lost: OpenSession): Promise<void> {
    if (session !== lost) return renewing ?? Promise.resolve();
    renewing ??= replace().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    async current() {
      await renewing;
      return session;
    },
    opened(message, answer, sessionId) {
      initialize = message;
      session = openSession(answer, { headers: { 'mcp-session-id': sessionId } });
    },
    settled({ method, params }) {
      if (method === 'logging/setLevel') logLevel = params;
      else if (method === 'resources/subscribe') subscriptions.add(params?.uri);
      else if (method === 'resources/unsubscribe') subscriptions.delete(params?.uri);
    },
    renew,
    listen() {
      if (listening) return;
      listening = true;
      void keepListening();
    },
    async end() {
      closing.abort();
      if (session?.id === undefined) return;
      const signal = AbortSignal.timeout(END_MS);
      await wire.request('DELETE', sessionHeaders(session), undefined, signal).catch(() => {});
    },
  };
}

/** The server does not want us: trying again does not help. */
class Refused extends Error {
  constructor(answer: Extract<JsonRpcResponse, { error: unknown }>) {
    super(answer.error.message);
  }
}

function openSession(
  answer: JsonRpcResult,
  { headers }: Pick<IncomingMessage, 'headers'> | { headers: JsonObject },
): OpenSession {
  const result = answer.result as JsonObject;
  const id = headers['mcp-session-id'];
  return {
    id: typeof id === 'string' ? id : undefined,
    version: String(result.protocolVersion),
    capabilities: isObject(result.capabilities) ? result.capabilities : {},
  };
}
