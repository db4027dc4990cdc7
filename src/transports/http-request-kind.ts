/** What kind of request this is: its era, and the media types it is written in and answered with. */
import type { IncomingMessage } from 'node:http';
import type { IncomingMessage as Message } from '../protocol/jsonrpc.ts';
import { isStatelessRequest } from '../protocol/stateless-era.ts';
import { isSessionVersion, isStatelessVersion } from '../protocol/versions.ts';
import { HttpRefusal, header } from './http-exchange.ts';

/** The era a POST belongs to: what the body says, then what the headers say. */
export function isStateless(request: IncomingMessage, incoming: Message): boolean {
  if (incoming.kind === 'request') {
    if (isStatelessRequest(incoming.message)) return true;
    if (incoming.message.method === 'initialize') return false;
  }
  const version = header(request, 'mcp-protocol-version');
  if (isStatelessVersion(version)) return true;
  const hasSession = header(request, 'mcp-session-id') !== undefined;
  return version !== undefined && !isSessionVersion(version) && !hasSession;
}

/** MCP 2026-07-28 has neither GET nor DELETE. @throws HttpRefusal 405 */
export function refuseStateless(request: IncomingMessage): void {
  if (isStatelessVersion(header(request, 'mcp-protocol-version'))) {
    throw new HttpRefusal(405, `MCP 2026-07-28 has no ${request.method}.`, { allow: 'POST' });
  }
}

/** @throws HttpRefusal 415 for a body that is not JSON, 406 for a client that takes neither JSON nor event streams. */
export function checkMediaTypes(request: IncomingMessage): void {
  const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new HttpRefusal(415, 'The Content-Type must be application/json.');
  const accept = header(request, 'accept');
  if (accept !== undefined && !/application\/(json|\*)|text\/event-stream|\*\/\*/.test(accept)) {
    throw new HttpRefusal(406, 'Answers are application/json or text/event-stream: name both in the Accept header.');
  }
}
