/**
 * Server-sent events of one session, with a bounded log so that a broken stream can be resumed
 * (MCP 2025-11-25, transports, resumability and redelivery).
 */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

export interface EventStreamLimits {
  /** Events kept of one session. */
  readonly events: number;
  /** Bytes of events kept of one session. */
  readonly bytes: number;
  /** What clients are told to wait before they reconnect, milliseconds. */
  readonly retryMs: number;
}

/** One event of a stream, numbered through the whole session. */
export interface LoggedEvent {
  readonly stream: number;
  readonly sequence: number;
  readonly data: string;
}

/** A stream of events towards the client: one a request, and one of the session's own. */
export interface EventStream {
  readonly number: number;
  /** What it answers, as the journal keeps it; null for the session's own. */
  readonly request: string | null;
  /** Undefined while no connection carries it. */
  response: ServerResponse | undefined;
  /** No more events will come. */
  finished: boolean;
}

/** Keeps what happens on the streams for a later process. Each is done when it returns. */
export interface EventJournal {
  opened(stream: number, request: string | null): void;
  /** Empty data stands for an event that only gave its id away. */
  logged(event: LoggedEvent): void;
  finished(stream: number, last: LoggedEvent | undefined): void;
  /** Nobody can resume any more from before this sequence. */
  forgotten(sequence: number): void;
}

/** What an earlier process left. */
export interface EarlierStreams {
  /** Those that had not ended. */
  readonly open: readonly { readonly stream: number; readonly request: string | null }[];
  /** Oldest first, those without data too. */
  readonly events: readonly LoggedEvent[];
}

/** What outlives the process, where something does. */
export interface EventStreamHistory {
  /** Sets the session's event ids apart from all others', the same in every process. */
  readonly tag: string;
  readonly journal: EventJournal;
  readonly earlier?: EarlierStreams;
}

/** Bytes that may wait in a connection before it counts as dead; the client resumes from the log. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** Starts a response as an event stream; the headers go out at once. */
export function startEventStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { ...SSE_HEADERS, ...headers });
  response.flushHeaders();
}

/** Writes one event without an id, for streams that are not resumable. */
export function writeEvent(response: ServerResponse, data: string, id?: string): void {
  if (response.writableLength > MAX_UNSENT_BYTES) {
    response.destroy();
    return;
  }
  response.write(`event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`);
}

/** Keeps the connection alive through proxies and client time-outs. */
export function writeKeepAlive(response: ServerResponse): void {
  response.write(': keepalive\n\n');
}

/** The numbered streams of one session and the log behind them. */
export class EventStreams {
  readonly #limits: EventStreamLimits;
  /** Sets this session's event ids apart from all others'. */
  readonly #tag: string;
  #journal: EventJournal | undefined;
  readonly #open = new Map<number, EventStream>();
  #log: LoggedEvent[] = [];
  #logBytes = 0;
  #lastStream = 0;
  #lastSequence = 0;
  /** Sequence of the newest event the log no longer has. */
  #lastForgotten = 0;
  /** The same in the journal, which is told seldom. */
  #lastTrimmed = 0;
  #bytesUntrimmed = 0;

  constructor(limits: EventStreamLimits, history?: EventStreamHistory) {
    this.#limits = limits;
    this.#tag = history?.tag ?? randomBytes(6).toString('base64url').replaceAll('_', '-');
    this.#journal = history?.journal;
    if (history?.earlier) this.#goOn(history.earlier);
  }

  /** Those that have not ended. */
  get unfinished(): readonly EventStream[] {
    return [...this.#open.values()];
  }

  /** A new stream; nothing carries it yet. @param request what it answers, for the journal */
  open(request: string | null = null): EventStream {
    const stream: EventStream = { number: this.#lastStream + 1, request, response: undefined, finished: false };
    this.#lastStream = stream.number;
    this.#journal?.opened(stream.number, request);
    this.#open.set(stream.number, stream);
    return stream;
  }

  /**
   * Lets a connection carry the stream; one that did so before is ended (its socket is likely half dead).
   * @param prime sends an event with an id and no data first, so that the client can resume before the first message
   */
  carry(stream: EventStream, response: ServerResponse, prime: boolean): void {
    stream.response?.end();
    stream.response = response;
    response.once('close', () => {
      if (stream.response === response) stream.response = undefined;
    });
    if (!prime) return;
    const first = { stream: stream.number, sequence: ++this.#lastSequence, data: '' };
    this.#journal?.logged(first);
    response.write(`id: ${this.#id(first)}\ndata: \n\n`);
  }

  /** Logs an event and sends it if a connection carries the stream. */
  send(stream: EventStream, data: string): void {
    const event = { stream: stream.number, sequence: ++this.#lastSequence, data };
    this.#journal?.logged(event);
    this.#remember(event);
    if (stream.response) writeEvent(stream.response, data, this.#id(event));
  }

  /**
   * Ends the stream: no more events; what the client missed stays in the log.
   * @param data a last event; in the journal it ends the stream in one step, so that nobody finds it open and ends it again
   */
  finish(stream: EventStream, data?: string): void {
    const last = data === undefined ? undefined : { stream: stream.number, sequence: ++this.#lastSequence, data };
    this.#journal?.finished(stream.number, last);
    stream.finished = true;
    this.#open.delete(stream.number);
    if (last) this.#remember(last);
    if (last && stream.response) writeEvent(stream.response, last.data, this.#id(last));
    stream.response?.end();
  }

  /** Drops the connection but not the stream: the client is told when to come back for the rest. */
  drop(stream: EventStream): void {
    stream.response?.end(`retry: ${this.#limits.retryMs}\n\n`);
    stream.response = undefined;
  }

  /** Forgets what was sent: nobody has come back for it in good time. */
  forget(): void {
    if (this.#log.length === 0) return;
    this.#log = [];
    this.#logBytes = 0;
    this.#lastForgotten = this.#lastSequence;
    this.#trim();
  }

  /** Ends every connection, telling clients when to come back, and keeps nothing more. */
  close(): void {
    this.#journal = undefined;
    for (const stream of this.#open.values()) this.drop(stream);
  }

  /**
   * Where to go on after a `Last-Event-ID`; undefined for an id that is not this session's or whose successors
   * are no longer kept.
   */
  locate(lastEventId: string): { readonly stream: number; readonly sequence: number } | undefined {
    const match = /^([\w-]+)\.(\d+)_(\d+)$/.exec(lastEventId);
    if (match?.[1] !== this.#tag) return undefined;
    const [stream, sequence] = [Number(match[2]), Number(match[3])];
    if (stream > this.#lastStream || sequence > this.#lastSequence) return undefined;
    const known = this.#open.has(stream) || this.#log.some((event) => event.stream === stream);
    return known && sequence >= this.#lastForgotten ? { stream, sequence } : undefined;
  }

  /** Sends what the client missed on one stream, then lets the connection carry the rest of it. */
  resume(response: ServerResponse, { stream, sequence }: { stream: number; sequence: number }): void {
    const missed = this.#log.filter((event) => event.stream === stream && event.sequence > sequence);
    for (const event of missed) writeEvent(response, event.data, this.#id(event));
    const live = this.#open.get(stream);
    if (live) this.carry(live, response, false);
    else response.end();
  }

  #id({ stream, sequence }: Pick<LoggedEvent, 'stream' | 'sequence'>): string {
    return `${this.#tag}.${stream}_${sequence}`;
  }

  #remember(event: LoggedEvent): void {
    this.#log.push(event);
    this.#logBytes += event.data.length;
    let drop = 0;
    let dropped = 0;
    while (
      this.#log.length - drop > this.#limits.events ||
      (this.#logBytes - dropped > this.#limits.bytes && drop < this.#log.length - 1)
    ) {
      dropped += this.#log[drop]?.data.length ?? 0;
      drop++;
    }
    if (drop === 0) return;
    this.#logBytes -= dropped;
    this.#bytesUntrimmed += dropped;
    this.#lastForgotten = this.#log[drop - 1]?.sequence ?? 0;
    this.#log = this.#log.slice(drop);
    const { events, bytes } = this.#limits;
    if (this.#lastForgotten - this.#lastTrimmed > events / 8 || this.#bytesUntrimmed > bytes / 8) this.#trim();
  }

  #trim(): void {
    this.#journal?.forgotten(this.#lastForgotten);
    this.#lastTrimmed = this.#lastForgotten;
    this.#bytesUntrimmed = 0;
  }

  /** Takes up the streams where an earlier process left them; ids go on from its last. */
  #goOn({ open, events }: EarlierStreams): void {
    for (const { stream, request } of open) {
      this.#open.set(stream, { number: stream, request, response: undefined, finished: false });
      this.#lastStream = Math.max(this.#lastStream, stream);
    }
    // Sequences have no gaps, so what is missing in front was forgotten.
    this.#lastForgotten = (events[0]?.sequence ?? 1) - 1;
    this.#lastTrimmed = this.#lastForgotten;
    for (const event of events) {
      this.#lastSequence = event.sequence;
      this.#lastStream = Math.max(this.#lastStream, event.stream);
      if (event.data !== '') this.#remember(event);
    }
  }
}
