/** What the bridge reads out of the server's answers, and says in its place. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  ERROR_CODES,
  errorResponse,
  isObject,
  type JsonRpcError,
  type JsonRpcResponse,
  ProtocolError,
  type RequestId,
} from '../protocol/jsonrpc.ts';
import { readEvents } from './event-reader.ts';

export function isEventStream(response: IncomingMessage): boolean {
  return response.headers['content-type']?.startsWith('text/event-stream') === true;
}

/** Whether a message is the response to this request. */
export function isResponseTo(message: unknown, id: RequestId): message is JsonRpcResponse {
  return isObject(message) && message.id === id && message.method === undefined;
}

/** Milliseconds of a `Retry-After` header in seconds; 0 without one. */
export function retryAfterMs(response: IncomingMessage): number {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** Whether the server did not take the request, for now: it stops, or has too much to do. */
export function isBusy({ statusCode }: IncomingMessage): boolean {
  return statusCode === 503 || statusCode === 429;
}

/**
 * The response to a request of our own; an error of HTTP counts as one.
 * @throws what broke the connection
 */
export async function readAnswer(response: IncomingMessage, id: RequestId): Promise<JsonRpcResponse> {
  if (!isEventStream(response)) return readJson(response, id);
  for await (const { data } of readEvents(response)) {
    const message: unknown = data && parse(data);
    if (isResponseTo(message, id)) return message;
  }
  throw new Error('The answer ended before the response.');
}

/** An answer that is no event stream: what it holds, or what its status says. @throws what broke the connection */
export async function readJson(response: IncomingMessage, id: RequestId): Promise<JsonRpcResponse> {
  const body = await text(response);
  const message = parse(body);
  if (isResponseTo(message, id)) return message;
  // A refusal before the message was read carries no id.
  if (isObject(message) && isObject(message.error)) return { ...(message as unknown as JsonRpcError), id };
  return errorResponse(id, refusal(response.statusCode ?? 0, body));
}

function refusal(status: number, body: string): ProtocolError {
  // What tells clients that try the newest revision first to go on with `initialize`.
  const code = [400, 404, 405].includes(status) ? ERROR_CODES.methodNotFound : ERROR_CODES.internal;
  const said = body.trim().split('\n', 1)[0]?.slice(0, 200);
  return new ProtocolError(code, `The server answered with HTTP ${status}${said ? `: ${said}` : '.'}`, { http_status: status });
}

/** For a request that never got through. */
export function unreachable(id: RequestId, place: string, reason: string): JsonRpcError {
  const hint = 'Start it with `mcp-python serve`, or correct the address behind --connect.';
  const data = { code: 'unavailable', outcome: 'not_sent', safe_to_retry: true, hint };
  return errorResponse(id, new ProtocolError(ERROR_CODES.internal, `The server at ${place} cannot be reached: ${reason}`, data));
}

/** Undefined for what is not JSON. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
