/** Which requests the bridge may send once more although the first may have been carried out. */
import { isObject, type JsonRpcRequest, type JsonRpcResponse } from '../protocol/jsonrpc.ts';
import type { JsonObject } from '../tools/tool.ts';

/** Methods that only read, or where twice is like once. */
const REPEATABLE = new Set([
  'initialize',
  'ping',
  'server/discover',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/get',
  'tasks/result',
]);

/** More pages than any catalogue has. */
const MAX_PAGES = 100;

/** The server's tools as it told them, asked for when they are first needed. */
export interface ToolKnowledge {
  /** Whether sending the request twice is like sending it once. Tools say so by their annotations. */
  isRepeatable(message: JsonRpcRequest): Promise<boolean>;
  /** The input schema of the tool that is called; undefined when it is unknown. */
  inputSchema(message: JsonRpcRequest): Promise<JsonObject | undefined>;
  /** The list has changed. */
  forget(): void;
}

/** @param ask sends a request of our own, in the era of the message that it is about; undefined when it got no answer */
export function createToolKnowledge(
  ask: (about: JsonRpcRequest, method: string, params: JsonObject) => Promise<JsonRpcResponse | undefined>,
): ToolKnowledge {
  let known: Promise<ReadonlyMap<unknown, JsonObject>> | undefined;

  async function list(about: JsonRpcRequest): Promise<ReadonlyMap<unknown, JsonObject>> {
    const tools = new Map<unknown, JsonObject>();
    let cursor: unknown;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await ask(about, 'tools/list', cursor === undefined ? {} : { cursor });
      if (!answer || 'error' in answer || !isObject(answer.result)) throw new Error('The tools could not be listed.');
      const { tools: more, nextCursor } = answer.result as JsonObject;
      for (const tool of Array.isArray(more) ? more.filter(isObject) : []) tools.set(tool.name, tool);
      if (nextCursor === undefined) break;
      cursor = nextCursor;
    }
    return tools;
  }

  async function toolOf(message: JsonRpcRequest): Promise<JsonObject | undefined> {
    known ??= list(message);
    try {
      return (await known).get(message.params?.name);
    } catch {
      known = undefined;
      return undefined;
    }
  }

  return {
    async isRepeatable(message) {
      if (message.method !== 'tools/call') return REPEATABLE.has(message.method) || message.method.endsWith('/list');
      const annotations = (await toolOf(message))?.annotations;
      return isObject(annotations) && (annotations.readOnlyHint === true || annotations.idempotentHint === true);
    },
    async inputSchema(message) {
      const schema = (await toolOf(message))?.inputSchema;
      return isObject(schema) ? schema : undefined;
    },
    forget() {
      known = undefined;
    },
  };
}
