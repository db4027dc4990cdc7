import type { TaskPriority } from '../orchestrator/durable-tasks.ts';
import type { ToolCall } from '../orchestrator/orchestrator.ts';
import type { JsonObject } from '../tools/tool.ts';
import { invalidParams, isObject } from './jsonrpc.ts';

/** Keys of `_meta` in `tools/call` that are ours (MCP, `_meta` key names). */
const PRIORITY_KEY = 'mcp-python/priority';
const IDEMPOTENCY_KEY = 'mcp-python/idempotency-key';

const PRIORITIES: readonly string[] = ['critical', 'high', 'medium', 'low'] satisfies TaskPriority[];
const MAX_KEY = 256;

/** How a call wants to be run, from its `_meta`. @throws ProtocolError -32602 */
export function callWishes({ _meta: meta }: JsonObject): Pick<ToolCall, 'priority' | 'idempotencyKey'> {
  if (!isObject(meta)) return {};
  const { [PRIORITY_KEY]: priority, [IDEMPOTENCY_KEY]: key } = meta;
  if (priority === undefined && key === undefined) return {};
  if (priority !== undefined && !PRIORITIES.includes(priority as string)) {
    throw invalidParams(`"${PRIORITY_KEY}" must be one of ${PRIORITIES.join(', ')}.`);
  }
  if (key !== undefined && !(typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY)) {
    throw invalidParams(`"${IDEMPOTENCY_KEY}" must be a text of 1 to ${MAX_KEY} characters.`);
  }
  return {
    ...(priority !== undefined && { priority: priority as TaskPriority }),
    ...(key !== undefined && { idempotencyKey: key as string }),
  };
}
