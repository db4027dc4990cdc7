/** The bridge's end of HTTP: requests to one endpoint, and whether one that failed can have been seen by the server. */
import { Agent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import type { Socket } from 'node:net';

/** Where the server is. */
export interface BridgeTarget {
  /** The MCP endpoint; for a local socket only its path counts. */
  readonly url: URL;
  readonly socketPath?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly credential?: string;
}

/** The request never reached the server: sending it again is the first time. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

export interface Wire {
  /**
   * Resolves with the head of the answer, whatever its status.
   * @throws NotSent when no connection came about; anything else when it broke and the server may have seen the request
   */
  request(
    method: 'POST' | 'GET' | 'DELETE',
    headers: Readonly<Record<string, string>>,
    body?: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage>;
  close(): void;
}

/** How long a connection may take to come about, milliseconds. */
const CONNECT_MS = 10_000;
/** How often the system asks whether the other end of a silent connection is there, milliseconds. */
const PROBE_MS = 15_000;

export async function createWire({ url, socketPath, credential }: BridgeTarget): Promise<Wire> {
  const secure = url.protocol === 'https:' && socketPath === undefined;
  // TLS takes some time to load.
  const https = secure ? await import('node:https') : undefined;
  const options = { keepAlive: true, keepAliveMsecs: PROBE_MS };
  const agent = https ? new https.Agent(options) : new Agent(options);
  const start = https ? https.request : requestHttp;
  const fixed: RequestOptions =
    socketPath === undefined
      ? {
          protocol: url.protocol,
          hostname: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port,
          path: `${url.pathname}${url.search}`,
        }
      : { socketPath, path: url.pathname };
  const authorization = credential === undefined ? undefined : { authorization: `Bearer ${credential}` };

  return {
    request: (method, headers, body, signal) =>
      new Promise((resolve, reject) => {
        let connected = false;
        const length = body === undefined ? undefined : { 'content-length': Buffer.byteLength(body) };
        const sending = start({ ...fixed, agent, method, headers: { ...headers, ...authorization, ...length }, signal });
        const tooSlow = setTimeout(() => sending.destroy(new Error('It took too long to connect.')), CONNECT_MS);
        const onConnected = () => {
          connected = true;
          clearTimeout(tooSlow);
        };
        sending.on('socket', (socket: Socket) => {
          if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', onConnected);
          else onConnected();
        });
        sending.on('response', (response) => {
          // Told again to whoever reads; unread it must not end the process.
          response.on('error', () => {});
          resolve(response);
        });
        sending.on('error', (cause) => {
          clearTimeout(tooSlow);
          reject(connected ? cause : new NotSent(cause.message, { cause }));
        });
        sending.end(body);
      }),
    close: () => agent.destroy(),
  };
}
