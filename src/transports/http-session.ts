/** One session of Streamable HTTP and the connections that carry it. */
import type { ServerResponse } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import type { Deadlines } from '../orchestrator/deadlines.ts';
import { encodeMessage, type JsonRpcMessage, type JsonRpcRequest, type RequestId } from '../protocol/jsonrpc.ts';
import { PassingMap } from '../protocol/passing-map.ts';
import type { McpService } from '../protocol/service.ts';
import { Session, type SessionSettings, type SessionTerms, type SessionWire } from '../protocol/sessions-era.ts';
import { type EventStream, type EventStreamLimits, EventStreams, startEventStream } from './event-streams.ts';
import { type AcceptedAnswers, HttpRefusal, sendMessage } from './http-exchange.ts';
import { interruptedResponse, keptRequest } from './interrupted-calls.ts';
import type { KeptSessions } from './kept-sessions.ts';

export interface HttpSessionOptions {
  readonly service: McpService;
  readonly streams: EventStreamLimits;
  readonly kept: KeptSessions;
  /** Told of every event stream, so that it is kept alive. */
  onStream(response: ServerResponse): void;
}

/** How a POSTed request is being answered. */
interface Answering {
  readonly message: JsonRpcRequest;
  readonly response: ServerResponse;
  readonly acceptsStream: boolean;
  stream: EventStream | undefined;
}

/** Whose session it is, and what was settled with its client. */
export interface SessionIdentity {
  readonly id: string;
  readonly principal: Principal;
  readonly terms: SessionTerms;
  /** Present for one that an earlier process had. */
  readonly settings?: SessionSettings;
}

/** One session and the connections that carry it. */
export class HttpSession implements SessionWire {
  readonly id: string;
  readonly session: Session;
  readonly #options: HttpSessionOptions;
  readonly #slowAnswers: Deadlines;
  readonly #answering = new PassingMap<RequestId, Answering>();
  readonly #rebuilt: boolean;
  #closed = false;
  #streams: EventStreams | undefined;
  #ownStream: EventStream | undefined;
  lastUsedMs = Date.now();
  /** The time of the last use that is in the store. */
  storedUseMs = this.lastUsedMs;

  constructor(options: HttpSessionOptions, slowAnswers: Deadlines, { id, principal, terms, settings }: SessionIdentity) {
    this.id = id;
    this.#options = options;
    this.#slowAnswers = slowAnswers;
    this.#rebuilt = settings !== undefined;
    this.session = new Session(options.service, terms, principal, this, settings);
  }

  get streams(): EventStreams {
    if (this.#streams) return this.#streams;
    // What still comes of a session that has ended is not kept.
    const history = this.#closed ? undefined : this.#options.kept.history(this.id, this.#rebuilt);
    this.#streams = new EventStreams(this.#options.streams, history);
    return this.#streams;
  }

  /** Takes up the streams of an earlier process, and ends those of calls that died with it. */
  async resumeStreams(): Promise<void> {
    for (const stream of this.streams.unfinished) {
      if (stream.request === null) this.#ownStream = stream;
      else this.streams.finish(stream, await interruptedResponse(stream.request, this.#options.service.catalogue));
    }
  }

  /** Nothing runs and no connection is open. */
  get idle(): boolean {
    return !this.session.busy && this.#ownStream?.response === undefined;
  }

  async answer(message: JsonRpcRequest, response: ServerResponse, accepted: AcceptedAnswers): Promise<void> {
    const answering: Answering = { message, response, acceptsStream: accepted.stream, stream: undefined };
    const known = this.#answering.has(message.id);
    if (!known) this.#answering.set(message.id, answering);
    const slow = accepted.stream ? this.#slowAnswers.set(() => this.#stream(answering)) : undefined;
    const answer = await this.session.request(message);
    if (slow) this.#slowAnswers.clear(slow);
    if (!known) this.#answering.delete(message.id);
    // A cancelled request has no response (MCP cancellation): its stream just ends.
    if (answer === undefined || accepted.streamFirst) this.#stream(answering);
    if (answering.stream) {
      this.streams.finish(answering.stream, answer && encodeMessage(answer));
    } else if (answer) {
      sendMessage(response, 200, answer);
    }
  }

  send(message: JsonRpcMessage, relatedTo?: RequestId): void {
    if (relatedTo === undefined) {
      if (this.#ownStream) this.streams.send(this.#ownStream, encodeMessage(message));
      return;
    }
    const answering = this.#answering.get(relatedTo);
    if (!answering) return;
    // A question to the client needs a stream even where the client asked for JSON: the call would hang without.
    const isQuestion = 'method' in message && 'id' in message;
    if (!answering.stream && !answering.acceptsStream && !isQuestion) return;
    this.streams.send(this.#stream(answering), encodeMessage(message));
  }

  closeStream(request: RequestId): void {
    const answering = this.#answering.get(request);
    if (answering) this.streams.drop(this.#stream(answering));
  }

  settingsChanged(): void {
    this.#options.kept.use((store) => store.saveSettings(this.id, JSON.stringify(this.session.settings)));
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
    this.#closed = true;
    this.#streams?.close();
  }

  /** Clients before 2025-11-25 fail on an event with empty data. */
  get #primes(): boolean {
    return this.session.terms.version >= '2025-11-25';
  }

  #stream(answering: Answering): EventStream {
    if (answering.stream) return answering.stream;
    answering.stream = this.streams.open(keptRequest(answering.message));
    const { response } = answering;
    if (!response.destroyed && !response.headersSent) {
      startEventStream(response, { 'mcp-session-id': this.id });
      this.#options.onStream(response);
      this.streams.carry(answering.stream, response, this.#primes);
    }
    return answering.stream;
  }
}
