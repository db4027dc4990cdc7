/** The stdio transport: newline-delimited JSON-RPC, both eras interleaved on one pair of pipes. */
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../errors.ts';
import { LOCAL_PRINCIPAL } from '../identity/principal.ts';
import { toProtocolError } from '../protocol/failures.ts';
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
import { initializeResult, negotiate, Session } from '../protocol/sessions-era.ts';
import { createStatelessEra, isStatelessRequest } from '../protocol/stateless-era.ts';
import type { Runtime } from '../runtime.ts';
import { drained, readLines, watchParent } from './lines.ts';

export interface StdioStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** How long requests that are being answered may go on once the input has ended, milliseconds: `echo … | mcp-python stdio`. */
const GRACE_MS = 500;
/** Serves until the client closes its end or dies. Resolves when every running call has been stopped. */
export async function serveStdio(runtime: Runtime, { input, output }: StdioStreams): Promise<void> {
  const connection = createConnection(runtime, (message) => {
    if (!output.destroyed) output.write(`${encodeMessage(message)}\n`);
  });
  const stopListening = runtime.service.onChange((change) => connection.session()?.changed(change));
  output.on('error', () => input.destroy());
  const stopWatching = watchParent(() => input.destroy());
  try {
    const maxLength = runtime.config.server.max_body_bytes;
    await readLines(input, {
      maxLength,
      onLine: connection.receive,
      onTooLong: () => connection.refuse(`The message is longer than ${maxLength} characters (server.max_body_bytes).`),
      ready: () => drained(output),
    });
    await connection.settle(GRACE_MS);
  } finally {
    stopWatching();
    stopListening();
    connection.close();
  }
}

function createConnection(runtime: Runtime, write: (message: JsonRpcMessage) => void) {
  const { service, config } = runtime;
  const era = createStatelessEra(service, runtime.requestStateKey);
  const statelessCalls = new PassingMap<RequestId, AbortController>();
  const running = new Set<Promise<void>>();
  let session: Session | undefined;

  function openSession({ id, params = {} }: JsonRpcRequest) {
    if (session) throw new ProtocolError(ERROR_CODES.invalidRequest, 'This connection is initialized already.');
    const terms = negotiate(params, config.server.version);
    session = new Session(service, terms, LOCAL_PRINCIPAL, {
      id: 'stdio',
      send: (message) => write(message),
      closeStream: () => {},
    });
    write({ jsonrpc: '2.0', id, result: initializeResult(service, terms) });
  }

  async function answerStateless(message: JsonRpcRequest) {
    era.checkEnvelope(message);
    if (statelessCalls.has(message.id)) {
      throw new ProtocolError(ERROR_CODES.invalidRequest, 'A request with this id is still running.');
    }
    const abort = new AbortController();
    statelessCalls.set(message.id, abort);
    const notify = (notification: JsonRpcNotification) => {
      if (!abort.signal.aborted) write(notification);
    };
    try {
      const answer = await era.handle(message, { principal: LOCAL_PRINCIPAL, signal: abort.signal, notify });
      if (answer) write(answer);
    } finally {
      statelessCalls.delete(message.id);
    }
  }

  async function request(message: JsonRpcRequest) {
    try {
      if (isStatelessRequest(message)) return await answerStateless(message);
      if (message.method === 'initialize') return openSession(message);
      if (session) {
        const answer = await session.request(message);
        if (answer) write(answer);
      } else if (message.method === 'ping') {
        write({ jsonrpc: '2.0', id: message.id, result: {} });
      } else {
        throw new ProtocolError(
          ERROR_CODES.invalidParams,
          'Send `initialize` first (MCP 2025-11-25 and before), or name the revision in `params._meta` (MCP 2026-07-28).',
        );
      }
    } catch (thrown) {
      write(errorResponse(message.id, toProtocolError(message.method, thrown)));
    }
  }

  function track(answering: Promise<void>) {
    running.add(answering);
    void answering.finally(() => running.delete(answering));
  }

  function notification(message: JsonRpcNotification) {
    const id = message.method === 'notifications/cancelled' ? message.params?.requestId : undefined;
    const call = isRequestId(id) ? statelessCalls.get(id) : undefined;
    if (call) call.abort(new Failure('cancelled', 'The client cancelled the call.'));
    else session?.notification(message);
  }

  return {
    session: () => session,
    receive(line: string) {
      let value: unknown;
      try {
        value = parseJson(line);
        const incoming = readMessage(value);
        if (incoming.kind === 'request') track(request(incoming.message));
        else if (incoming.kind === 'notification') notification(incoming.message);
        else session?.response(incoming.message);
      } catch (thrown) {
        write(errorResponse(idOf(value), toProtocolError('stdio', thrown)));
      }
    },
    /** Answers a message that was not even read. */
    refuse(reason: string) {
      write(errorResponse(null, new ProtocolError(ERROR_CODES.invalidRequest, reason)));
    },
    /** Waits for the requests that are being answered, at most `graceMs`. */
    async settle(graceMs: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([Promise.all(running), promise]);
      clearTimeout(timer);
    },
    close() {
      era.close();
      session?.close();
      for (const call of statelessCalls.values()) call.abort(new Failure('cancelled', 'The client went away.'));
    },
  };
}
