/** One HTTP request to a host agent: over its socket or TLS, on connections that are kept, and whether it was sent at all. */
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import type { Socket } from 'node:net';
import { ALIVE_MS, HEADERS, PROTOCOL } from './wire.ts';

/** Where an agent is, and as whom we come. */
export interface HostAgentTarget {
  /** For messages: `host_agent:web1`. */
  readonly name: string;
  readonly socketPath?: string;
  readonly tls?: TlsTarget;
  /** Whom commands run as; absent: whom the agent chooses. */
  readonly user?: string;
}

/** An agent on the network. */
export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  readonly serverName?: string;
  /** Like the certificates read with the first request, and again after one was refused: they may be renewed. */
  readonly token?: () => Promise<string>;
  readonly certificates: () => Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }>;
}

/** How long a connection may take to come about, milliseconds. */
const CONNECT_MS = 5000;
/** The request never reached the agent: sending it again is the first time. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** One try at a request. */
export interface Attempt {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Destroys the connection. */
  readonly signal?: AbortSignal | undefined;
  /** How long the agent may be silent; it tells that it lives where a stream takes long. */
  readonly silenceMs: number;
  /** It may take as long as a command does. */
  readonly long?: boolean;
}

/** Connections for what is short: it must not wait for what is long. */
interface Pools {
  readonly short: Agent;
  readonly long: Agent;
}

interface Channel {
  readonly start: typeof requestHttp;
  readonly pools: Pools;
  readonly token: string | undefined;
}

/** Connections at once for what is short, and for what may take long; more wait. */
const MAX_SHORT = 32;
const MAX_LONG = 256;

function poolsOf(make: (maxSockets: number) => Agent): Pools {
  return { short: make(MAX_SHORT), long: make(MAX_LONG) };
}

function closePools({ pools: { short, long } }: Channel): void {
  short.destroy();
  long.destroy();
}

/** The way to one agent. */
export interface HttpChannel {
  /** Resolves with the head of the answer. @throws NotSent, or whatever broke the connection after that */
  send(attempt: Attempt): Promise<IncomingMessage>;
  close(): void;
}

/** Connects with the first request. */
export function openHttpChannel(target: HostAgentTarget): HttpChannel {
  const { socketPath, tls, user } = target;
  const options = { keepAlive: true, keepAliveMsecs: ALIVE_MS, maxFreeSockets: 32, scheduling: 'lifo' as const };
  let secure: Promise<Channel> | undefined;
  const plain: Channel | undefined = tls
    ? undefined
    : { start: requestHttp, pools: poolsOf((maxSockets) => new Agent({ ...options, maxSockets })), token: undefined };

  async function openSecure({ certificates, token, serverName }: TlsTarget): Promise<Channel> {
    const [https, files, credential] = await Promise.all([import('node:https'), certificates(), token?.()]);
    const shared = { ...options, ...files, minVersion: 'TLSv1.2' as const, ...(serverName && { servername: serverName }) };
    const pools = poolsOf((maxSockets) => new https.Agent({ ...shared, maxSockets }));
    return { start: https.request as typeof requestHttp, pools, token: credential };
  }

  function channel() {
    if (!tls) return plain as NonNullable<typeof plain>;
    secure ??= openSecure(tls);
    secure.catch(() => {
      secure = undefined;
    });
    return secure;
  }

  async function send({ method, path, body, headers, signal, silenceMs, long }: Attempt): Promise<IncomingMessage> {
    const { start, pools, token } = await channel();
    return new Promise((resolve, reject) => {
      let connected = false;
      const sending = start({
        ...(tls ? { host: tls.host, port: tls.port } : { socketPath }),
        ...{ agent: long ? pools.long : pools.short, method, path },
        headers: {
          host: tls ? `${tls.host}:${tls.port}` : 'host-agent',
          [HEADERS.protocol]: String(PROTOCOL),
          ...(user !== undefined && { [HEADERS.user]: user }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
        ...(signal && { signal }),
      });
      const tooSlow = setTimeout(() => sending.destroy(new Error('it took too long to connect')), CONNECT_MS);
      const onConnected = () => {
        connected = true;
        clearTimeout(tooSlow);
      };
      sending.on('socket', (socket: Socket) => {
        if (socket.connecting) socket.once(tls ? 'secureConnect' : 'connect', onConnected);
        else onConnected();
      });
      sending.setTimeout(silenceMs, () => sending.destroy(new Error('it does not answer')));
      sending.on('response', (response) => {
        response.on('error', () => {});
        if (response.statusCode === 401) secure = undefined;
        resolve(response);
      });
      sending.on('error', (cause) => {
        clearTimeout(tooSlow);
        reject(connected ? cause : new NotSent(cause.message, { cause }));
      });
      sending.end(body);
    });
  }

  return {
    send,
    close() {
      if (plain) closePools(plain);
      void secure?.then(closePools).catch(() => {});
    },
  };
}
