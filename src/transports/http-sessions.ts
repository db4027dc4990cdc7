/**
 * Streamable HTTP with sessions (MCP 2025-03-26 to 2025-11-25): POST, GET and DELETE on one endpoint.
 *
 * A request is answered as JSON when the answer is quick and alone; as an event stream once there is something
 * else to send, or the work takes long enough for the client to need a sign of life.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import { createDeadlines } from '../orchestrator/deadlines.ts';
import { ERROR_CODES, type JsonRpcRequest, type IncomingMessage as Message, ProtocolError } from '../protocol/jsonrpc.ts';
import { initializeResult, negotiate } from '../protocol/sessions-era.ts';
import { isSessionVersion, SESSION_VERSIONS, type SessionVersion } from '../protocol/versions.ts';
import { changesSinceLastTime, createDormantSessions } from './dormant-sessions.ts';
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
  get(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void> | void;
  delete(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void>;
  readonly count: number;
  /** Ends all sessions of a principal whose credential is no longer good, with what runs in them. */
  endOf(principalId: string): void;
  /** Ends every event stream with the time after which to come back. The sessions are left for the next server. */
  close(): void;
}

/** Past this an answer becomes an event stream: the client gets headers, an event id and keep-alives. */
const STREAM_AFTER_MS = 250;

/** How long an idle session's events are kept for a client to resume from; thousands of idle logs would fill the memory. */
const RESUMABLE_MS = 5 * 60_000;

/** How often idle sessions are looked for, and times of use stored, at most. */
const SWEEP_MS = 30_000;

export function createHttpSessions(options: HttpSessionsOptions): HttpSessions {
  const { service, newest, maxSessions, idleMs, kept } = options;
  const slowAnswers = createDeadlines(STREAM_AFTER_MS);
  /** Least recently used first. */
  const sessions = new Map<string, HttpSession>();
  const dormant = createDormantSessions(kept);
  /** Sessions that are being rebuilt: what arrives for one meanwhile must not build another. */
  const waking = new Map<string, Promise<HttpSession | undefined>>();
  /** Those of them that are in the store. */
  const taken = new Set<string>();
  /** How many sessions each principal has, by its id. */
  const held = new Map<string, number>();
  const stopListening = service.onChange((change) => {
    for (const { session } of sessions.values()) session.changed(change);
    dormant.tell(change);
  });
  const sweepMs = Math.min(idleMs, SWEEP_MS);
  const sweeper = setInterval(sweep, sweepMs);
  sweeper.unref();
  adopt();
  for (const change of changesSinceLastTime(kept, service.catalogue)) dormant.tell(change);

  function sweep() {
    const nowMs = Date.now();
    storeUses(nowMs);
    for (const each of sessions.values()) {
      const unusedMs = nowMs - each.lastUsedMs;
      if (unusedMs < Math.min(idleMs, RESUMABLE_MS)) break;
      if (!each.idle) continue;
      if (unusedMs >= idleMs) forget(each);
      else each.forgetEvents();
    }
    adopt();
  }

  /** Lazily: only what changed by more than a moment. */
  function storeUses(nowMs: number) {
    const changed = [...sessions.values()].flatMap((each) => {
      const usedMs = each.idle ? each.lastUsedMs : nowMs;
      return usedMs - each.storedUseMs < sweepMs / 2 ? [] : [{ each, id: each.id, usedMs }];
    });
    if (changed.length === 0) return;
    kept.use((store) => store.touch(changed));
    for (const { each, usedMs } of changed) each.storedUseMs = usedMs;
  }

  /** Takes over what servers left that are gone, and ends what is too old or too much. */
  function adopt() {
    for (const { principalId } of dormant.adopt((id) => sessions.has(id) || taken.has(id))) count(principalId, 1);
    for (const { id, principalId, usedMs } of [...dormant.values()]) {
      const isTooMany = sessions.size + dormant.size > maxSessions;
      // Times of use were stored now and then only.
      if (!isTooMany && Date.now() - usedMs < idleMs + sweepMs) continue;
      dormant.end(id);
      count(principalId, -1);
    }
  }

  function count(principalId: string, change: number) {
    const now = (held.get(principalId) ?? 0) + change;
    if (now > 0) held.set(principalId, now);
    else held.delete(principalId);
  }

  function forget(each: HttpSession) {
    sessions.delete(each.id);
    count(each.session.principal.id, -1);
    each.close();
    dormant.end(each.id);
  }

  /** Ends the session of the principal that was used the longest ago and is idle. */
  function forgetIdle(principalId: string): boolean {
    for (const { id, principalId: owner } of dormant.values()) {
      if (owner !== principalId) continue;
      dormant.end(id);
      count(owner, -1);
      return true;
    }
    for (const each of sessions.values()) {
      if (each.session.principal.id !== principalId || !each.idle) continue;
      forget(each);
      return true;
    }
    return false;
  }

  /** Whoever holds the most gives way: nobody can push out the others by opening many. */
  function makeRoom() {
    const all = sessions.size + dormant.size;
    if (all < maxSessions) return;
    const holders = [...held].sort(([, a], [, b]) => b - a).map(([id]) => id);
    if (holders.some(forgetIdle)) return;
    throw new HttpRefusal(503, `${all} sessions are in use (server.max_sessions). Try again later.`, { 'retry-after': '5' });
  }

  /** Rebuilds a session that an earlier process had. */
  async function wake(id: string, principal: Principal): Promise<HttpSession | undefined> {
    const wasCounted = dormant.has(id);
    const stored = dormant.take(id, principal);
    if (stored === 'elsewhere') {
      throw new HttpRefusal(503, 'The server that has this session is stopping: try again.', { 'retry-after': '1' });
    }
    if (!stored) return undefined;
    if (!wasCounted) count(principal.id, 1);
    taken.add(id);
    try {
      const woken = new HttpSession(options, slowAnswers, stored);
      await woken.resumeStreams();
      sessions.set(id, woken);
      return woken;
    } finally {
      taken.delete(id);
    }
  }

  /**
   * Resolves at once for a session that is at hand.
   * @throws HttpRefusal 400 without a session id, 404 for one that is unknown, ended, or somebody else's
   */
  function find(request: IncomingMessage, principal: Principal): HttpSession | Promise<HttpSession> {
    const id = header(request, 'mcp-session-id');
    if (id === undefined) throw new HttpRefusal(400, 'The Mcp-Session-Id header is missing: send `initialize` first.');
    const found = sessions.get(id);
    if (found) return use(request, principal, found);
    // One for each principal: whoever has no right to it must not stand in the way of the other.
    const key = `${principal.id} ${id}`;
    const building = waking.get(key) ?? wake(id, principal).finally(() => waking.delete(key));
    waking.set(key, building);
    return building.then((woken) => use(request, principal, woken));
  }

  function use(request: IncomingMessage, principal: Principal, found: HttpSession | undefined): HttpSession {
    if (!found || found.session.principal.id !== principal.id) {
      throw new HttpRefusal(404, 'There is no such session: send `initialize` again.');
    }
    checkVersion(request, found);
    sessions.delete(found.id);
    sessions.set(found.id, found);
    found.lastUsedMs = Date.now();
    return found;
  }

  function open(message: JsonRpcRequest, response: ServerResponse, principal: Principal) {
    const terms = negotiate(message.params ?? {}, newest);
    makeRoom();
    const opened = new HttpSession(options, slowAnswers, { id: randomUUID(), principal, terms });
    sessions.set(opened.id, opened);
    count(principal.id, 1);
    const { id, session, lastUsedMs } = opened;
    kept.use((store) => {
      const settings = JSON.stringify(session.settings);
      store.create({ id, principalId: principal.id, terms: JSON.stringify(terms), settings }, lastUsedMs);
    });
    const result = initializeResult(service, terms);
    sendMessage(response, 200, { jsonrpc: '2.0', id: message.id, result }, { 'mcp-session-id': id });
  }

  return {
    async post(request, response, incoming, principal) {
      if (incoming.kind === 'request' && incoming.message.method === 'initialize') {
        if (header(request, 'mcp-session-id') !== undefined) {
          await find(request, principal);
          throw new ProtocolError(ERROR_CODES.invalidRequest, 'This session is initialized already.');
        }
        open(incoming.message, response, principal);
        return;
      }
      const finding = find(request, principal);
      const found = finding instanceof HttpSession ? finding : await finding;
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
      const listen = (found: HttpSession) => found.listen(response, header(request, 'last-event-id'));
      const found = find(request, principal);
      return found instanceof HttpSession ? listen(found) : found.then(listen);
    },
    async delete(request, response, principal) {
      forget(await find(request, principal));
      response.writeHead(204);
      response.end();
    },
    get count() {
      return sessions.size;
    },
    endOf(principalId) {
      if (!held.has(principalId)) return;
      for (const each of [...sessions.values()]) if (each.session.principal.id === principalId) forget(each);
      for (const { id, principalId: owner } of [...dormant.values()]) {
        if (owner !== principalId) continue;
        dormant.end(id);
        count(owner, -1);
      }
    },
    close() {
      clearInterval(sweeper);
      stopListening();
      storeUses(Date.now());
      for (const each of sessions.values()) each.close();
      sessions.clear();
      kept.close();
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
