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

/** `failed` is for errors of the protocol: a tool that failed has completed with a result that says so (SEP-2663). */
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

/** The error behind one that has no result. */
export function errorOf({ state, note, code }: DurableTask): {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
} {
  const message = note ?? (state === 'cancelled' ? 'The task was cancelled.' : 'The task failed.');
  return { code: ERROR_CODES.internal, message, ...(code !== undefined && { data: { code } }) };
}

const time = (milliseconds: number) => new Date(milliseconds).toISOString();

/** What both revisions tell of a task under the same names. */
function seed(task: DurableTask, status: WireStatus): JsonObject {
  return {
    taskId: task.id,
    status,
    ...(task.note !== undefined && { statusMessage: task.note }),
    createdAt: time(task.createdMs),
    lastUpdatedAt: time(task.updatedMs),
  };
}

/** `Task` of the extension. @param keptMs how long a task is kept that says nothing else, milliseconds */
function extensionTask(task: DurableTask, keptMs: number): JsonObject {
  return { ...seed(task, statusOf(task)), ttlMs: task.ttlMs ?? keptMs, pollIntervalMs: POLL_MS };
}

/** `CreateTaskResult` of the extension. */
export function createdTask(task: DurableTask, keptMs: number): JsonObject {
  return { resultType: 'task', ...extensionTask(task, keptMs) };
}

/** `DetailedTask` of the extension: with the result, the error or the questions that its status has. */
export function detailedTask(task: DurableTask, keptMs: number): JsonObject {
  const status = statusOf(task);
  return {
    ...extensionTask(task, keptMs),
    ...(status === 'completed' && { result: resultOf(task) }),
    ...(status === 'failed' && { error: errorOf(task) }),
    ...(status === 'input_required' && { inputRequests: task.questions ?? {} }),
  };
}

/** `Task` of MCP 2025-11-25, where a tool that says that it failed has failed. */
export function coreTask(task: DurableTask, keptMs: number): JsonObject {
  const status = task.state === 'failed' ? 'failed' : statusOf(task);
  return { ...seed(task, status), ttl: task.ttlMs ?? keptMs, pollInterval: POLL_MS };
}
