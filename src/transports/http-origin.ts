/** Which web pages may talk to the server: a defence against DNS rebinding (MCP transports, security warning). */
import type { IncomingMessage } from 'node:http';
import { HttpRefusal, header } from './http-exchange.ts';

export interface OriginRules {
  /** The host we listen on. */
  readonly boundHost: string;
  /** Further values of the Host header, without port. */
  readonly allowedHosts: readonly string[];
  /** Origins beside those of pages on this machine, `https://app.example`. */
  readonly allowedOrigins: readonly string[];
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Bound to these, we listen on every address of the machine. */
const WILDCARDS = new Set(['0.0.0.0', '[::]']);

/** @throws HttpRefusal 403 for a Host or Origin that is not ours. */
export function checkOrigin(request: IncomingMessage, rules: OriginRules): void {
  const host = header(request, 'host');
  const name = host === undefined ? undefined : hostName(host);
  if (name === undefined || !isAllowedHost(name, rules)) {
    throw new HttpRefusal(403, `The Host "${host ?? ''}" is not allowed. Name it in server.allowed_hosts if it is yours.`);
  }
  const origin = header(request, 'origin');
  if (origin !== undefined && !isAllowedOrigin(origin, rules)) {
    throw new HttpRefusal(403, `The Origin "${origin}" is not allowed. Name it in server.allowed_origins if it is yours.`);
  }
}

/** A page that rebinds its name sends that name; an address in its place cannot be rebound. */
function isAllowedHost(name: string, { boundHost, allowedHosts }: OriginRules): boolean {
  const bound = boundHost.includes(':') ? `[${boundHost}]` : boundHost;
  if (LOOPBACK_NAMES.has(name) || name === bound || allowedHosts.includes(name)) return true;
  return WILDCARDS.has(bound) && /^(\[[0-9a-f:]+\]|\d{1,3}(\.\d{1,3}){3})$/.test(name);
}

function isAllowedOrigin(origin: string, rules: OriginRules): boolean {
  if (rules.allowedOrigins.includes(origin)) return true;
  const scheme = /^https?:\/\/(.+)$/.exec(origin);
  const name = scheme?.[1] === undefined ? undefined : hostName(scheme[1]);
  return name !== undefined && LOOPBACK_NAMES.has(name);
}

/** The name in `name:port`, lower case; undefined for anything else. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

/** CORS headers for a request from an allowed page; none for other clients. */
export function corsHeaders(request: IncomingMessage): [string, string][] {
  const origin = header(request, 'origin');
  if (origin === undefined) return [];
  return [
    ['access-control-allow-origin', origin],
    ['vary', 'Origin'],
    ['access-control-allow-methods', 'POST, GET, DELETE, OPTIONS'],
    ['access-control-allow-headers', header(request, 'access-control-request-headers') ?? CORS_REQUEST_HEADERS],
    ['access-control-expose-headers', 'Mcp-Session-Id, MCP-Protocol-Version, Retry-After, WWW-Authenticate'],
    ['access-control-max-age', '600'],
  ];
}

const CORS_REQUEST_HEADERS =
  'Content-Type, Accept, Authorization, X-API-Key, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name';

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
