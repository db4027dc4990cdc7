/**
 * Streamable HTTP with sessions (MCP 2025-03-26 to 2025-11-25): POST, GET and DELETE on one endpoint.
 *
 * A request is answered as JSON when the answer is quick and alone; as an event stream once there is something
 * else to send, or the work takes long enough for the client to need a sign of life.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import { createDeadlines } from '../orchestrator/deadlines.ts';
import { ERROR_CODES, type JsonRpcRequest, type IncomingMessage as Message, ProtocolError } from '../protocol/jsonrpc.ts';
import { initializeResult, negotiate } from '../protocol/sessions-era.ts';
import { isSessionVersion, SESSION_VERSIONS, type SessionVersion } from '../protocol/versions.ts';
import { acceptedAnswers, HttpRefusal, header, sendAccepted, sendMessage } from './http-exchange.ts';
import { HttpSession, type HttpSessionOptions } from './http-session.ts';

export interface HttpSessionsOptions extends HttpSessionOptions {
  /** Newest revision offered at `initialize`. */
  readonly newest: SessionVersion;
  readonly maxSessions: number;
  readonly idleMs: number;
}

export interface HttpSessions {
  post(request: IncomingMessage, response: ServerResponse, incoming: Message, principal: Principal): Promise<void>;
  get(request: IncomingMessage, response: ServerResponse, principal: Principal): void;
  delete(request: IncomingMessage, response: ServerResponse, principal: Principal): void;
  readonly count: number;
  /** Ends all sessions of a principal whose credential is no longer good, with what runs in them. */
  endOf(principalId: string): void;
  /** Ends every event stream with the time after which to come back, and forgets all sessions. */
  close(): void;
}

/** Past this an answer becomes an event stream: the client gets headers, an event id and keep-alives. */
const STREAM_AFTER_MS = 250;

/** How long an idle session's events are kept for a client to resume from; thousands of idle logs would fill the memory. */
const RESUMABLE_MS = 5 * 60_000;

export function createHttpSessions(options: HttpSessionsOptions): HttpSessions {
  const { service, newest, maxSessions, idleMs } = options;
  const slowAnswers = createDeadlines(STREAM_AFTER_MS);
  /** Least recently used first. */
  const sessions = new Map<string, HttpSession>();
  /** How many sessions each principal has, by its id. */
  const held = new Map<string, number>();
  const stopListening = service.onChange((change) => {
    for (const { session } of sessions.values()) session.changed(change);
  });
  const sweeper = setInterval(sweep, Math.min(idleMs, 30_000));
  sweeper.unref();

  function sweep() {
    const nowMs = Date.now();
    for (const each of sessions.values()) {
      const unusedMs = nowMs - each.lastUsedMs;
      if (unusedMs < Math.min(idleMs, RESUMABLE_MS)) break;
      if (!each.idle) continue;
      if (unusedMs >= idleMs) forget(each);
      else each.forgetEvents();
    }
  }

  function forget(each: HttpSession) {
    sessions.delete(each.id);
    const { id } = each.session.principal;
    const left = (held.get(id) ?? 1) - 1;
    if (left > 0) held.set(id, left);
    else held.delete(id);
    each.close();
  }

  function firstIdle(principalId: string): HttpSession | undefined {
    for (const each of sessions.values()) if (each.session.principal.id === principalId && each.idle) return each;
    return undefined;
  }

  /** Whoever holds the most gives way: nobody can push out the others by opening many. */
  function makeRoom() {
    if (sessions.size < maxSessions) return;
    const holders = [...held].sort(([, a], [, b]) => b - a).map(([id]) => id);
    const longestIdle = holders.map(firstIdle).find((each) => each !== undefined);
    if (!longestIdle) {
      throw new HttpRefusal(503, `${sessions.size} sessions are in use (server.max_sessions). Try again later.`, {
        'retry-after': '5',
      });
    }
    forget(longestIdle);
  }

  /** @throws HttpRefusal 400 without a session id, 404 for one that is unknown, ended, or somebody else's. */
  function find(request: IncomingMessage, principal: Principal): HttpSession {
    const id = header(request, 'mcp-session-id');
    if (id === undefined) throw new HttpRefusal(400, 'The Mcp-Session-Id header is missing: send `initialize` first.');
    const found = sessions.get(id);
    if (!found || found.session.principal.id !== principal.id) {
      throw new HttpRefusal(404, 'There is no such session: send `initialize` again.');
    }
    checkVersion(request, found);
    sessions.delete(id);
    sessions.set(id, found);
    found.lastUsedMs = Date.now();
    return found;
  }

  function open(message: JsonRpcRequest, response: ServerResponse, principal: Principal) {
    makeRoom();
    const opened = new HttpSession(options, slowAnswers, negotiate(message.params ?? {}, newest), principal);
    sessions.set(opened.id, opened);
    held.set(principal.id, (held.get(principal.id) ?? 0) + 1);
    const result = initializeResult(service, opened.session.terms);
    sendMessage(response, 200, { jsonrpc: '2.0', id: message.id, result }, { 'mcp-session-id': opened.id });
  }

  return {
    async post(request, response, incoming, principal) {
      if (incoming.kind === 'request' && incoming.message.method === 'initialize') {
        if (header(request, 'mcp-session-id') !== undefined) {
          find(request, principal);
          throw new ProtocolError(ERROR_CODES.invalidRequest, 'This session is initialized already.');
        }
        open(incoming.message, response, principal);
        return;
      }
      const found = find(request, principal);
      if (incoming.kind === 'request') {
        await found.answer(incoming.message, response, acceptedAnswers(request));
        found.lastUsedMs = Date.now();
        return;
      }
      if (incoming.kind === 'notification') found.session.notification(incoming.message);
      else found.session.response(incoming.message);
      sendAccepted(response);
    },
    get(request, response, principal) {
      if (!(header(request, 'accept') ?? '').match(/text\/event-stream|\*\/\*/)) {
        throw new HttpRefusal(406, 'GET answers with text/event-stream: name it in the Accept header.');
      }
      find(request, principal).listen(response, header(request, 'last-event-id'));
    },
    delete(request, response, principal) {
      forget(find(request, principal));
      response.writeHead(204);
      response.end();
    },
    get count() {
      return sessions.size;
    },
    endOf(principalId) {
      if (!held.has(principalId)) return;
      for (const each of [...sessions.values()]) if (each.session.principal.id === principalId) forget(each);
    },
    close() {
      clearInterval(sweeper);
      stopListening();
      for (const each of [...sessions.values()]) forget(each);
    },
  };
}

/** @throws HttpRefusal 400 for a revision we do not speak, or another than the session's (MCP 2025-06-18, protocol version header). */
function checkVersion(request: IncomingMessage, { session }: HttpSession): void {
  const version = header(request, 'mcp-protocol-version');
  if (version === undefined || version === session.terms.version) return;
  if (!isSessionVersion(version)) {
    throw new HttpRefusal(400, `MCP-Protocol-Version "${version}" is not supported. Supported: ${SESSION_VERSIONS.join(', ')}.`);
  }
  throw new HttpRefusal(400, `MCP-Protocol-Version is "${version}", but this session speaks ${session.terms.version}.`);
}
