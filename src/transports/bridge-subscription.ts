/** One `subscriptions/listen` of MCP 2026-07-28 over several lives of the server: the client sees a single one. */
import { isObject, type JsonRpcMessage, type RequestId } from '../protocol/jsonrpc.ts';
import type { JsonObject } from '../tools/tool.ts';

export interface ListenFilter {
  /** Whether a message of the stream goes on to the client: that the subscription holds is told once. */
  passes(message: unknown): boolean;
  /** The stream broke, or the server ended it: what was missed is told with the next acknowledgement. */
  interrupted(): void;
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const LISTS: Readonly<Record<string, string>> = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
};

/** @param id of the client's request, which marks its notifications */
export function createListenFilter(id: RequestId, toClient: (message: JsonRpcMessage) => Promise<void>): ListenFilter {
  const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
  let acknowledged = false;
  let missed = false;

  function tellMissed(filter: JsonObject): void {
    for (const [key, method] of Object.entries(LISTS)) {
      if (filter[key] === true) void toClient({ jsonrpc: '2.0', method, params: { _meta } });
    }
    const uris = Array.isArray(filter.resourceSubscriptions) ? filter.resourceSubscriptions : [];
    for (const uri of uris) {
      void toClient({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri, _meta } });
    }
  }

  return {
    passes(message) {
      if (!isObject(message) || message.method !== ACKNOWLEDGED) return true;
      if (missed && isObject(message.params) && isObject(message.params.notifications)) tellMissed(message.params.notifications);
      missed = false;
      const first = !acknowledged;
      acknowledged = true;
      return first;
    },
    interrupted() {
      missed = acknowledged;
    },
  };
}
