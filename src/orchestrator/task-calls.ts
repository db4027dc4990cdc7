/**
 * The calls of durable tasks. A task has time: a command that goes on as a job is followed to its end, by the next process
 * where this one goes away, and ends with the task when that is cancelled.
 */
import { Failure } from '../errors.ts';
import type { AskPort, JsonObject } from '../tools/tool.ts';
import { shortNote } from './durable-results.ts';
import type { TaskRun } from './durable-tasks.ts';
import type { Orchestrator } from './orchestrator.ts';
import { toolResult } from './received-outcome.ts';
import type { RunnerPort, RunningTask } from './task-runner.ts';

/** How long a cancelled command may take to clean up, milliseconds. */
const CLEAN_UP_MS = 3000;
/** Longest wait asked for at once; the tool waits no longer than its own limit, seconds. */
const WAIT_SECONDS = 3600;
/** Lines and bytes of its output that the result tells. */
const TOLD_LINES = 2000;
const TOLD_BYTES = 64 * 1024;

type Call = (tool: string, values: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

/** What is read of the answers of `execute_command` and `manage_job`. */
interface Job {
  readonly job_id: string;
  readonly state: string;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason?: string;
  readonly duration_ms: number;
  readonly working_directory: string;
  readonly stdout_bytes: number;
  readonly stderr_bytes: number;
}

interface JobAnswer {
  readonly job: Job;
  readonly stdout?: string;
  readonly stderr?: string;
}

export function createTaskCalls(orchestrator: Pick<Orchestrator, 'call'>): RunnerPort['runCall'] {
  return async (run, task, signal, ask) => {
    const call = callOf(orchestrator, task, ask);
    if (task.job !== undefined) return follow(task.job, run, task, signal, call);
    const result = await call(run.tool, run.arguments, signal);
    const told = result.structuredContent as { readonly outcome?: unknown; readonly job_id?: unknown } | undefined;
    const goesOn = run.tool === 'execute_command' && told?.outcome === 'running' && typeof told.job_id === 'string';
    // Who asked for a job by name wants its id.
    if (!goesOn || (run.arguments.background === true && !task.strict)) return result;
    task.followJob(told.job_id as string);
    return follow(told.job_id as string, run, task, signal, call);
  };
}

function callOf(orchestrator: Pick<Orchestrator, 'call'>, task: RunningTask, ask: AskPort): Call {
  const { owner: principal, session, priority } = task;
  return async (tool, values, signal) => {
    const caller = {
      ...{ principal, session, signal, ask },
      progress({ progress, total, message }: { progress: number; total?: number; message?: string }) {
        task.report(message ?? (total === undefined ? `${progress}` : `${progress} of ${total}`));
      },
    };
    return toolResult(await orchestrator.call({ tool, arguments: values, priority }, caller));
  };
}

async function follow(job_id: string, run: TaskRun, task: RunningTask, signal: AbortSignal, call: Call): Promise<JsonObject> {
  const { backend } = run.arguments;
  const manage = (operation: string, more: JsonObject, limit: AbortSignal) =>
    call('manage_job', { operation, job_id, ...(backend !== undefined && { backend }), ...more }, limit);
  const told = { tail: TOLD_LINES, limit: TOLD_BYTES };
  for (;;) {
    const result = await manage('wait', { ...told, seconds: WAIT_SECONDS }, signal);
    if (signal.aborted) {
      await endUnlessStopping(signal, manage);
      return result;
    }
    if (result.isError === true) return result;
    const { job, stdout = '', stderr = '' } = result.structuredContent as unknown as JobAnswer;
    if (job.state !== 'running') return resultOf(job, stdout, stderr);
    const last = (stdout || stderr).trimEnd().split('\n').at(-1);
    task.report(shortNote(`It runs as job ${job_id}${last ? `, and said last: ${last}` : ''}`));
  }
}

/** A cancelled command is ended; one of a process that stops goes on for the next process to follow. */
async function endUnlessStopping(
  { reason }: AbortSignal,
  manage: (operation: string, more: JsonObject, limit: AbortSignal) => Promise<JsonObject>,
): Promise<void> {
  if (!(reason instanceof Failure) || reason.code !== 'cancelled') return;
  const limit = AbortSignal.timeout(CLEAN_UP_MS * 3);
  await manage('signal', { signal: 'TERM' }, limit);
  const { structuredContent } = await manage('wait', { seconds: CLEAN_UP_MS / 1000 }, limit);
  if ((structuredContent as JobAnswer | undefined)?.job.state === 'running') await manage('signal', { signal: 'KILL' }, limit);
}

/** As `execute_command` would have told it. */
function resultOf(job: Job, stdout: string, stderr: string): JsonObject {
  const { state, exit_code, signal, duration_ms, working_directory, job_id, reason } = job;
  if (state !== 'exited') {
    const message = `The command ${state === 'timeout' ? 'took longer than it may and was ended' : `was ${state}`}${reason ? `: ${reason}` : '.'}`;
    const code = state === 'failed' ? 'unavailable' : state;
    return {
      content: [{ type: 'text', text: [`[${code}] ${message}`, stdout, stderr].filter((part) => part !== '').join('\n') }],
      isError: true,
      _meta: { 'mcp-python/failure': { code, message } },
    };
  }
  const omitted = (bytes: number, text: string) => Math.max(0, bytes - Buffer.byteLength(text));
  const parts = [stdout.trimEnd(), ...(stderr.trim() === '' ? [] : [`[stderr]\n${stderr.trimEnd()}`])];
  if (signal !== null) parts.push(`[ended by ${signal}]`);
  else if (exit_code !== 0) parts.push(`[exit code ${exit_code}]`);
  return {
    content: [{ type: 'text', text: parts.filter((part) => part !== '').join('\n') || '[no output]' }],
    structuredContent: {
      ...{ outcome: 'exited', job_id, exit_code, signal, duration_ms, working_directory, stdout, stderr },
      stdout_omitted_bytes: omitted(job.stdout_bytes, stdout),
      stderr_omitted_bytes: omitted(job.stderr_bytes, stderr),
    },
  };
}
