/** `subscriptions/listen` (MCP 2026-07-28): one request that stays open, and tells what changes. */
import type { DurableTask } from '../orchestrator/durable-tasks.ts';
import type { CatalogueChange } from '../tools/catalogue.ts';
import type { JsonObject } from '../tools/tool.ts';
import { invalidParams, isObject, type RequestId } from './jsonrpc.ts';
import type { McpService } from './service.ts';
import type { Exchange } from './stateless-era.ts';
import { detailedTask } from './task-shapes.ts';
import { requireTasks } from './tasks-extension.ts';

const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';
/** Tasks that one subscription can be about. */
const MAX_TASKS = 1000;

export interface Subscriptions {
  /**
   * Stays open until the client goes away (no response) or the server ends it (an empty one).
   * @throws ProtocolError -32602 for a filter that is none, -32021 for tasks without the extension
   */
  listen(id: RequestId, params: JsonObject, exchange: Exchange, clientCapabilities: JsonObject): Promise<JsonObject | undefined>;
  /** Ends all of them with their final response. */
  close(): void;
}

/** @param serverInfo `_meta` of every result */
export function createSubscriptions(service: McpService, serverInfo: JsonObject): Subscriptions {
  const listening = new Set<() => void>();

  /** Those of the tasks that are the client's own; it is told of no others. */
  async function ownTasks(ids: readonly string[], { principal }: Exchange): Promise<DurableTask[]> {
    const tasks = await service.tasks();
    const found = await Promise.all(ids.slice(0, MAX_TASKS).map((id) => tasks.find(id, principal).catch(() => undefined)));
    return found.filter((task) => task !== undefined);
  }

  async function listenToTasks(own: readonly DurableTask[], exchange: Exchange, tell: (task: JsonObject) => void) {
    const { durable, keptMs, find } = await service.tasks();
    const ids = new Set(own.map(({ id }) => id));
    const stop = durable.onChange((task) => {
      if (ids.has(task.id) && task.principal === exchange.principal.id) tell(detailedTask(task, keptMs));
    });
    // What happened since the client looked last is not lost.
    for (const id of ids) {
      const task = await find(id, exchange.principal).catch(() => undefined);
      if (task && !exchange.signal.aborted) tell(detailedTask(task, keptMs));
    }
    return stop;
  }

  return {
    async listen(id, params, exchange, clientCapabilities) {
      const wanted = readFilter(params);
      if (wanted.taskIds) {
        requireTasks('"params.notifications.taskIds"', clientCapabilities);
        if (!service.offersTasks) delete wanted.taskIds;
      }
      const tasks = wanted.taskIds ? await ownTasks(wanted.taskIds, exchange) : [];
      if (wanted.taskIds) wanted.taskIds = tasks.map((task) => task.id);
      const tagged = (method: string, rest: JsonObject = {}) =>
        exchange.notify({ jsonrpc: '2.0', method, params: { ...rest, _meta: { [SUBSCRIPTION_KEY]: id } } });
      tagged('notifications/subscriptions/acknowledged', { notifications: wanted });
      const stops = [
        service.onChange((change) => {
          const notification = filtered(change, wanted);
          if (notification) tagged(notification.method, notification.params);
        }),
      ];
      if (tasks.length > 0) {
        stops.push(await listenToTasks(tasks, exchange, (task) => tagged('notifications/tasks', task)));
      }
      return new Promise((resolve) => {
        const end = (result: JsonObject | undefined) => {
          for (const stop of stops) stop();
          listening.delete(finish);
          exchange.signal.removeEventListener('abort', leave);
          resolve(result);
        };
        const finish = () => end({ resultType: 'complete', _meta: { ...serverInfo, [SUBSCRIPTION_KEY]: id } });
        const leave = () => end(undefined);
        listening.add(finish);
        exchange.signal.addEventListener('abort', leave, { once: true });
        if (exchange.signal.aborted) leave();
      });
    },
    close() {
      for (const finish of [...listening]) finish();
    },
  };
}

interface ListenFilter extends JsonObject {
  toolsListChanged?: true;
  promptsListChanged?: true;
  resourcesListChanged?: true;
  resourceSubscriptions?: string[];
  taskIds?: string[];
}

/** What the client wants to hear, and we can tell (MCP subscriptions, notification filter). */
function readFilter(params: JsonObject): ListenFilter {
  const asked = params.notifications;
  if (!isObject(asked)) throw invalidParams('"params.notifications" must be an object.');
  const filter: ListenFilter = {};
  for (const key of ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const) {
    if (asked[key] === true) filter[key] = true;
  }
  for (const key of ['resourceSubscriptions', 'taskIds'] as const) {
    const names = asked[key];
    if (Array.isArray(names)) filter[key] = names.filter((name): name is string => typeof name === 'string');
  }
  return filter;
}

function filtered(change: CatalogueChange, wanted: ListenFilter): { method: string; params?: JsonObject } | undefined {
  if (change.kind === 'resource') {
    if (!wanted.resourceSubscriptions?.includes(change.uri)) return undefined;
    return { method: 'notifications/resources/updated', params: { uri: change.uri } };
  }
  return wanted[`${change.kind}ListChanged`] ? { method: `notifications/${change.kind}/list_changed` } : undefined;
}
