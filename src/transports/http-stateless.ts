/** Streamable HTTP without sessions (MCP 2026-07-28): one POST a request; closing its response cancels it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { createDeadlines } from '../orchestrator/deadlines.ts';
import { toProtocolError } from '../protocol/failures.ts';
import { ERROR_CODES, encodeMessage, isObject, type JsonRpcRequest, type JsonRpcResponse } from '../protocol/jsonrpc.ts';
import type { McpService } from '../protocol/service.ts';
import { requestedVersion, type StatelessEra } from '../protocol/stateless-era.ts';
import { startEventStream, writeEvent } from './event-streams.ts';
import { acceptedAnswers, HttpRefusal, sendError, sendMessage } from './http-exchange.ts';
import { checkParameterHeaders, checkStandardHeaders } from './mirrored-headers.ts';

/** Past this an answer becomes an event stream, whose headers and keep-alives tell the client that it is coming. */
const STREAM_AFTER_MS = 250;

const STATUS_OF: Readonly<Record<number, number>> = {
  [ERROR_CODES.methodNotFound]: 404,
  [ERROR_CODES.headerMismatch]: 400,
  [ERROR_CODES.missingClientCapability]: 400,
  [ERROR_CODES.unsupportedVersion]: 400,
};

export interface HttpStatelessOptions {
  readonly service: McpService;
  readonly era: StatelessEra;
  /** Told of every event stream, so that it is kept alive. */
  onStream(response: ServerResponse): void;
}

export type HttpStateless = (
  request: IncomingMessage,
  response: ServerResponse,
  message: JsonRpcRequest,
  principal: Principal,
) => Promise<void>;

export function createHttpStateless({ service, era, onStream }: HttpStatelessOptions): HttpStateless {
  const slowAnswers = createDeadlines(STREAM_AFTER_MS);
  return async (request, response, message, principal) => {
    try {
      // A body that names no revision is malformed whatever the headers say; one that does must agree with them.
      if (requestedVersion(message.params) !== undefined) checkStandardHeaders(request.headers, message);
      era.checkEnvelope(message);
      await checkToolHeaders(service, request, message);
    } catch (thrown) {
      sendError(response, 400, message.id, toProtocolError(message.method, thrown));
      return;
    }
    const accepted = acceptedAnswers(request);
    if (message.method === 'subscriptions/listen' && !accepted.stream) {
      throw new HttpRefusal(406, 'subscriptions/listen answers with text/event-stream: name it in the Accept header.');
    }
    const gone = new AbortController();
    let answered = false;
    const onClose = () => {
      if (!answered) gone.abort(new Failure('cancelled', 'The client closed the response.'));
    };
    response.on('close', onClose);
    const stream = () => {
      if (response.headersSent || response.destroyed) return;
      startEventStream(response);
      onStream(response);
    };
    const slow = accepted.stream ? slowAnswers.set(stream) : undefined;
    const answer = await era.handle(message, {
      principal,
      signal: gone.signal,
      notify: (notification) => {
        if (!accepted.stream || gone.signal.aborted) return;
        stream();
        writeEvent(response, encodeMessage(notification));
      },
    });
    answered = true;
    if (slow) slowAnswers.clear(slow);
    response.off('close', onClose);
    // An error has a status of its own, so it stays JSON.
    if (answer && accepted.streamFirst && 'result' in answer) stream();
    if (answer) send(response, answer);
    else response.end();
  };
}

function send(response: ServerResponse, answer: JsonRpcResponse): void {
  if (response.destroyed) return;
  if (!response.headersSent) {
    sendMessage(response, 'error' in answer ? (STATUS_OF[answer.error.code] ?? 200) : 200, answer);
    return;
  }
  writeEvent(response, encodeMessage(answer));
  response.end();
}

async function checkToolHeaders(
  service: McpService,
  request: IncomingMessage,
  { method, params }: JsonRpcRequest,
): Promise<void> {
  if (method !== 'tools/call' || typeof params?.name !== 'string') return;
  const schema = await service.inputSchema(params.name);
  if (schema) checkParameterHeaders(request.headers, schema, isObject(params.arguments) ? params.arguments : {});
}
