/**
 * What the server's thread and an agent's thread say to each other. Everything is plain JSON, but for pieces of output;
 * messages of one turn of the event loop travel together.
 */
import type { AuditEntry } from '../audit/audit-log.ts';
import type { OutputStream } from '../backends/backend.ts';
import { Failure, failureToJson } from '../errors.ts';
import type { Principal, Scope } from '../identity/principal.ts';
import type { CatalogueChange } from '../tools/catalogue.ts';
import type { AskPort, AskRequest, JsonObject, LogLevel, Progress } from '../tools/tool.ts';

/** A principal on its way between threads. */
export type SentPrincipal = Omit<Principal, 'scopes'> & { readonly scopes: readonly Scope[] };

/** A failure on its way between threads. */
export type SentFailure = ReturnType<typeof failureToJson> & {
  /** Whether the work ended because its signal was aborted. */
  readonly aborted?: boolean;
};

export type ToAgent =
  | {
      readonly kind: 'call';
      /** Number of the call, unique for the agent. */
      readonly call: number;
      readonly tool: string;
      readonly arguments: JsonObject;
      /** UUID */
      readonly task: string;
      readonly principal: SentPrincipal;
      readonly session: string | undefined;
      readonly can: AskPort['can'];
      readonly state: unknown;
      /** Whether anybody takes what comes while it runs; progress and log messages that nobody takes are not sent. */
      readonly progress: boolean;
      readonly output: boolean;
      readonly log: boolean;
    }
  | { readonly kind: 'abort'; readonly call: number; readonly reason: SentFailure }
  | { readonly kind: 'answered'; readonly question: number; readonly answers?: JsonObject; readonly failure?: SentFailure }
  | { readonly kind: 'recorded'; readonly record: number; readonly failure?: SentFailure }
  /** Leave for a session that was given somewhere else. */
  | { readonly kind: 'remembered'; readonly leave: string }
  | { readonly kind: 'check'; readonly check: number }
  /** Nothing more comes: clean up, and end. */
  | { readonly kind: 'close' };

export type FromAgent =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'completed';
      readonly call: number;
      readonly isError: boolean;
      readonly hasMeta: boolean;
      /** JSON of the result's properties; while it travels, its place among the strings of the parcel. */
      readonly result: string | number;
    }
  | { readonly kind: 'failed'; readonly call: number; readonly failure: SentFailure }
  | { readonly kind: 'progress'; readonly call: number; readonly update: Progress }
  | { readonly kind: 'output'; readonly call: number; readonly stream: OutputStream; readonly chunk: Uint8Array }
  | { readonly kind: 'log'; readonly call: number; readonly level: LogLevel; readonly data: unknown; readonly logger?: string }
  | { readonly kind: 'close_stream'; readonly call: number }
  | {
      readonly kind: 'ask';
      readonly call: number;
      readonly question: number;
      readonly questions: Readonly<Record<string, AskRequest>>;
      readonly options?: { readonly state?: unknown };
    }
  | { readonly kind: 'record'; readonly record: number; readonly entry: AuditEntry }
  | { readonly kind: 'remembered'; readonly leave: string }
  | { readonly kind: 'changed'; readonly change: CatalogueChange }
  | { readonly kind: 'checked'; readonly check: number; readonly eventLoopLagMs: number; readonly heapUsedBytes: number }
  /** The thread could not be made ready. */
  | { readonly kind: 'unusable'; readonly failure: SentFailure };

const sentPrincipals = new WeakMap<Principal, SentPrincipal>();

export function sentPrincipal(principal: Principal): SentPrincipal {
  const known = sentPrincipals.get(principal);
  if (known) return known;
  const sent = { ...principal, scopes: [...principal.scopes] };
  sentPrincipals.set(principal, sent);
  return sent;
}

export function receivedPrincipal({ scopes, ...rest }: SentPrincipal): Principal {
  return { ...rest, scopes: new Set(scopes) };
}

export function sentFailure(failure: Failure): SentFailure {
  const aborted = failure.code === 'cancelled' || (failure.cause instanceof Error && failure.cause.name === 'AbortError');
  return { ...failureToJson(failure), ...(aborted && { aborted }) };
}

export function receivedFailure({ code, message, hint, details, aborted }: SentFailure): Failure {
  return new Failure(code, message, {
    ...(hint !== undefined && { hint }),
    ...(details !== undefined && { details: details as Readonly<Record<string, unknown>> }),
    ...(aborted && { cause: new DOMException('The work was stopped.', 'AbortError') }),
  });
}

/** What to do with each kind of message. */
export type Receivers<Message extends { readonly kind: string }> = {
  readonly [Kind in Message['kind']]: (message: Extract<Message, { kind: Kind }>) => void;
};

export function dispatch<Message extends { readonly kind: string }>(receivers: Receivers<Message>, message: Message): void {
  (receivers[message.kind as Message['kind']] as (message: Message) => void)(message);
}

/**
 * Messages as they travel: JSON in one string, which is cloned in no time, and the results beside it as strings of their
 * own, so that nobody quotes and parses them; or an array of messages where there are bytes in them.
 */
export type Parcel<Message> = string | readonly string[] | readonly Message[];

export function pack<Message extends { readonly kind: string }>(messages: readonly Message[]): Parcel<Message> {
  if (messages.some(({ kind }) => kind === 'output')) return messages;
  const strings = [''];
  const packed = messages.map((message) =>
    'result' in message ? { ...message, result: strings.push(message.result as string) - 1 } : message,
  );
  strings[0] = JSON.stringify(packed);
  return strings.length === 1 ? strings[0] : strings;
}

export function unpack<Message>(parcel: Parcel<Message>): readonly Message[] {
  if (typeof parcel === 'string') return JSON.parse(parcel) as Message[];
  if (typeof parcel[0] !== 'string') return parcel as readonly Message[];
  const strings = parcel as readonly string[];
  const messages = JSON.parse(parcel[0]) as { result?: number | string }[];
  for (const message of messages) if (typeof message.result === 'number') message.result = strings[message.result] as string;
  return messages as Message[];
}

/** One end of the line between two threads. */
export interface Line<Message> {
  send(message: Message): void;
}

/** Sends what one turn of the event loop has to say as one parcel: each costs more than what is in it. */
export function createLine<Message extends { readonly kind: string }>(post: (parcel: Parcel<Message>) => void): Line<Message> {
  let waiting: Message[] = [];
  const flush = () => {
    const messages = waiting;
    waiting = [];
    post(pack(messages));
  };
  return {
    send(message) {
      if (waiting.push(message) === 1) setImmediate(flush);
    },
  };
}
