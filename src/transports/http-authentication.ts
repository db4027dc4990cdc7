/**
 * The door of the HTTP server: who sends a request, whether they may ask for this, and not too often.
 *
 * Without a credential a client on this machine is the local principal, unless one is always asked for; that costs two
 * looks at the headers. A credential that is sent must be good.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditEntry } from '../audit/audit-log.ts';
import { Failure } from '../errors.ts';
import { createKeyVerifier, type Identified, type Refused, type VerifyCredential } from '../identity/credential.ts';
import { createFailedAttempts } from '../identity/failed-attempts.ts';
import { createKeyLookup } from '../identity/key-lookup.ts';
import { keysFolder } from '../identity/key-record.ts';
import { hasScope, LOCAL_PRINCIPAL, type Principal, SCOPES, type Scope } from '../identity/principal.ts';
import type { JsonRpcRequest } from '../protocol/jsonrpc.ts';
import { requiredScope } from '../protocol/required-scope.ts';
import type { Runtime } from '../runtime.ts';
import { stateFolder } from '../state/folders.ts';
import { challenge, sentCredential } from './http-credentials.ts';
import { HttpRefusal } from './http-exchange.ts';
import { isLoopback } from './http-origin.ts';
import { createKeyHolders, type KeyHolder } from './key-holders.ts';

/** Somebody was turned away. */
export type AccessEntry = Extract<AuditEntry, { event: 'access' }>;

export interface HttpAuthenticationOptions {
  /** Told of who is turned away, a bounded number of times a minute. Must not throw. */
  onAccess?(entry: AccessEntry): void;
  /** A credential was revoked or has expired: what its principal has here is to end. */
  onEnd(principalId: string): void;
}

export interface HttpAuthentication {
  /** Whether the port asks everybody for a credential. */
  readonly required: boolean;
  /**
   * Who sends the request.
   * @param local it came over the local socket, where nobody is asked for a credential
   * @throws HttpRefusal 400 for a credential in the wrong place, 401 for a bad or missing one, 429 for too many requests
   */
  admit(request: IncomingMessage, response: ServerResponse, local: boolean): Principal | Promise<Principal>;
  /**
   * Lets the holder of a credential have a request answered.
   * @returns to be called when it is
   * @throws HttpRefusal 403 when the credential's scopes do not reach, 429 when too many of its requests run
   */
  enter(principal: Principal, message: JsonRpcRequest, response: ServerResponse): Promise<() => void>;
  /** Lets a principal open an event stream. @throws HttpRefusal 429 when it has too many */
  listen(principal: Principal, response: ServerResponse): void;
  close(): void;
}

/** Attempts with a bad credential that are answered with 401 in a minute, for each address; further ones get 429. */
const FAILED_ATTEMPTS = 20;
const MINUTE_MS = 60_000;

/**
 * @param host the address that is listened on
 * @throws Failure `invalid_config` for an address beyond loopback while there is no API key that could be used
 */
export function createHttpAuthentication(
  { config, catalogue }: Runtime,
  host: string,
  options: HttpAuthenticationOptions,
): HttpAuthentication {
  const lookup = createKeyLookup(keysFolder(stateFolder(config.state.directory)));
  const exposed = !isLoopback(host);
  if (exposed && lookup.countUsable() === 0) throw open(host);
  const required = exposed || config.authentication.required;
  const { requests_per_minute: requestsPerMinute, concurrent_requests: concurrentRequests } = config.authentication;
  const verify: VerifyCredential = createKeyVerifier(lookup);
  const holders = createKeyHolders(options.onEnd);
  const failed = createFailedAttempts();
  const missed = createFailedAttempts();
  const tell = (entry: Omit<AccessEntry, 'event'>) => options.onAccess?.({ event: 'access', ...entry });

  function missing(request: IncomingMessage): HttpRefusal {
    const address = addressOf(request);
    const reason = 'No credential was sent.';
    // How clients find out that one is needed, so never limited; only what is told of it is.
    if (missed.count(address, performance.now()) <= FAILED_ATTEMPTS) tell({ what: 'refused', address, reason });
    const message = `${reason} Send an API key as \`Authorization: Bearer KEY\` or \`X-API-Key: KEY\`; \`mcp-python keys create\` makes one.`;
    return new HttpRefusal(401, message, challenge({ scope: 'tools:read' }));
  }

  /** Limits guessing and its noise. Good credentials pass all the same, or anybody could lock out who shares their address. */
  function bad(request: IncomingMessage, reason: string): HttpRefusal {
    const address = addressOf(request);
    const nowMs = performance.now();
    const count = failed.count(address, nowMs);
    if (count <= FAILED_ATTEMPTS) {
      tell({ what: 'refused', address, reason });
      return new HttpRefusal(401, reason, challenge({ error: 'invalid_token', error_description: reason }));
    }
    const message = `More than ${FAILED_ATTEMPTS} attempts with a bad credential came from ${address} within a minute.`;
    if (count === FAILED_ATTEMPTS + 1) tell({ what: 'limited', address, reason: message });
    return new HttpRefusal(429, `${message} Wait, and correct it.`, {
      'retry-after': String(failed.secondsLeft(address, nowMs)),
      connection: 'close',
    });
  }

  function limited(holder: KeyHolder, seconds: number, message: string, id?: JsonRpcRequest['id']): HttpRefusal {
    const nowMs = performance.now();
    if (nowMs - holder.toldMs > MINUTE_MS) {
      holder.toldMs = nowMs;
      tell({ what: 'limited', principal: holder.identified.principal.id, reason: message });
    }
    return new HttpRefusal(429, message, { 'retry-after': String(seconds) }, id);
  }

  function settle(request: IncomingMessage, response: ServerResponse, verdict: Identified | Refused): Principal {
    if ('refused' in verdict) throw bad(request, verdict.refused);
    const holder = holders.arrive(verdict);
    const limit = verdict.requestsPerMinute ?? requestsPerMinute;
    const seconds = holder.window.take(limit, performance.now());
    if (seconds > 0) throw limited(holder, seconds, `This key may send ${limit} requests a minute.`);
    // Twice: bodies that are still coming, and answers and cancellations for the calls that run, need room beside those.
    if (holder.responses.size - holder.streams >= 2 * concurrentRequests) throw tooMany(holder);
    // One that is closed already will not say so again.
    if (!response.destroyed) {
      holder.responses.add(response);
      response.once('close', () => holder.responses.delete(response));
    }
    return verdict.principal;
  }

  function tooMany(holder: KeyHolder, id?: JsonRpcRequest['id']): HttpRefusal {
    return limited(holder, 1, `This key may have ${concurrentRequests} requests answered at once.`, id);
  }

  function forbidden({ principal }: KeyHolder['identified'], needed: Scope, { id, method, params }: JsonRpcRequest): HttpRefusal {
    const what = String(params?.name ?? params?.uri ?? '').slice(0, 200);
    const reason = `${method} of ${what} needs the scope ${needed}.`;
    tell({ what: 'forbidden', principal: principal.id, reason });
    // What it has already as well: a client that asks for just these loses nothing by it (MCP, scope challenge handling).
    const scope = SCOPES.filter((each) => each === needed || principal.scopes.has(each)).join(' ');
    const header = challenge({ error: 'insufficient_scope', scope, error_description: `The scope ${needed} is needed.` });
    return new HttpRefusal(403, `${reason} This key has: ${[...principal.scopes].join(', ')}.`, header, id);
  }

  function openStream(holder: KeyHolder, response: ServerResponse, id?: JsonRpcRequest['id']): void {
    if (holder.streams >= concurrentRequests) {
      throw limited(holder, 5, `This key may have ${concurrentRequests} event streams open.`, id);
    }
    if (response.destroyed) return;
    holder.streams++;
    response.once('close', () => holder.streams--);
  }

  return {
    required,
    admit(request, response, local) {
      const sent = sentCredential(request);
      if (sent === undefined) {
        if (required && !local) throw missing(request);
        return LOCAL_PRINCIPAL;
      }
      if ('malformed' in sent) throw bad(request, sent.malformed);
      const verdict = verify(sent.text);
      return verdict instanceof Promise
        ? verdict.then((each) => settle(request, response, each))
        : settle(request, response, verdict);
    },
    async enter(principal, message, response) {
      const needed = await requiredScope(catalogue, message);
      const holder = holders.find(principal.id);
      // Revoked while the body was on its way.
      if (!holder) throw new HttpRefusal(401, ENDED, challenge({ error: 'invalid_token', error_description: ENDED }), message.id);
      if (needed && !hasScope(principal, needed)) throw forbidden(holder.identified, needed, message);
      if (message.method === 'subscriptions/listen') {
        openStream(holder, response, message.id);
        return () => {};
      }
      if (holder.calls >= concurrentRequests) throw tooMany(holder, message.id);
      holder.calls++;
      return () => {
        holder.calls--;
      };
    },
    listen(principal, response) {
      const holder = holders.find(principal.id);
      if (holder) openStream(holder, response);
    },
    close: () => holders.close(),
  };
}

function open(host: string): Failure {
  return new Failure(
    'invalid_config',
    `Refusing to listen on ${host}: there is no authentication while there is no API key, so anyone who reaches it could run commands.`,
    {
      hint: 'Make a key with `mcp-python keys create --name NAME --scopes tools:read,tools:execute`, or listen on 127.0.0.1 and reach it through an SSH tunnel.',
    },
  );
}

const ENDED = 'The API key was revoked.';

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}
