/**
 * Durable tasks in the words of the wire: the Tasks extension of MCP 2026-07-28 (SEP-2663), and the tasks of MCP
 * 2025-11-25 (basic/utilities/tasks). Both know fewer states than we do.
 */
import type { DurableTask } from '../orchestrator/durable-tasks.ts';
import type { JsonObject } from '../tools/tool.ts';
import { ERROR_CODES } from './jsonrpc.ts';

export type WireStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** How often a client should look, milliseconds. */
const POLL_MS = 1000;

/** A tool that says that it failed has done its work; these are failures of ours, as errors of the protocol are. */
const OUR_FAILURES: ReadonlySet<string> = new Set(['internal', 'agent_lost']);

export function statusOf({ state, code, result }: DurableTask): WireStatus {
  switch (state) {
    case 'completed':
    case 'cancelled':
    case 'input_required':
      return state;
    case 'failed':
      return result && !OUR_FAILURES.has(code ?? '') ? 'completed' : 'failed';
    case 'interrupted':
      return 'failed';
    default:
      return 'working';
  }
}

export function isEnded(task: DurableTask): boolean {
  const status = statusOf(task);
  return status !== 'working' && status !== 'input_required';
}

/** The result of the call behind a completed task (`CallToolResult`). */
export function resultOf({ result, note }: DurableTask): JsonObject {
  return result ?? { content: [{ type: 'text', text: note ?? 'Done.' }] };
}

/** The error behind a failed one. */
export function errorOf({ note, code }: DurableTask): {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
} {
  return { code: ERROR_CODES.internal, message: note ?? 'The task failed.', ...(code !== undefined && { data: { code } }) };
}

const time = (milliseconds: number) => new Date(milliseconds).toISOString();

/** @param keptMs how long a task is kept that says nothing else, milliseconds */
function seed(task: DurableTask, keptMs: number): JsonObject {
  return {
    taskId: task.id,
    status: statusOf(task),
    ...(task.note !== undefined && { statusMessage: task.note }),
    createdAt: time(task.createdMs),
    lastUpdatedAt: time(task.updatedMs),
    ttlMs: task.ttlMs ?? keptMs,
    pollIntervalMs: POLL_MS,
  };
}

/** `CreateTaskResult` of the extension. */
export function createdTask(task: DurableTask, keptMs: number): JsonObject {
  return { resultType: 'task', ...seed(task, keptMs) };
}

/** `DetailedTask` of the extension: with the result, the error or the questions that its status has. */
export function detailedTask(task: DurableTask, keptMs: number): JsonObject {
  const status = statusOf(task);
  return {
    ...seed(task, keptMs),
    ...(status === 'completed' && { result: resultOf(task) }),
    ...(status === 'failed' && { error: errorOf(task) }),
    ...(status === 'input_required' && { inputRequests: task.questions ?? {} }),
  };
}

/** `Task` of MCP 2025-11-25. */
export function coreTask(task: DurableTask, keptMs: number): JsonObject {
  const { ttlMs, pollIntervalMs, ...rest } = seed(task, keptMs);
  return { ...rest, ttl: ttlMs, pollInterval: pollIntervalMs };
}
