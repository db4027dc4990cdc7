/**
 * Streamable HTTP with sessions (MCP 2025-03-26 to 2025-11-25): POST, GET and DELETE on one endpoint.
 *
 * A request is answered as JSON when the answer is quick and alone; as an event stream once there is something
 * else to send, or the work takes long enough for the client to need a sign of life.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import { createDeadlines, type Deadlines } from '../orchestrator/deadlines.ts';
import {
  ERROR_CODES,
  encodeMessage,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type IncomingMessage as Message,
  ProtocolError,
  type RequestId,
} from '../protocol/jsonrpc.ts';
import type { McpService } from '../protocol/service.ts';
import { initializeResult, negotiate, Session, type SessionWire } from '../protocol/sessions-era.ts';
import { isSessionVersion, SESSION_VERSIONS, type SessionVersion } from '../protocol/versions.ts';
import { type EventStream, type EventStreamLimits, EventStreams, startEventStream } from './event-streams.ts';
import { type AcceptedAnswers, acceptedAnswers, HttpRefusal, header, sendAccepted, sendMessage } from './http-exchange.ts';

export interface HttpSessionOptions {
  readonly service: McpService;
  /** Newest revision offered at `initialize`. */
  readonly newest: SessionVersion;
  readonly maxSessions: number;
  readonly idleMs: number;
  readonly streams: EventStreamLimits;
  /** Told of every event stream, so that it is kept alive. */
  onStream(response: ServerResponse): void;
}

export interface HttpSessions {
  post(request: IncomingMessage, response: ServerResponse, incoming: Message, principal: Principal): Promise<void>;
  get(request: IncomingMessage, response: ServerResponse, principal: Principal): void;
  delete(request: IncomingMessage, response: ServerResponse, principal: Principal): void;
  readonly count: number;
  /** Ends every event stream with the time after which to come back, and forgets all sessions. */
  close(): void;
}

/** Past this an answer becomes an event stream: the client gets headers, an event id and keep-alives. */
const STREAM_AFTER_MS = 250;

/** How long an idle session's events are kept for a client to resume from; thousands of idle logs would fill the memory. */
const RESUMABLE_MS = 5 * 60_000;

/** How a POSTed request is being answered. */
interface Answering {
  readonly response: ServerResponse;
  readonly acceptsStream: boolean;
  stream: EventStream | undefined;
}

/** One session and the connections that carry it. */
class HttpSession implements SessionWire {
  readonly id = randomUUID();
  readonly session: Session;
  readonly #options: HttpSessionOptions;
  readonly #slowAnswers: Deadlines;
  /** Only while there is any: a Map that outlives what passes through it drags dead requests into old space. */
  #answering: Map<RequestId, Answering> | undefined;
  #streams: EventStreams | undefined;
  #ownStream: EventStream | undefined;
  lastUsedMs = Date.now();

  constructor(options: HttpSessionOptions, slowAnswers: Deadlines, terms: ReturnType<typeof negotiate>, principal: Principal) {
    this.#options = options;
    this.#slowAnswers = slowAnswers;
    this.session = new Session(options.service, terms, principal, this);
  }

  get streams(): EventStreams {
    this.#streams ??= new EventStreams(this.#options.streams);
    return this.#streams;
  }

  /** Nothing runs and no connection is open. */
  get idle(): boolean {
    return !this.session.busy && this.#ownStream?.response === undefined;
  }

  async answer(message: JsonRpcRequest, response: ServerResponse, accepted: AcceptedAnswers): Promise<void> {
    const answering: Answering = { response, acceptsStream: accepted.stream, stream: undefined };
    this.#answering ??= new Map();
    const known = this.#answering.has(message.id);
    if (!known) this.#answering.set(message.id, answering);
    const slow = accepted.stream ? this.#slowAnswers.set(() => this.#stream(answering)) : undefined;
    const answer = await this.session.request(message);
    if (slow) this.#slowAnswers.clear(slow);
    if (!known) this.#answering?.delete(message.id);
    if (this.#answering?.size === 0) this.#answering = undefined;
    // A cancelled request has no response (MCP cancellation): its stream just ends.
    if (answer === undefined || accepted.streamFirst) this.#stream(answering);
    if (answering.stream) {
      if (answer) this.streams.send(answering.stream, encodeMessage(answer));
      this.streams.finish(answering.stream);
    } else if (answer) {
      sendMessage(response, 200, answer);
    }
  }

  send(message: JsonRpcMessage, relatedTo?: RequestId): void {
    if (relatedTo === undefined) {
      if (this.#ownStream) this.streams.send(this.#ownStream, encodeMessage(message));
      return;
    }
    const answering = this.#answering?.get(relatedTo);
    if (!answering) return;
    // A question to the client needs a stream even where the client asked for JSON: the call would hang without.
    const isQuestion = 'method' in message && 'id' in message;
    if (!answering.stream && !answering.acceptsStream && !isQuestion) return;
    this.streams.send(this.#stream(answering), encodeMessage(message));
  }

  closeStream(request: RequestId): void {
    const answering = this.#answering?.get(request);
    if (answering) this.streams.drop(this.#stream(answering));
  }

  /** Opens or resumes the session's own stream. */
  listen(response: ServerResponse, lastEventId: string | undefined): void {
    const place = lastEventId === undefined ? undefined : this.streams.locate(lastEventId);
    if (lastEventId !== undefined && !place) {
      throw new HttpRefusal(400, 'Unknown Last-Event-ID: the event is not of this session, or too old to resume from.');
    }
    startEventStream(response, { 'mcp-session-id': this.id });
    this.#options.onStream(response);
    if (place) {
      this.streams.resume(response, place);
      return;
    }
    this.#ownStream ??= this.streams.open();
    this.streams.carry(this.#ownStream, response, this.#primes);
  }

  forgetEvents(): void {
    this.#streams?.forget();
  }

  close(): void {
    this.session.close();
    this.#streams?.dropAll();
  }

  /** Clients before 2025-11-25 fail on an event with empty data. */
  get #primes(): boolean {
    return this.session.terms.version >= '2025-11-25';
  }

  #stream(answering: Answering): EventStream {
    if (answering.stream) return answering.stream;
    answering.stream = this.streams.open();
    const { response } = answering;
    if (!response.destroyed && !response.headersSent) {
      startEventStream(response, { 'mcp-session-id': this.id });
      this.#options.onStream(response);
      this.streams.carry(answering.stream, response, this.#primes);
    }
    return answering.stream;
  }
}

export function createHttpSessions(options: HttpSessionOptions): HttpSessions {
  const { service, newest, maxSessions, idleMs } = options;
  const slowAnswers = createDeadlines(STREAM_AFTER_MS);
  /** Least recently used first. */
  const sessions = new Map<string, HttpSession>();
  const stopListening = service.onChange((change) => {
    for (const { session } of sessions.values()) session.changed(change);
  });
  const sweeper = setInterval(sweep, Math.min(idleMs, 30_000));
  sweeper.unref();

  function sweep() {
    const nowMs = Date.now();
    for (const each of sessions.values()) {
      const unusedMs = nowMs - each.lastUsedMs;
      if (unusedMs < Math.min(idleMs, RESUMABLE_MS)) break;
      if (!each.idle) continue;
      if (unusedMs >= idleMs) forget(each);
      else each.forgetEvents();
    }
  }

  function forget(each: HttpSession) {
    sessions.delete(each.id);
    each.close();
  }

  function firstIdle(): HttpSession | undefined {
    for (const each of sessions.values()) if (each.idle) return each;
    return undefined;
  }

  function makeRoom() {
    if (sessions.size < maxSessions) return;
    const longestIdle = firstIdle();
    if (!longestIdle) {
      throw new HttpRefusal(503, `${sessions.size} sessions are in use (server.max_sessions). Try again later.`, {
        'retry-after': '5',
      });
    }
    forget(longestIdle);
  }

  /** @throws HttpRefusal 400 without a session id, 404 for one that is unknown, ended, or somebody else's. */
  function find(request: IncomingMessage, principal: Principal): HttpSession {
    const id = header(request, 'mcp-session-id');
    if (id === undefined) throw new HttpRefusal(400, 'The Mcp-Session-Id header is missing: send `initialize` first.');
    const found = sessions.get(id);
    if (!found || found.session.principal.id !== principal.id) {
      throw new HttpRefusal(404, 'There is no such session: send `initialize` again.');
    }
    checkVersion(request, found);
    sessions.delete(id);
    sessions.set(id, found);
    found.lastUsedMs = Date.now();
    return found;
  }

  function open(message: JsonRpcRequest, response: ServerResponse, principal: Principal) {
    makeRoom();
    const opened = new HttpSession(options, slowAnswers, negotiate(message.params ?? {}, newest), principal);
    sessions.set(opened.id, opened);
    const result = initializeResult(service, opened.session.terms);
    sendMessage(response, 200, { jsonrpc: '2.0', id: message.id, result }, { 'mcp-session-id': opened.id });
  }

  return {
    async post(request, response, incoming, principal) {
      if (incoming.kind === 'request' && incoming.message.method === 'initialize') {
        if (header(request, 'mcp-session-id') !== undefined) {
          find(request, principal);
          throw new ProtocolError(ERROR_CODES.invalidRequest, 'This session is initialized already.');
        }
        open(incoming.message, response, principal);
        return;
      }
      const found = find(request, principal);
      if (incoming.kind === 'request') {
        await found.answer(incoming.message, response, acceptedAnswers(request));
        found.lastUsedMs = Date.now();
        return;
      }
      if (incoming.kind === 'notification') found.session.notification(incoming.message);
      else found.session.response(incoming.message);
      sendAccepted(response);
    },
    get(request, response, principal) {
      if (!(header(request, 'accept') ?? '').match(/text\/event-stream|\*\/\*/)) {
        throw new HttpRefusal(406, 'GET answers with text/event-stream: name it in the Accept header.');
      }
      find(request, principal).listen(response, header(request, 'last-event-id'));
    },
    delete(request, response, principal) {
      forget(find(request, principal));
      response.writeHead(204);
      response.end();
    },
    get count() {
      return sessions.size;
    },
    close() {
      clearInterval(sweeper);
      stopListening();
      for (const each of [...sessions.values()]) forget(each);
    },
  };
}

/** @throws HttpRefusal 400 for a revision we do not speak, or another than the session's (MCP 2025-06-18, protocol version header). */
function checkVersion(request: IncomingMessage, { session }: HttpSession): void {
  const version = header(request, 'mcp-protocol-version');
  if (version === undefined || version === session.terms.version) return;
  if (!isSessionVersion(version)) {
    throw new HttpRefusal(400, `MCP-Protocol-Version "${version}" is not supported. Supported: ${SESSION_VERSIONS.join(', ')}.`);
  }
  throw new HttpRefusal(400, `MCP-Protocol-Version is "${version}", but this session speaks ${session.terms.version}.`);
}
