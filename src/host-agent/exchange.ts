/** Reading requests and writing answers of the host agent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Frame, HEADERS, type Outcome, statusOf } from '../backends/host-agent/wire.ts';
import { Failure, failureToJson } from '../errors.ts';

/** @throws Failure `too_large` past `maxBytes`, `invalid_input` when the client breaks off */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      received += (chunk as Buffer).length;
      if (received > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : new Failure('invalid_input', 'The request broke off.');
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('too_large', `The request is larger than ${maxBytes} bytes.`, {
    hint: 'Send less at once, or raise `host_agent.max_body_bytes` of the agent.',
  });
}

/** @throws Failure `invalid_input` */
export function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Failure('invalid_input', 'The body must be a JSON object.');
}

/** Answers with JSON, unless an answer has begun. */
export function sendJson(response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}

/** Answers with a failure; `details.status` and `details.retry_after_seconds` go into the head. */
export function sendFailure(response: ServerResponse, failure: Failure, headers: Record<string, string> = {}): void {
  const { status, retry_after_seconds: retryAfter } = failure.details ?? {};
  sendJson(response, { failure: failureToJson(failure) }, typeof status === 'number' ? status : statusOf(failure.code), {
    ...(typeof retryAfter === 'number' && { 'retry-after': String(retryAfter) }),
    // What is left of a body that was not read would pass for the next request.
    ...(response.req.complete ? {} : { connection: 'close' }),
    ...headers,
  });
}

/** An answer that comes in pieces, one JSON value a line. */
export interface FrameStream {
  /** @returns false when so much waits to be taken that nothing more should be sent */
  send(frame: Frame): boolean;
  /** The last frame. */
  end(outcome: Outcome, repeated?: boolean): void;
}

/** Bytes that may wait for a slow reader. */
const MAX_WAITING = 4 * 1024 ** 2;

/** The stream of one answer; its head is sent with the first frame. */
export function openFrames(response: ServerResponse): FrameStream {
  const begin = (repeated: boolean) => {
    if (response.headersSent) return;
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      ...(repeated && { [HEADERS.repeated]: 'true' }),
    });
  };
  return {
    send(frame) {
      if (response.destroyed) return true;
      if (response.writableLength > MAX_WAITING) return false;
      begin(false);
      response.write(`${JSON.stringify(frame)}\n`);
      return true;
    },
    end(outcome, repeated = false) {
      if (response.destroyed) return;
      begin(repeated);
      response.end(`${JSON.stringify(outcome)}\n`);
    },
  };
}
