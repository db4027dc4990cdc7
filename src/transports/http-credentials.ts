/** The credential in a request's headers, and how one is asked for (RFC 6750, MCP authorization). */
import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from './http-exchange.ts';

const REALM = 'mcp-python';

/** Parameters of a query that hold a credential (RFC 6750 §2.3), or look as if. */
const IN_QUERY = /[?&](access_token|api[-_]?key|x-api-key|key|token|authorization)=|mcpp_/i;

/** What was sent as a credential: its text, or why it cannot be one; undefined when nothing was sent. */
export type SentCredential = { readonly text: string } | { readonly malformed: string } | undefined;

/**
 * Reads `Authorization: Bearer` or `X-API-Key`.
 * @throws HttpRefusal 400 for a credential in the address, or more than one
 */
export function sentCredential(request: IncomingMessage): SentCredential {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  refuseInQuery(request.url);
  if (authorization === undefined && apiKey === undefined) return undefined;
  // Node keeps the first of several; a proxy in front may have looked at the last.
  const { authorization: bearers = [], 'x-api-key': apiKeys = [] } = request.headersDistinct;
  if (bearers.length + apiKeys.length !== 1) {
    throw invalidRequest('Send one credential, either as `Authorization: Bearer` or as `X-API-Key`.');
  }
  if (apiKeys[0] !== undefined) return { text: apiKeys[0].trim() };
  const text = /^Bearer +(\S+) *$/i.exec(bearers[0] ?? '')?.[1];
  return text === undefined ? { malformed: 'The Authorization header must be `Bearer` and the key.' } : { text };
}

/** Addresses end up in logs, histories and Referer headers. */
function refuseInQuery(url: string | undefined): void {
  if (!url?.includes('?') || !IN_QUERY.test(url)) return;
  throw invalidRequest(
    'A credential does not belong in the address, where logs keep it: send it in a header, and revoke it if it was a real one.',
  );
}

function invalidRequest(message: string): HttpRefusal {
  return new HttpRefusal(400, message, challenge({ error: 'invalid_request', error_description: message }));
}

/** The `WWW-Authenticate` header (RFC 6750 §3). */
export function challenge(parameters: {
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  readonly error_description?: string;
  /** Separated by blanks. */
  readonly scope?: string;
}): Record<string, string> {
  const all = Object.entries({ realm: REALM, ...parameters });
  return { 'www-authenticate': `Bearer ${all.map(([name, value]) => `${name}="${quotable(value)}"`).join(', ')}` };
}

/** RFC 6750 allows no quotes, backslashes and non-ASCII in these values. */
function quotable(text: string): string {
  return text.replace(/["\\`]/g, "'").replace(/[^ -~]/g, '?');
}
