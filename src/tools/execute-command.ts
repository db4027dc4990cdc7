import { z } from 'zod';
import type { Command, ExecRequest } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { GuardedExecResult } from '../guard/guarded-exec.ts';
import type { FinishedRun, StartedJob, StillRunning } from '../guard/guarded-jobs.ts';
import { showOutput } from '../guard/text.ts';
import { backendArgument } from './backend-argument.ts';
import { defineTool } from './tool.ts';

const DEFAULT_TIMEOUT_SECONDS = 30;

const input = z.strictObject({
  command: z
    .string()
    .min(1)
    .describe('Script for /bin/sh, "npm test 2>&1 | tail -20"; with `args` the program to run without a shell.'),
  args: z.array(z.string()).optional().describe('Arguments handed to the program as they are, ["log", "-1"].'),
  working_directory: z.string().optional().describe('Absent: the workspace.'),
  timeout: z
    .number()
    .positive()
    .optional()
    .describe(
      `Seconds after which everything it started is ended; ${DEFAULT_TIMEOUT_SECONDS}, with background as long as may be.`,
    ),
  env_vars: z.record(z.string(), z.string()).optional().describe('Variables added to a minimal environment.'),
  stdin: z.string().optional().describe('Text on its standard input.'),
  background: z.boolean().default(false).describe('Return at once with a job_id for manage_job; it goes on by itself.'),
  pty: z.boolean().default(false).describe('Run it in a terminal of 80 by 24, for interactive programs.'),
  backend: backendArgument,
});
type Input = z.infer<typeof input>;

const output = z.strictObject({
  outcome: z.enum(['exited', 'timeout', 'cancelled', 'running']),
  job_id: z.string().optional().describe('It goes on, or has more output: see manage_job.'),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  duration_ms: z.number(),
  working_directory: z.string(),
  stdout: z.string(),
  stderr: z.string(),
  stdout_omitted_bytes: z.int(),
  stderr_omitted_bytes: z.int(),
  stdout_flaw: z.enum(['invalid_utf8', 'binary']).optional().describe('Absent for clean text.'),
  stderr_flaw: z.enum(['invalid_utf8', 'binary']).optional(),
  cpu_ms: z.number().optional(),
  max_rss_bytes: z.int().optional(),
  limit_hit: z.enum(['memory', 'processes']).optional().describe('The limit it ran into.'),
  not_enforced: z.array(z.string()).optional().describe('Told once: what does not hold on this machine.'),
});
type Output = z.infer<typeof output>;

export const executeCommand = defineTool<Input, Output>({
  name: 'execute_command',
  title: 'Execute command',
  description:
    'Run a command and return its output, exit code and duration. All it started ends with it, also at the timeout. ' +
    'A non-zero exit code is a result, not an error. Long output keeps its head and tail. For files prefer read_file, ' +
    'edit_file, list_directory and search_files. Keep files in the workspace: /tmp may be private to each command. ' +
    'A command that takes long goes on as a job (outcome=running): use manage_job.',
  toolset: 'system',
  taskSupport: 'optional',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input,
  output,
  async execute(given, context) {
    const backend = await context.backend(given.backend);
    const { background, pty, stdin } = given;
    const jobs = backend.limits.jobs;
    const longest = background && jobs ? jobs.maxSeconds : backend.limits.maxExecutionSeconds;
    const seconds = Math.min(given.timeout ?? (background ? longest : DEFAULT_TIMEOUT_SECONDS), longest);
    const cwd = backend.absolute(given.working_directory ?? '.');
    const request: ExecRequest = {
      command: toCommand(given.command, given.args),
      cwd,
      env: backend.environment(given.env_vars),
      ...(stdin !== undefined && { stdin: new TextEncoder().encode(stdin) }),
      timeoutMs: seconds * 1000,
      maxOutputBytes: backend.limits.maxOutputBytes,
    };
    const io = { signal: context.signal, onOutput: context.output };
    if (background) return begun(await start(backend, request, pty), cwd);
    const asJob = pty || (jobs !== undefined && seconds > jobs.softLimitSeconds);
    const result = asJob
      ? await (await backend.jobs()).run({ ...request, terminal: pty, openInput: pty && stdin === undefined }, io)
      : await backend.exec(request, io);
    if (result.outcome === 'running') return stillRunning(result, cwd);
    const told = tell(result, cwd);
    if (result.outcome === 'timeout') throw overtime(told, seconds, backend.limits.maxExecutionSeconds);
    if (result.outcome === 'cancelled') throw cancelled(told);
    return told;
  },
  present({ outcome, job_id, exit_code, signal, stdout, stderr, stdout_flaw, stderr_flaw, limit_hit, not_enforced }) {
    const parts = [stdout.trimEnd()];
    if (stderr.trim() !== '') parts.push(`[stderr]\n${stderr.trimEnd()}`);
    if (stdout_flaw === 'invalid_utf8' || stderr_flaw === 'invalid_utf8') parts.push('[bytes that are not UTF-8 are shown as �]');
    if (outcome === 'running') parts.push(`[still running as job ${job_id}: go on with manage_job]`);
    else if (signal !== null) parts.push(`[ended by ${signal}]`);
    else if (exit_code !== 0) parts.push(`[exit code ${exit_code}]`);
    if (outcome !== 'running' && job_id) parts.push(`[manage_job operation=read job_id=${job_id} has all of the output]`);
    if (limit_hit) parts.push(`[it ran into its limit of ${limit_hit}]`);
    if (not_enforced) parts.push(`[not enforced on this machine: ${not_enforced.join('; ')}]`);
    return parts.filter((part) => part !== '').join('\n') || '[no output]';
  },
});

function toCommand(command: string, args: readonly string[] | undefined): Command {
  if ([command, ...(args ?? [])].some((word) => word.includes('\0'))) {
    throw new Failure('invalid_input', 'A command must not hold NUL characters.');
  }
  return args ? { kind: 'argv', argv: [command, ...args] } : { kind: 'script', script: command };
}

async function start(backend: GuardedBackend, { stdin, ...request }: ExecRequest, pty: boolean): Promise<StartedJob> {
  const jobs = await backend.jobs();
  return jobs.start({ ...request, ...(stdin && { stdin }), terminal: pty, openInput: stdin === undefined });
}

const NOTHING = { head: new Uint8Array(), tail: new Uint8Array(), totalBytes: 0, omittedBytes: 0 };

function begun(started: StartedJob, cwd: string): Output {
  return stillRunning({ ...started, outcome: 'running', durationMs: 0, stdout: NOTHING, stderr: NOTHING }, cwd);
}

function stillRunning({ job, ...so }: StillRunning, cwd: string): Output {
  return {
    ...tell({ ...so, outcome: 'exited', exitCode: null, signal: null, resources: {} }, cwd),
    outcome: 'running',
    job_id: job.id,
  };
}

function tell(result: FinishedRun | GuardedExecResult, cwd: string): Output {
  const { outcome, exitCode, signal, durationMs, stdout, stderr, resources, limitHit, notEnforced } = result;
  const [shownOut, shownErr] = [showOutput(stdout), showOutput(stderr)];
  return {
    outcome,
    ...('job' in result && result.job && { job_id: result.job.id }),
    exit_code: exitCode,
    signal,
    duration_ms: durationMs,
    working_directory: cwd,
    stdout: shownOut.text,
    stderr: shownErr.text,
    stdout_omitted_bytes: shownOut.omittedBytes,
    stderr_omitted_bytes: shownErr.omittedBytes,
    ...(shownOut.flaw && { stdout_flaw: shownOut.flaw }),
    ...(shownErr.flaw && { stderr_flaw: shownErr.flaw }),
    ...(resources.cpuMs !== undefined && { cpu_ms: resources.cpuMs }),
    ...(resources.maxRssBytes !== undefined && { max_rss_bytes: resources.maxRssBytes }),
    ...(limitHit && { limit_hit: limitHit }),
    ...(notEnforced && { not_enforced: [...notEnforced] }),
  };
}

/** Characters of output that the sentence about an early end repeats. */
const LAST_WORDS = 2000;

function overtime(told: Output, seconds: number, maxSeconds: number): Failure {
  return new Failure('timeout', `The command did not end within ${seconds} s and was stopped.${lastWords(told)}`, {
    hint:
      seconds < maxSeconds
        ? `Raise \`timeout\`, up to ${maxSeconds}.`
        : 'A person can raise `execution.security.resource_limits.max_execution_time`.',
    details: told,
  });
}

function cancelled(told: Output): Failure {
  return new Failure('cancelled', `The command was cancelled and stopped.${lastWords(told)}`, { details: told });
}

function lastWords({ stdout, stderr }: Output): string {
  const output = [stdout, stderr].map((each) => each.trimEnd()).filter((each) => each !== '');
  // Not from the middle of a character.
  const last = output
    .join('\n[stderr]\n')
    .slice(-LAST_WORDS)
    .replace(/^[\udc00-\udfff]/, '');
  return last ? ` Its last output:\n${last}` : ' It had no output.';
}
