/** Reading requests and writing answers on node:http, for every binding on the MCP endpoint. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeMessage, errorResponse, type JsonRpcMessage, type ProtocolError, type RequestId } from '../protocol/jsonrpc.ts';

/** An answer that is only a status: wrong method, type, session, credential. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly headers: Record<string, string>;
  /** The request that is refused, where it was read so far. */
  readonly id: RequestId | null;

  constructor(status: number, message: string, headers: Record<string, string> = {}, id: RequestId | null = null) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.id = id;
  }
}

/**
 * The body as text.
 * @throws HttpRefusal 413 past `maxBytes`, 400 when the client breaks off.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    const tooLarge = () =>
      new HttpRefusal(413, `The body is larger than ${maxBytes} bytes (server.max_body_bytes).`, { connection: 'close' });
    if (declared > maxBytes) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) {
        request.removeAllListeners('data');
        request.resume();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0].toString() : Buffer.concat(chunks).toString()));
    request.on('error', () => reject(new HttpRefusal(400, 'The request broke off.')));
  });
}

export function sendJson(response: ServerResponse, status: number, json: string, headers?: Record<string, string>): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json), ...headers });
  response.end(json);
}

export function sendMessage(
  response: ServerResponse,
  status: number,
  message: JsonRpcMessage,
  headers?: Record<string, string>,
): void {
  sendJson(response, status, encodeMessage(message), headers);
}

export function sendError(
  response: ServerResponse,
  status: number,
  id: RequestId | null,
  error: ProtocolError,
  headers?: Record<string, string>,
): void {
  sendMessage(response, status, errorResponse(id, error), headers);
}

/** What a client takes as the answer to a request, from its Accept header. */
export interface AcceptedAnswers {
  readonly stream: boolean;
  /** It names event streams before JSON, or does not name JSON: also an answer that comes at once goes as a stream. */
  readonly streamFirst: boolean;
}

export function acceptedAnswers(request: IncomingMessage): AcceptedAnswers {
  const accept = header(request, 'accept') ?? '';
  const stream = accept.indexOf('text/event-stream');
  const json = accept.search(/application\/(json|\*)|\*\/\*/);
  return { stream: stream !== -1 || accept.includes('*/*'), streamFirst: stream !== -1 && (json === -1 || stream < json) };
}

/** 202 without a body: a notification or response was taken. */
export function sendAccepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 });
  response.end();
}

/** The one value of a header. Node joins most repeated headers with a comma, so a doubled one never equals what is asked. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
