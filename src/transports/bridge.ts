/**
 * A thin bridge from a client on pipes to a server over HTTP: newline-delimited JSON-RPC on one side, Streamable HTTP
 * on the other, in whatever revision the client speaks. It outlives the server: while that is away the client waits.
 */
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ERROR_CODES,
  encodeMessage,
  errorResponse,
  idOf,
  isRequestId,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  ProtocolError,
  parseJson,
  type RequestId,
  readMessage,
} from '../protocol/jsonrpc.ts';
import { PassingMap } from '../protocol/passing-map.ts';
import { isStatelessRequest } from '../protocol/stateless-era.ts';
import { createDelivery, type Era } from './bridge-delivery.ts';
import { createBridgeSession } from './bridge-session.ts';
import { type BridgeTarget, createWire } from './bridge-wire.ts';
import { drained, readLines, watchParent } from './lines.ts';

export interface BridgeOptions {
  readonly target: BridgeTarget;
  readonly input: Readable;
  readonly output: Writable;
  /** How long a server that is away is waited for, milliseconds. */
  readonly patienceMs: number;
  /** Longest message of the client, characters. */
  readonly maxLength: number;
  /** A sentence for people: the server is away. */
  onTrouble(message: string): void;
}

export interface Bridge {
  /** Resolves when the client has closed its end and every request has been answered, or the client is gone. */
  readonly ended: Promise<void>;
  /** Leaves the server in good order: the session is ended, and with it what runs in it. */
  close(): Promise<void>;
}

/** When to look whether a request that was cancelled still runs, and cancel it once more, milliseconds. */
const CANCEL_AGAIN_MS = [50, 200, 1000];

export async function startBridge({ target, input, output, patienceMs, maxLength, onTrouble }: BridgeOptions): Promise<Bridge> {
  const wire = await createWire(target);
  const place = target.socketPath ?? target.url.origin;
  const ending = new AbortController();
  const running = new PassingMap<
    RequestId,
    { readonly era: Era; readonly cancel: AbortController; readonly done: Promise<void> }
  >();
  /** What belongs to a session waits for it: clients may send all their lines at once. */
  let opened: Promise<void> = Promise.resolve();
  /** Requests that wait for an end that only the client or the server can bring. */
  const listening = new Set<AbortController>();

  async function toClient(message: JsonRpcMessage | string): Promise<void> {
    const text = typeof message === 'string' ? message : encodeMessage(message);
    if (text.includes('/list_changed"')) delivery.forgetTools();
    // A line is a message: an event may hold line ends between its tokens.
    if (!output.destroyed) output.write(`${text.includes('\n') ? JSON.stringify(JSON.parse(text)) : text}\n`);
    await drained(output);
  }

  const session = createBridgeSession({ wire, patienceMs, toClient, onRenewed: () => delivery.forgetTools() });
  const delivery = createDelivery({
    ...{ wire, session, patienceMs, place, ending: ending.signal, toClient },
    onAway: (reason) =>
      onTrouble(`The server at ${place} cannot be reached: ${reason} Waiting for it for up to ${patienceMs / 1000} s.`),
  });

  function request(message: JsonRpcRequest, line: string): void {
    if (running.has(message.id)) {
      throw new ProtocolError(ERROR_CODES.invalidRequest, 'A request with this id is still running.');
    }
    const era = isStatelessRequest(message) ? 'stateless' : 'session';
    const cancel = new AbortController();
    if (message.method === 'subscriptions/listen') listening.add(cancel);
    const opens = message.method === 'initialize';
    const done = (era === 'session' && !opens ? opened : Promise.resolve())
      .then(() => delivery.request(message, line, era, cancel.signal))
      .finally(() => {
        running.delete(message.id);
        listening.delete(cancel);
      });
    if (opens) opened = done;
    running.set(message.id, { era, cancel, done });
  }

  async function notification({ method, params }: JsonRpcNotification, line: string): Promise<void> {
    await opened;
    if (method !== 'notifications/cancelled' || !isRequestId(params?.requestId)) {
      await delivery.pass(line);
      if (method === 'notifications/initialized') session.listen();
      return;
    }
    const call = running.get(params.requestId);
    call?.cancel.abort();
    if (call?.era === 'stateless') return;
    // They travel on connections of their own: the request may be the later of the two.
    for (const afterMs of CANCEL_AGAIN_MS) {
      await delivery.pass(line);
      await sleep(afterMs, undefined, { signal: ending.signal }).catch(() => {});
      if (running.get(params.requestId) !== call || !call) return;
    }
  }

  function receive(line: string): void {
    let value: unknown;
    try {
      value = parseJson(line);
      const incoming = readMessage(value);
      if (incoming.kind === 'request') request(incoming.message, line);
      else if (incoming.kind === 'notification') void notification(incoming.message, line);
      else void delivery.pass(line);
    } catch (thrown) {
      const error = thrown instanceof ProtocolError ? thrown : new ProtocolError(ERROR_CODES.internal, String(thrown));
      void toClient(errorResponse(idOf(value), error));
    }
  }

  async function serve(): Promise<void> {
    const gone = Promise.withResolvers<void>();
    const leave = () => {
      input.destroy();
      gone.resolve();
    };
    output.on('error', leave);
    const stopWatching = watchParent(leave);
    const reading = readLines(input, {
      maxLength,
      onLine: receive,
      onTooLong: () => void toClient(errorResponse(null, tooLong(maxLength))),
      ready: () => drained(output),
    });
    const answered = reading.then(async () => {
      for (const each of listening) each.abort();
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    });
    await Promise.race([answered, gone.promise]);
    stopWatching();
  }

  return {
    ended: serve(),
    async close() {
      ending.abort();
      for (const { cancel } of running.values()) cancel.abort();
      await session.end();
      wire.close();
    },
  };
}

function tooLong(maxLength: number): ProtocolError {
  return new ProtocolError(
    ERROR_CODES.invalidRequest,
    `The message is longer than ${maxLength} characters (server.max_body_bytes).`,
  );
}
