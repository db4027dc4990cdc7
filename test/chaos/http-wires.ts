/** Both eras over HTTP: a request each of 2026-07-28, and a session of 2025-11-25 that is to outlive its servers. */
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  CLIENT_INFO,
  type Message,
  NO_WORD,
  NoAnswer,
  PATIENCE_MS,
  SESSION_VERSION,
  type Wire,
  type WireOptions,
  WrongAnswer,
} from './wire.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Post = (message: object, headers: OutgoingHttpHeaders, signal?: AbortSignal) => Promise<Answer>;

/** Each request for itself. Who leaves closes the connection. */
export function statelessWire({ port, key }: WireOptions): Wire {
  const agent = new Agent({ keepAlive: true });
  const post = posting(port, key, agent);
  return {
    async exchange(id, method, params, signal) {
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof params.name === 'string' && { 'mcp-name': params.name }),
      };
      return responseTo(id, await post({ id, method, params: { ...params, _meta: META } }, headers, signal));
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/** One session for all requests, however many servers. Who leaves says so. */
export function sessionWire({ port, key, onWrong }: WireOptions): Wire {
  const agent = new Agent({ keepAlive: true });
  const post = posting(port, key, agent);
  let session: string | undefined;

  async function open(): Promise<OutgoingHttpHeaders> {
    if (session === undefined) {
      const params = { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: CLIENT_INFO };
      const answer = await post({ id: 0, method: 'initialize', params }, {});
      responseTo(0, answer);
      session = answer.headers['mcp-session-id'] as string;
      await post({ method: 'notifications/initialized' }, headersOf(session));
    }
    return headersOf(session);
  }

  return {
    async exchange(id, method, params, signal) {
      const headers = await open();
      try {
        const answer = await post({ id, method, params }, headers, signal);
        if (answer.status === 404) {
          onWrong(`The session ${session} is lost.`);
          session = undefined;
          throw new NoAnswer(answer.body);
        }
        return responseTo(id, answer);
      } catch (thrown) {
        // Whether that is heard is the server's luck; it may be dead by now.
        if (signal?.aborted) {
          await post({ method: 'notifications/cancelled', params: { requestId: id } }, headers).catch(() => {});
        }
        throw thrown;
      }
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

function headersOf(session: string): OutgoingHttpHeaders {
  return { 'mcp-session-id': session, 'mcp-protocol-version': SESSION_VERSION };
}

function posting(port: number, key: string, agent: Agent): Post {
  return (message, headers, signal) =>
    new Promise((resolve, reject) => {
      const lost = ({ message }: Error) => reject(new NoAnswer(message));
      const all = {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${key}`,
        ...headers,
      };
      const asking = request(
        { host: '127.0.0.1', port, path: '/mcp', method: 'POST', agent, headers: all, ...(signal && { signal }) },
        (response) => {
          const { statusCode: status = 0, headers } = response;
          text(response).then((body) => resolve({ status, headers, body }), lost);
        },
      );
      // Comments that keep a stream open are no word.
      const late = setTimeout(() => asking.destroy(new Error(NO_WORD)), PATIENCE_MS);
      asking.on('close', () => clearTimeout(late)).on('error', lost);
      asking.end(JSON.stringify({ jsonrpc: '2.0', ...message }));
    });
}

/** The last message of a JSON answer or an event stream. @throws NoAnswer where the server died before it */
function responseTo(id: number, { body }: Answer): Message {
  const json = body.startsWith('{')
    ? body
    : body
        .match(/^data: \{.*\}$/gm)
        ?.at(-1)
        ?.slice('data: '.length);
  let message: Message;
  try {
    message = JSON.parse(json ?? '');
  } catch {
    throw new NoAnswer('The answer ended before its message.');
  }
  if (!('result' in message || 'error' in message)) throw new NoAnswer('The answer ended before its message.');
  if (message.id !== id) throw new WrongAnswer(`Request ${id} was answered with ${JSON.stringify(message).slice(0, 300)}.`);
  return message;
}
