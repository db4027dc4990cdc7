/**
 * The one way out of a sandbox: an HTTP proxy on a Unix socket that is mounted into it. It looks names up itself, so
 * what a command believes about a name does not count, and connects to what was looked at, never to a second answer.
 */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { canonicalHost, parseHosts } from './network-hosts.ts';
import { isPrivateAddress } from './private-addresses.ts';

export interface NetworkProxy extends AsyncDisposable {
  /** Absolute path of the socket; only this user gets to it. */
  readonly socketPath: string;
}

export interface Refusal {
  readonly host: string;
  readonly port: number;
  /** A sentence. */
  readonly reason: string;
}

export interface ProxyOptions {
  /** Called for each connection that is refused. */
  onRefusal?(refusal: Refusal): void;
  /** @returns addresses of a name; the system's answer unless told otherwise */
  resolve?(host: string): Promise<readonly string[]>;
}

/** How long a host may take to answer a new connection, milliseconds. */
const CONNECT_WITHIN_MS = 30_000;
/** How long a host may stay silent when its client has gone, milliseconds. */
const LINGER_MS = 30_000;
/** Headers for the next hop only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

/** A connection that is not made: the status the client gets, and why. */
class Unreachable extends Error {
  readonly status: 400 | 403 | 502;
  constructor(status: 400 | 403 | 502, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * @param hosts as in `Confinement.network`
 * @throws Failure `invalid_config` for what is no host
 */
export async function startNetworkProxy(hosts: readonly string[], options: ProxyOptions = {}): Promise<NetworkProxy> {
  const reach = createReach(hosts, options);
  const server = createServer((incoming, response) => void passOn(reach, incoming, response));
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void tunnel(reach, incoming, socket, head));
  server.on('clientError', (_, socket) => socket.destroy());
  // A command may wait for an answer as long as it likes: it has a time limit of its own.
  server.requestTimeout = 0;

  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-network-'));
  const socketPath = join(folder, 'proxy.sock');
  const open = new Set<Duplex>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  chmodSync(socketPath, 0o600);
  server.unref();
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Reach = (host: string, port: number) => Promise<Socket>;

/** @returns the call that connects to a host, if it may be reached */
function createReach(hosts: readonly string[], { onRefusal, resolve = addressesOf }: ProxyOptions): Reach {
  const list = parseHosts(hosts);
  const refuse = (host: string, port: number, reason: string) => {
    onRefusal?.({ host, port, reason });
    return new Unreachable(403, reason);
  };
  return async (given, port) => {
    const host = canonicalHost(given);
    if (host === undefined || !(port > 0 && port < 65_536)) throw new Unreachable(400, 'That is no host.');
    const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    if (!list.allows(host, port)) {
      throw refuse(host, port, `Commands may not reach ${place}: it is not listed in execution.security.network_hosts.`);
    }
    if (isIP(host)) return connected([host], port, place);
    const addresses = await resolve(host).catch(() => []);
    if (addresses.length === 0) throw new Unreachable(502, `The name ${host} was not found.`);
    const usable = addresses.filter((address) => !isPrivateAddress(address) || list.allows(address, port));
    if (usable.length > 0) return connected(usable, port, place);
    throw refuse(
      host,
      port,
      `Commands may not reach ${place}: its address ${addresses[0]} is private, and execution.security.network_hosts does not list that address.`,
    );
  };
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** The first of these addresses that answers, the families tried side by side (RFC 8305). */
function connected(addresses: readonly string[], port: number, place: string): Promise<Socket> {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: place,
      port,
      autoSelectFamily: true,
      noDelay: true,
      allowHalfOpen: true,
      lookup: (_, { all: wantsAll }, done) => {
        if (wantsAll) done(null, all);
        else done(null, all[0]?.address ?? '', all[0]?.family);
      },
    });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Unreachable(502, `${place} could not be reached: ${reason}.`));
    };
    socket.setTimeout(CONNECT_WITHIN_MS, () => fail('it does not answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout').removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** `CONNECT host:port`: for TLS, SSH, and everything else that is no plain HTTP. */
async function tunnel(reach: Reach, { url = '' }: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
  client.on('error', () => client.destroy());
  const [, host = '', port] = /^(.*):(\d+)$/.exec(url) ?? [];
  try {
    const server = await reach(host, Number(port));
    endTogether(client, server);
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) server.write(head);
    server.pipe(client);
    client.pipe(server);
  } catch (thrown) {
    const { status, message } = asUnreachable(thrown);
    const body = `${message}\n`;
    // Most clients show the first line and nothing else.
    client.end(
      `HTTP/1.1 ${status} ${message}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}

/** One that breaks off takes the other with it; one that has ended leaves it the time to pass on what it holds. */
function endTogether(client: Duplex, server: Socket): void {
  server.on('error', () => client.destroy());
  client.on('close', () => (client.readableEnded ? server.setTimeout(LINGER_MS, () => server.destroy()) : server.destroy()));
  server.on('close', () => (server.readableEnded ? client.end() : client.destroy()));
}

/** `GET http://host/path`: plain HTTP. */
async function passOn(reach: Reach, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = absolute(incoming.url);
    const socket = await reach(url.hostname, Number(url.port || 80));
    const outgoing = request({
      createConnection: () => socket,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: [...endToEnd(incoming.rawHeaders.filter((_, index, all) => !isHostHeader(index, all))), 'Host', url.host],
      setHost: false,
    });
    response.on('close', () => socket.destroy());
    incoming.on('error', () => socket.destroy());
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      answer(response, new Unreachable(502, `${url.host} broke off: ${error.code ?? error.message}.`));
    });
    outgoing.on('response', (result) => {
      response.writeHead(result.statusCode ?? 502, result.statusMessage, endToEnd(result.rawHeaders));
      result.on('error', () => response.destroy());
      result.pipe(response);
    });
    incoming.pipe(outgoing);
  } catch (thrown) {
    answer(response, asUnreachable(thrown));
  }
}

function absolute(url: string | undefined): URL {
  if (url?.startsWith('http://') && URL.canParse(url)) return new URL(url);
  throw new Unreachable(400, 'This is a proxy: it takes CONNECT, and http:// addresses.');
}

/** Host must be that of the address (RFC 9112, 3.2.2): a listed one must not lead to another behind the same address. */
function isHostHeader(index: number, headers: readonly string[]): boolean {
  return headers[index - (index % 2)]?.toLowerCase() === 'host';
}

function endToEnd(headers: readonly string[]): string[] {
  return headers.filter((_, index) => !HOP_BY_HOP.has(headers[index - (index % 2)]?.toLowerCase() ?? ''));
}

function answer(response: ServerResponse, { status, message }: Unreachable): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, message, { 'content-type': 'text/plain', connection: 'close' }).end(`${message}\n`);
}

function asUnreachable(thrown: unknown): Unreachable {
  return thrown instanceof Unreachable ? thrown : new Unreachable(502, thrown instanceof Error ? thrown.message : String(thrown));
}
