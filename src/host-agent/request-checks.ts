/** What a request to the host agent must be like before anything is done for it. */
import type { IncomingMessage } from 'node:http';
import { HEADERS, PROTOCOL } from '../backends/host-agent/wire.ts';
import { Failure } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { parseObject } from './exchange.ts';

/** The one value of a header. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** @throws Failure `unsupported` for a client of another version */
export function checkProtocol(request: IncomingMessage): void {
  const asked = headerOf(request, HEADERS.protocol);
  if (asked === undefined || asked === String(PROTOCOL)) return;
  throw new Failure('unsupported', `This host agent speaks version ${PROTOCOL} of its protocol, not ${asked.slice(0, 20)}.`, {
    hint: 'Install the same version of mcp-python on both machines.',
    details: { protocol: PROTOCOL },
  });
}

/** @throws Failure `invalid_input` for a request that could be another one’s echo */
export function keyOf(request: IncomingMessage, windowMs: number): string {
  const key = headerOf(request, HEADERS.key);
  if (key === undefined || !/^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/.test(key)) {
    throw new Failure('invalid_input', `This needs the header ${HEADERS.key} with a new random UUID.`);
  }
  const madeMs = Number(headerOf(request, HEADERS.time));
  if (!Number.isFinite(madeMs) || Math.abs(Date.now() - madeMs) > windowMs) {
    throw new Failure('invalid_input', `The header ${HEADERS.time} must be the time of the request, Unix time in milliseconds.`, {
      hint: `The clocks of both machines may differ by ${windowMs / 1000} s (\`host_agent.replay_window\`).`,
      details: { now_ms: Date.now(), outcome: 'not_run' },
    });
  }
  return key;
}

/** What the body says. @throws Failure `invalid_input` */
export function inputOf(endpoint: Endpoint, body: Uint8Array): unknown {
  const parsed = endpoint.input.safeParse(parseObject(body));
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new Failure('invalid_input', `The body is not as it should be: ${first?.path.join('.') || 'it'}: ${first?.message}.`);
}

/** For a credential whose scopes do not reach. */
export function forbidden({ scope }: Endpoint, path: string): Failure {
  return new Failure('denied', `${path} needs the scope ${scope}.`);
}

/** For one request more than may run. */
export function tooBusy(limit: number): Failure {
  return new Failure('unavailable', `The host agent runs ${limit} requests already.`, {
    hint: 'Try again, or raise `host_agent.max_concurrent` of the agent.',
    details: { status: 429, retry_after_seconds: 1, outcome: 'not_run' },
  });
}
