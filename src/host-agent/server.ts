/** The host agent on the wire: lets requests in, bounds them, hands them to their endpoints and tells the outcome. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ALIVE_MS, decodeFailure, encodeFailure, HEADERS, type Outcome } from '../backends/host-agent/wire.ts';
import type { Config } from '../config/schema.ts';
import { Failure, toFailure } from '../errors.ts';
import { hasScope, type Principal } from '../identity/principal.ts';
import { redactFailure } from '../redaction/redact-failure.ts';
import type { Endpoint, HostCall } from './endpoint.ts';
import { type FrameStream, openFrames, parseObject, readBody, sendFailure, sendJson } from './exchange.ts';
import { EXECUTE_ENDPOINTS } from './execute.ts';
import { createFileEndpoints } from './files.ts';
import type { Host, Hosts } from './hosts.ts';
import { createJobEndpoints } from './jobs.ts';
import { createMachineEndpoints } from './machine.ts';
import { openOnce } from './once.ts';
import type { Door } from './peers.ts';
import { checkProtocol, forbidden, headerOf, inputOf, keyOf, tooBusy } from './request-checks.ts';

/** How patient the agent is with slow clients, milliseconds. */
export interface Patience {
  /** For the head of a request. */
  readonly headersMs: number;
  /** For all of it. */
  readonly requestMs: number;
  /** For the client to take some of what was sent. */
  readonly takeMs: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 60_000, takeMs: 30_000 };

/** What an agent is made of. */
export interface AgentOptions {
  readonly settings: Config['host_agent'];
  /** Folder of what is the agent's own in the state folder. */
  readonly folder: string;
  /** Replaced when the configuration is read anew. */
  readonly current: () => { readonly hosts: Hosts; readonly door: Door };
  readonly patience?: Patience;
  /** Told, for the audit log, of what was asked for and how it ended. Must not throw. */
  onCall?(call: FinishedCall): void;
  /** Told that somebody asked for more than there is room for. Must not throw. */
  onLimited?(principal: Principal): void;
}

/** A request that did something, or read something of the machine's. */
export interface FinishedCall {
  readonly principal: Principal;
  /** `files/read` */
  readonly tool: string;
  /** The key of the request, or a new UUID. */
  readonly task: string;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** The path it was about. */
  readonly target: string | undefined;
}

/** A host agent that serves. */
export interface Agent {
  /** Takes requests from a server made by this. */
  serve(make?: (listener: RequestListener) => Server): Server;
  /** Requests that run. */
  readonly running: number;
  /** Ends what runs, and closes. */
  close(): Promise<void>;
}

/** Serves nothing until it is given a server. */
export function createAgent({ settings, folder, current, patience = PATIENCE, onCall, onLimited }: AgentOptions): Agent {
  const windowMs = settings.replay_window * 1000;
  // Twice the window: a clock may be that much ahead, and then that much time passes.
  const once = openOnce(folder, 2 * windowMs + 60_000);
  const files = createFileEndpoints();
  const endpoints: ReadonlyMap<string, Endpoint> = new Map(
    Object.entries({
      ...createMachineEndpoints(() => current().hosts.users, settings.max_body_bytes),
      ...EXECUTE_ENDPOINTS,
      ...files.endpoints,
      ...createJobEndpoints(join(folder, 'claims')),
    }),
  );
  const running = new Map<string, AbortController>();
  const servers: Server[] = [];
  /** Requests that run: commands, and the rest, which must go on when there is no room for more commands. */
  const busy = { commands: 0, others: 0 };
  let closing = false;

  function endpointOf(method: string | undefined, path: string): Endpoint {
    const endpoint = endpoints.get(path);
    if (!endpoint) throw new Failure('not_found', `The host agent has nothing at ${path.slice(0, 100)}.`);
    if (endpoint.method !== method)
      throw new Failure('invalid_input', `${path} takes ${endpoint.method}.`, { details: { status: 405 } });
    return endpoint;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path === '/health' && request.method === 'GET') return sendJson(response, { status: closing ? 'stopping' : 'ok' });
    const principal = await current().door.admit(request);
    checkProtocol(request);
    if (path === '/cancel' && request.method === 'POST') {
      const { key } = parseObject(await readBody(request, 1024));
      running.get(nameOf(principal, String(key)))?.abort();
      return sendJson(response, { value: null });
    }
    const endpoint = endpointOf(request.method, path);
    if (!hasScope(principal, endpoint.scope)) throw forbidden(endpoint, path);
    if (closing)
      throw new Failure('unavailable', 'The host agent is stopping.', {
        details: { retry_after_seconds: 1, outcome: 'not_run' },
      });
    const kind = endpoint.streams ? 'commands' : 'others';
    const most = endpoint.streams ? settings.max_concurrent : OTHERS * settings.max_concurrent;
    if (busy[kind] >= most) {
      onLimited?.(principal);
      throw tooBusy(most);
    }
    busy[kind]++;
    try {
      await answer(request, response, { path, endpoint, principal });
    } finally {
      busy[kind]--;
    }
  }

  interface Admitted {
    readonly path: string;
    readonly endpoint: Endpoint;
    readonly principal: Principal;
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { path, endpoint, principal }: Admitted,
  ): Promise<void> {
    const key = endpoint.effect ? keyOf(request, windowMs) : undefined;
    const body = await readBody(request, settings.max_body_bytes);
    const user = headerOf(request, HEADERS.user);
    const input = endpoint.method === 'GET' ? {} : inputOf(endpoint, body);
    const host = await current().hosts.as(user);
    const abort = new AbortController();
    const state = { broken: false };
    response.once('close', () => {
      if (response.writableFinished) return;
      state.broken = true;
      abort.abort();
    });
    const frames = openFrames(response);
    const task = key ?? randomUUID();
    const call = callOf({ path, principal, host, task, signal: abort.signal, frames });
    const work = async () => {
      const startedMs = performance.now();
      const outcome = await attempt(() => endpoint.run(input as never, call), state);
      if (endpoint.effect || RECORDED.has(path)) {
        const durationMs = Math.round(performance.now() - startedMs);
        // Once the answer is on its way.
        setImmediate(() => onCall?.({ principal, tool: path.slice(1), task, outcome, durationMs, target: targetOf(input) }));
      }
      return outcome;
    };
    if (key === undefined) {
      const outcome = await work();
      if ('failure' in outcome) return sendFailure(response, decodeFailure(outcome.failure));
      return sendJson(response, outcome);
    }
    const name = nameOf(principal, key);
    const stopWatch = endpoint.streams ? watchReader(response, frames, patience.takeMs) : undefined;
    try {
      const content = [path, user ?? '', body];
      const { outcome, repeated } = await once.run({ peer: principal.id, key, content }, async () => {
        running.set(name, abort);
        try {
          return await work();
        } finally {
          running.delete(name);
        }
      });
      if (!endpoint.streams) {
        const headers: Record<string, string> = repeated ? { [HEADERS.repeated]: 'true' } : {};
        if ('failure' in outcome) return sendFailure(response, decodeFailure(outcome.failure), headers);
        return sendJson(response, outcome, 200, headers);
      }
      if ('failure' in outcome && !response.headersSent)
        return sendFailure(response, decodeFailure(outcome.failure), repeated ? { [HEADERS.repeated]: 'true' } : {});
      if (repeated || !endpoint.goOn || 'failure' in outcome) return frames.end(outcome, repeated);
      frames.send(outcome);
      await endpoint.goOn(outcome.value, input as never, call);
      response.end();
    } finally {
      clearInterval(stopWatch);
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((thrown: unknown) => {
      const failure = redactFailure(toFailure(thrown));
      if (failure.code === 'internal') process.stderr.write(`mcp-python: ${(thrown as Error)?.stack ?? thrown}\n`);
      // What still comes is not kept, so that the client reads why.
      if (!request.complete) request.resume();
      if (response.headersSent) response.destroy();
      else sendFailure(response, failure);
    });
  };

  return {
    get running() {
      return busy.commands + busy.others;
    },
    serve(make = (handler) => createServer({ connectionsCheckingInterval: Math.min(1000, patience.headersMs) }, handler)) {
      const server = make(listener);
      server.headersTimeout = patience.headersMs;
      server.requestTimeout = patience.requestMs;
      server.keepAliveTimeout = 75_000;
      server.maxConnections = Math.max(MIN_CONNECTIONS, 2 * (1 + OTHERS) * settings.max_concurrent);
      server.maxRequestsPerSocket = 0;
      servers.push(server);
      return server;
    },
    async close() {
      closing = true;
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      for (const each of running.values()) each.abort();
      const untilMs = Date.now() + CLOSE_MS;
      while (busy.commands + busy.others > 0 && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
      for (const server of servers) server.closeAllConnections();
      await closed;
      await files.close();
      once.close();
    },
  };
}

/** Connections cost little; those that ask for nothing are closed. */
const MIN_CONNECTIONS = 1024;
/** Requests that look, for each that runs a command. */
const OTHERS = 4;
/** How long what was aborted may take to end when the agent stops, milliseconds. */
const CLOSE_MS = 5000;

function nameOf({ id }: Principal, key: string): string {
  return `${id} ${key}`;
}

async function attempt(work: () => Promise<unknown>, state: { readonly broken: boolean }): Promise<Outcome> {
  try {
    const value = (await work()) ?? null;
    return { value, ...(state.broken && { broken: true }) };
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === 'internal') process.stderr.write(`mcp-python: ${(thrown as Error)?.stack ?? thrown}\n`);
    return { failure: encodeFailure(redactFailure(failure)), ...(state.broken && { broken: true }) };
  }
}

interface CallParts {
  readonly path: string;
  readonly principal: Principal;
  readonly host: Host;
  readonly task: string;
  readonly signal: AbortSignal;
  readonly frames: FrameStream;
}

/** What is recorded although it only looks: whoever does it is told what is in files. */
const RECORDED: ReadonlySet<string> = new Set(['/files/open', '/files/list', '/files/search']);

function targetOf(input: unknown): string | undefined {
  const { path, directory } = input as Record<string, unknown>;
  return [path, directory].find((each) => typeof each === 'string');
}

function callOf({ path, principal, host, task, signal, frames }: CallParts): HostCall {
  const guarded = host.machine.forCall({ principal, tool: path.slice(1), taskId: task, signal });
  return { principal, host, guarded, signal, frames };
}

/** Says that it lives, and gives up on a client that takes nothing. */
function watchReader(response: ServerResponse, frames: FrameStream, takeMs: number): NodeJS.Timeout {
  let written = -1;
  let sinceMs = performance.now();
  return setInterval(
    () => {
      const now = response.socket?.bytesWritten ?? 0;
      const waiting = response.writableLength > 0;
      if (!waiting || now !== written) sinceMs = performance.now();
      written = now;
      if (performance.now() - sinceMs >= takeMs) response.destroy();
      else if (!waiting) frames.send({ alive: true });
    },
    Math.min(ALIVE_MS, takeMs / 2),
  ).unref();
}
