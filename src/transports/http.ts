/** The HTTP server: one MCP endpoint for both eras, and the checks every request passes first. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { toProtocolError } from '../protocol/failures.ts';
import {
  ERROR_CODES,
  errorResponse,
  idOf,
  type IncomingMessage as Message,
  ProtocolError,
  parseJson,
  readMessage,
} from '../protocol/jsonrpc.ts';
import { createStatelessEra } from '../protocol/stateless-era.ts';
import type { Runtime } from '../runtime.ts';
import { stateFolder } from '../state/folders.ts';
import { writeKeepAlive } from './event-streams.ts';
import { type AccessEntry, createHttpAuthentication } from './http-authentication.ts';
import { HttpRefusal, readBody, sendAccepted, sendError, sendJson } from './http-exchange.ts';
import { checkOrigin, corsHeaders, isLoopback, type OriginRules } from './http-origin.ts';
import { checkMediaTypes, isStateless, refuseStateless } from './http-request-kind.ts';
import { createHttpSessions } from './http-sessions.ts';
import { createHttpStateless } from './http-stateless.ts';
import { openKeptSessions } from './kept-sessions.ts';
import { type LocalSocket, openLocalSocket } from './local-socket.ts';
import { createPeerCheck } from './socket-peers.ts';

export interface HttpAddress {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Number of a socket that listens there already, as systemd hands over. */
  readonly descriptor?: number;
}

export interface HttpServerOptions {
  /** Told of who is turned away: without a good credential, beyond their scopes or limits. Must not throw. */
  onAccess?(entry: AccessEntry): void;
  /** Told what does not work although it is served, as sentences. */
  onWarning?(warning: string): void;
  /** Also listens on the local socket in the state folder. */
  readonly localSocket?: boolean;
  /** Answers requests below `/control/` on the local socket; absent: there are none. */
  control?(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface HttpServer {
  /** The MCP endpoint, `http://127.0.0.1:8001/mcp`. */
  readonly url: string;
  readonly port: number;
  /** The local socket, where there is one. */
  readonly socketPath: string | undefined;
  readonly sessionCount: number;
  /** Lets running calls end within the grace time, then stops them; every stream is closed in good order. */
  close(): Promise<void>;
}

const ENDPOINT = '/mcp';
const CONTROL = '/control/';
const METHODS = 'POST, GET, DELETE, OPTIONS';

/**
 * Starts serving.
 * @throws Failure `invalid_config` for an address beyond loopback while there is no API key, `unavailable` when the port is taken.
 */
export async function serveHttp(runtime: Runtime, address: HttpAddress, options: HttpServerOptions = {}): Promise<HttpServer> {
  const { service, config } = runtime;
  const settings = config.server;
  const openStreams = new Set<ServerResponse>();
  const onStream = (response: ServerResponse) => {
    openStreams.add(response);
    response.once('close', () => openStreams.delete(response));
  };
  const era = createStatelessEra(service, runtime.requestStateKey);
  const stateless = createHttpStateless({ service, era, onStream });
  const state = stateFolder(config.state.directory);
  const warn = (warning: string) => options.onWarning?.(warning);
  const kept = await openKeptSessions(state, warn);
  const sessions = createHttpSessions({
    service,
    kept,
    newest: settings.version,
    maxSessions: settings.max_sessions,
    idleMs: settings.session_idle_seconds * 1000,
    streams: { events: settings.event_log_events, bytes: settings.event_log_bytes, retryMs: settings.sse_retry_ms },
    onStream,
  });
  const rules: OriginRules = {
    boundHost: address.host,
    allowedHosts: settings.allowed_hosts,
    allowedOrigins: settings.allowed_origins,
  };
  const authentication = createHttpAuthentication(runtime, address.host, {
    ...options,
    onEnd: (principalId) => sessions.endOf(principalId),
  });
  const refuseOwnCommands = createPeerCheck();
  let draining = false;

  function handle(request: IncomingMessage, response: ServerResponse, local: boolean): Promise<void> | void {
    checkOrigin(request, rules);
    for (const [name, value] of corsHeaders(request)) response.setHeader(name, value);
    const path = pathOf(request);
    const control = local && path.startsWith(CONTROL) ? options.control : undefined;
    if (path !== ENDPOINT && !control) throw new HttpRefusal(404, `Nothing is here: the MCP endpoint is ${ENDPOINT}.`);
    if (draining) throw new HttpRefusal(503, 'The server is stopping.', { 'retry-after': '2', connection: 'close' });
    // Browsers ask first whether they may send a credential, and send none with that.
    if (request.method === 'OPTIONS') return sendMethods(response);
    // Otherwise the port gives a command just as much.
    const checked = local && (control || authentication.required) ? refuseOwnCommands(request) : undefined;
    if (control) return (checked ?? Promise.resolve()).then(() => control(request, response));
    const principal = authentication.admit(request, response, local);
    if (!checked && !(principal instanceof Promise)) return answer(request, response, principal);
    return Promise.all([principal, checked]).then(([known]) => answer(request, response, known));
  }

  function answer(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void> | void {
    switch (request.method) {
      case 'POST':
        return post(request, response, principal);
      case 'GET':
        refuseStateless(request);
        authentication.listen(principal, response);
        return sessions.get(request, response, principal);
      case 'DELETE':
        refuseStateless(request);
        return sessions.delete(request, response, principal);
      default:
        throw new HttpRefusal(405, `${request.method} is not allowed here.`, { allow: METHODS });
    }
  }

  async function post(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void> {
    checkMediaTypes(request);
    const body = await readBody(request, settings.max_body_bytes);
    let parsed: unknown;
    let incoming: Message;
    try {
      parsed = parseJson(body);
      incoming = readMessage(parsed);
    } catch (thrown) {
      return sendError(response, 400, idOf(parsed), toProtocolError('POST', thrown));
    }
    const leave =
      principal.kind !== 'local' && incoming.kind === 'request'
        ? await authentication.enter(principal, incoming.message, response)
        : undefined;
    const standsAlone = isStateless(request, incoming);
    try {
      if (standsAlone) {
        if (incoming.kind === 'request') return await stateless(request, response, incoming.message, principal);
        if (incoming.kind === 'response') throw new HttpRefusal(400, 'MCP 2026-07-28 has no responses from clients.');
        return sendAccepted(response);
      }
      await sessions.post(request, response, incoming, principal);
    } catch (thrown) {
      if (standsAlone || thrown instanceof HttpRefusal) throw thrown;
      sendError(response, 400, idOf(parsed), toProtocolError('POST', thrown));
    } finally {
      leave?.();
    }
  }

  const take = (request: IncomingMessage, response: ServerResponse, local: boolean) => {
    try {
      handle(request, response, local)?.catch((thrown: unknown) => refuse(response, thrown));
    } catch (thrown) {
      refuse(response, thrown);
    }
  };
  const server = withPatience(createServer((request, response) => take(request, response, false)));
  const port = await listen(server, address).catch((thrown: unknown) => {
    sessions.close();
    throw thrown;
  });
  const keepAlive = setInterval(() => {
    for (const response of openStreams) writeKeepAlive(response);
  }, settings.keep_alive_seconds * 1000);
  keepAlive.unref();

  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const url = `http://${host}:${port}${ENDPOINT}`;
  const servers = [server];
  let localSocket: LocalSocket | undefined;
  if (options.localSocket) {
    const local = withPatience(createServer((request, response) => take(request, response, true)));
    const opened = await openLocalSocket(state, local, url);
    if (typeof opened === 'string') {
      warn(opened);
    } else {
      localSocket = opened;
      servers.push(local);
    }
  }
  return {
    url,
    port,
    socketPath: localSocket?.path,
    get sessionCount() {
      return sessions.count;
    },
    async close() {
      draining = true;
      const closed = Promise.all(servers.map((each) => new Promise((resolve) => each.close(resolve))));
      localSocket?.leave();
      era.close();
      await settle(runtime, settings.shutdown_grace_seconds * 1000);
      // What still runs is stopped now, and its callers are told before their connections close.
      await runtime.orchestrator[Symbol.asyncDispose]();
      // A session that closes answers nothing any more: the answers that are ready now go out first.
      await new Promise((resolve) => setImmediate(resolve));
      sessions.close();
      authentication.close();
      clearInterval(keepAlive);
      for (const each of servers) each.closeIdleConnections();
      setTimeout(() => {
        for (const each of servers) each.closeAllConnections();
      }, CLOSE_AFTER_MS).unref();
      await closed;
    },
  };
}

/** Slow or silent clients: time to send the headers, and the whole request, milliseconds. */
function withPatience(server: Server): Server {
  return Object.assign(server, { headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 75_000 });
}

function sendMethods(response: ServerResponse): void {
  response.writeHead(204, { allow: METHODS });
  response.end();
}

/** How long connections may take to flush their last bytes. */
const CLOSE_AFTER_MS = 300;

/** Waits until no call runs, at most `graceMs`. */
async function settle({ orchestrator }: Runtime, graceMs: number): Promise<void> {
  const until = Date.now() + graceMs;
  const busy = () => orchestrator.status().agents.some((agent) => agent.running > 0);
  while (busy() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}

function listen(server: Server, { host, port, descriptor }: HttpAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        new Failure(
          'unavailable',
          taken ? `Port ${port} on ${host} is in use.` : `Cannot listen on ${host}:${port}: ${error.message}`,
          {
            hint: taken ? 'Choose another with `--port`, or `--port 0` for any free one.' : 'Check `--host` and `--port`.',
            cause: error,
          },
        ),
      );
    });
    const onListening = () => {
      const bound = server.address() as AddressInfo;
      // Who is asked for a key was decided by the configured address.
      if (!isLoopback(host) || isLoopback(String(bound.address))) return resolve(bound.port);
      server.close();
      reject(
        new Failure('invalid_config', `The socket that was handed over is not on this machine only, as ${host} is.`, {
          hint: 'Set `server.mcp_http_host` to the address that systemd listens on.',
        }),
      );
    };
    if (descriptor === undefined) server.listen(port, host, onListening);
    else server.listen({ fd: descriptor }, onListening);
  });
}

/** Tells a refusal as JSON-RPC, so that MCP clients can show it. */
function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (thrown instanceof HttpRefusal) {
    const body = errorResponse(thrown.id, new ProtocolError(ERROR_CODES.invalidRequest, thrown.message));
    sendJson(response, thrown.status, JSON.stringify(body), thrown.headers);
    return;
  }
  sendError(response, 500, null, toProtocolError('HTTP', thrown));
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
