/** A client of MCP 2026-07-28 that does not give up while the server comes and goes. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ToolAnswer {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: whatever the tool returns
  readonly structuredContent?: any;
}

export interface ChaosClient extends Disposable {
  /**
   * One attempt. Aborting the signal goes away without waiting, as a person does who has lost patience.
   * @throws NoAnswer where the server is away, or died meanwhile; WrongAnswer
   */
  attempt(tool: string, values: object, signal?: AbortSignal): Promise<ToolAnswer>;
  /** As many attempts as it takes to be answered with anything but that it should be tried again. @throws WrongAnswer */
  insist(tool: string, values: object, signal: AbortSignal): Promise<ToolAnswer>;
}

/** Somebody else's answer. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** It cannot be known what became of the call. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Told of every attempt and how it ended: `answered`, a failure's code, `no answer` or `left`. */
export type OnAttempt = (tool: string, end: string) => void;

const VERSION = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'chaos', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** A request of which nothing is heard for so long, milliseconds, counts as lost on the way. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;

/** @param name begins the ids of its requests, so that no two clients have the same */
export function createChaosClient(port: number, name: string, onAttempt: OnAttempt = () => {}): ChaosClient {
  const agent = new Agent({ keepAlive: true });
  let last = 0;

  async function attempt(tool: string, values: object, signal?: AbortSignal): Promise<ToolAnswer> {
    const id = `${name}-${++last}`;
    let end = 'no answer';
    try {
      const result = await exchange(id, tool, values, signal);
      end = codeOf(result) ?? 'answered';
      return result;
    } catch (thrown) {
      if (thrown instanceof WrongAnswer) end = 'wrong';
      else if (signal?.aborted) end = 'left';
      throw thrown;
    } finally {
      onAttempt(tool, end);
    }
  }

  async function exchange(id: string, tool: string, values: object, signal?: AbortSignal): Promise<ToolAnswer> {
    const params = { name: tool, arguments: values, _meta: META };
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    };
    const answer = await new Promise<string>((resolve, reject) => {
      const lost = ({ message }: Error) => reject(new NoAnswer(message));
      const asking = request(
        { host: '127.0.0.1', port, path: '/mcp', method: 'POST', agent, timeout: PATIENCE_MS, headers, ...(signal && { signal }) },
        (response) => text(response).then(resolve, lost),
      );
      asking.on('timeout', () => asking.destroy(new Error(`${tool} had no answer for ${PATIENCE_MS / 1000} s`)));
      asking.on('error', lost);
      asking.end(body);
    });
    const message = messageIn(answer);
    if (message.id !== id) throw new WrongAnswer(`Request ${id} was answered with ${message.id}.`);
    if (message.result) return message.result;
    const { code, message: told, data } = message.error ?? {};
    return { isError: true, content: [{ text: `[${data?.code ?? code}] ${told}` }] };
  }

  return {
    attempt,
    async insist(tool, values, signal) {
      for (;;) {
        signal.throwIfAborted();
        try {
          const answer = await attempt(tool, values);
          if (!['unavailable', 'agent_lost'].includes(codeOf(answer) ?? '')) return answer;
        } catch (thrown) {
          if (!(thrown instanceof NoAnswer)) throw thrown;
        }
        await sleep(PAUSE_MS);
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** The last message of a JSON answer or an event stream. @throws NoAnswer where the server died before it */
// biome-ignore lint/suspicious/noExplicitAny: whatever the server sent
function messageIn(answer: string): any {
  const json = answer.startsWith('{') ? answer : /^data: (\{.*\})$/gm[Symbol.match](answer)?.at(-1)?.slice('data: '.length);
  try {
    const message = JSON.parse(json ?? '');
    if ('id' in message) return message;
  } catch {
    // Cut off.
  }
  throw new NoAnswer('The answer ended before its message.');
}

/** Code of a failure, as its text begins with; undefined for a success. */
export function codeOf({ isError, content }: ToolAnswer): string | undefined {
  if (!isError) return undefined;
  return /^\[([^\]]+)\]/.exec(content[0]?.text ?? '')?.[1] ?? 'failed';
}
