import { z } from 'zod';
import type { Job, OutputStream } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import type { GuardedJobs } from '../guard/guarded-jobs.ts';
import type { JobPiece, PieceRange } from '../guard/job-output.ts';
import { backendArgument } from './backend-argument.ts';
import { defineTool } from './tool.ts';

const OPERATIONS = ['list', 'status', 'read', 'wait', 'write', 'signal'] as const;
const DEFAULT_BYTES = 32 * 1024;
const MAX_BYTES = 256 * 1024;
const DEFAULT_WAIT_SECONDS = 30;
/** How long a program may take to read what is written to it, milliseconds. */
const WRITE_MS = 10_000;
const MAX_LISTED = 50;

const input = z.strictObject({
  operation: z.enum(OPERATIONS),
  job_id: z.string().optional().describe('As execute_command told it; every operation but list needs it.'),
  stream: z.enum(['stdout', 'stderr', 'both']).default('both').describe('For read and wait. A pty has only stdout.'),
  offset: z.int().min(0).optional().describe('Byte to begin at, *_next_offset of the last answer; absent: the beginning.'),
  stderr_offset: z.int().min(0).optional().describe('The same for stderr where both streams are read.'),
  tail: z.int().min(1).max(10_000).optional().describe('The last so many lines, instead of offset.'),
  limit: z.int().min(1).max(MAX_BYTES).default(DEFAULT_BYTES).describe('Bytes of each stream at most.'),
  pattern: z
    .string()
    .min(1)
    .optional()
    .describe('wait: until a line from offset on matches this regular expression; absent: until it ended.'),
  seconds: z.number().min(0).default(DEFAULT_WAIT_SECONDS).describe('wait: at most so long.'),
  input: z
    .string()
    .optional()
    .describe('write: text for its standard input; end a line with \\n. In a pty \\u0003 is Ctrl-C, \\u0004 the end.'),
  close_stdin: z.boolean().default(false).describe('write: end its standard input (after the text).'),
  signal: z
    .string()
    .regex(/^(?:SIG)?[A-Z][A-Z0-9]{1,8}$/)
    .default('TERM')
    .describe('For all that it started: TERM, INT, HUP, KILL, STOP, CONT, USR1 …'),
  backend: backendArgument,
});
type Input = z.infer<typeof input>;

interface ShownJob {
  readonly job_id: string;
  readonly state: 'running' | 'exited' | 'timeout' | 'cancelled' | 'failed' | 'interrupted';
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason?: string;
  readonly limit_hit?: 'memory' | 'processes';
  readonly command: string;
  readonly working_directory: string;
  readonly started: string;
  readonly ended?: string;
  readonly duration_ms: number;
  readonly timeout_seconds: number;
  readonly pty: boolean;
  readonly stdin_open: boolean;
  readonly stdout_bytes: number;
  readonly stderr_bytes: number;
  /** Of these only the beginning and the last 64 KiB are kept. */
  readonly cut_off?: OutputStream[];
}

/** Declared as far as a program has to know before it asks: the list of all tools is to stay short for those who read it. */
const shownJob = z.looseObject({ job_id: z.string(), state: z.string() }) as unknown as z.ZodType<ShownJob>;

const output = z.strictObject({
  job: shownJob.optional(),
  jobs: z.array(shownJob).optional(),
  jobs_left_out: z.int().optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  stdout_next_offset: z.int().optional(),
  stderr_next_offset: z.int().optional(),
  stdout_flaw: z.enum(['invalid_utf8', 'binary']).optional(),
  stderr_flaw: z.enum(['invalid_utf8', 'binary']).optional(),
  matched: z.strictObject({ stream: z.enum(['stdout', 'stderr']), line: z.string() }).optional(),
  written_bytes: z.int().optional(),
});
type Output = z.infer<typeof output>;

export const manageJob = defineTool<Input, Output>({
  name: 'manage_job',
  title: 'Manage a job',
  description:
    'Look after commands that execute_command left running: list them, tell their status, read output in pieces, wait for the end or ' +
    'a line (ready to serve, a prompt), write to standard input, send signals. Jobs go on without client and server; output stays ' +
    'readable after the end.',
  toolset: 'system',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input,
  output,
  async execute(given, context) {
    const backend = await context.backend(given.backend);
    const jobs = await backend.jobs();
    if (given.operation === 'list') {
      const all = await jobs.list();
      const left = all.length - MAX_LISTED;
      return { jobs: all.slice(0, MAX_LISTED).map(show), ...(left > 0 && { jobs_left_out: left }) };
    }
    const id = given.job_id;
    if (id === undefined)
      throw new Failure('invalid_input', `operation=${given.operation} needs job_id.`, { hint: 'operation=list tells them.' });
    switch (given.operation) {
      case 'status':
        return { job: show(await jobs.get(id)) };
      case 'read':
        return readOutput(jobs, id, given);
      case 'wait': {
        const found = await jobs.wait(id, waitOf(given, backend.limits.jobs?.softLimitSeconds ?? 0), context.signal);
        return { ...(await readOutput(jobs, id, given)), ...(found && { matched: found }) };
      }
      case 'write': {
        const written = await write(jobs, id, given, context.signal);
        return { job: show(await jobs.get(id)), written_bytes: written };
      }
      case 'signal':
        await jobs.signal(id, given.signal.replace(/^SIG/, ''));
        return { job: show(await jobs.get(id)) };
    }
  },
  present({ job, jobs, jobs_left_out, stdout, stderr, stdout_next_offset, stderr_next_offset, matched, written_bytes }) {
    if (jobs) {
      const more = jobs_left_out ? [`[${jobs_left_out} older ones left out]`] : [];
      return jobs.length === 0 ? '[no jobs]' : [...jobs.map(line), ...more].join('\n');
    }
    const parts: string[] = [];
    if (stdout) parts.push(stdout.trimEnd());
    if (stderr?.trim()) parts.push(`[stderr]\n${stderr.trimEnd()}`);
    if (written_bytes !== undefined) parts.push(`[${written_bytes} bytes written]`);
    if (matched) parts.push(`[matched on ${matched.stream}: ${matched.line}]`);
    if (job) parts.push(`[${line(job)}]`);
    const next = [
      ...(stdout_next_offset === undefined ? [] : [`offset=${stdout_next_offset}`]),
      ...(stderr_next_offset === undefined
        ? []
        : [`${stdout_next_offset === undefined ? '' : 'stderr_'}offset=${stderr_next_offset}`]),
    ];
    if (next.length > 0) parts.push(`[go on with ${next.join(' ')}]`);
    return parts.join('\n');
  },
});

/** A wait ends before the client’s own time-out would strike. */
function waitOf({ pattern, seconds, stream, offset = 0, stderr_offset = 0 }: Input, longestSeconds: number) {
  const offsets = stream === 'both' ? { stdout: offset, stderr: stderr_offset } : { [stream]: offset };
  return {
    seconds: Math.min(seconds, longestSeconds),
    ...(pattern !== undefined && { pattern: { expression: pattern, offsets } }),
  };
}

async function write(jobs: GuardedJobs, id: string, { input: text, close_stdin }: Input, signal: AbortSignal): Promise<number> {
  if (text === undefined && !close_stdin) {
    throw new Failure('invalid_input', 'operation=write needs `input` or close_stdin=true.');
  }
  const data = new TextEncoder().encode(text ?? '');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(WRITE_MS)]);
  const written = data.byteLength === 0 ? 0 : await jobs.write(id, data, limit);
  if (written < data.byteLength) {
    throw new Failure('partial', `The job took ${written} of ${data.byteLength} bytes; it does not read more for now.`, {
      hint: 'Write the rest later.',
      details: { written_bytes: written },
    });
  }
  if (close_stdin) await jobs.closeInput(id);
  return written;
}

async function readOutput(jobs: GuardedJobs, id: string, given: Input): Promise<Output> {
  const { stream, offset = 0, stderr_offset = 0, tail, limit } = given;
  const range = (from: number): PieceRange =>
    tail === undefined ? { offset: from, maxBytes: limit } : { lastLines: tail, maxBytes: limit };
  const pieces: Partial<Record<OutputStream, JobPiece>> = {};
  if (stream !== 'stderr') pieces.stdout = await jobs.read(id, 'stdout', range(offset));
  if (stream !== 'stdout') pieces.stderr = await jobs.read(id, 'stderr', range(stream === 'both' ? stderr_offset : offset));
  const { stdout, stderr } = pieces;
  return {
    job: show(await jobs.get(id)),
    ...(stdout && {
      stdout: stdout.text,
      stdout_next_offset: stdout.nextOffset,
      ...(stdout.flaw && { stdout_flaw: stdout.flaw }),
    }),
    ...(stderr && {
      stderr: stderr.text,
      stderr_next_offset: stderr.nextOffset,
      ...(stderr.flaw && { stderr_flaw: stderr.flaw }),
    }),
  };
}

function show({ id, label, cwd, createdMs, timeoutMs, terminal, end, inputOpen, bytes, cutOff }: Job): ShownJob {
  return {
    job_id: id,
    state: end?.outcome ?? 'running',
    exit_code: end?.exitCode ?? null,
    signal: end?.signal ?? null,
    ...(end?.reason !== undefined && { reason: end.reason }),
    ...(end?.limitHit && { limit_hit: end.limitHit }),
    command: label.command,
    working_directory: cwd,
    started: new Date(createdMs).toISOString(),
    ...(end && { ended: new Date(end.endedMs).toISOString() }),
    duration_ms: Math.max(0, Math.round((end?.endedMs ?? Date.now()) - createdMs)),
    timeout_seconds: timeoutMs / 1000,
    pty: terminal,
    stdin_open: inputOpen,
    stdout_bytes: bytes.stdout,
    stderr_bytes: bytes.stderr,
    ...(cutOff.length > 0 && { cut_off: [...cutOff] }),
  };
}

/** Characters of a command in a line about its job. */
const MAX_COMMAND = 80;

function line({
  job_id,
  state,
  exit_code,
  signal,
  reason,
  command,
  duration_ms,
  limit_hit,
  stdin_open,
  cut_off,
}: ShownJob): string {
  const text = command.replace(/\s+/g, ' ');
  return [
    job_id,
    `${state}${signal !== null ? ` by ${signal}` : exit_code !== null ? ` with ${exit_code}` : ''}`,
    `${(duration_ms / 1000).toFixed(1)} s`,
    ...(reason === undefined ? [] : [reason]),
    ...(limit_hit ? [`limit of ${limit_hit}`] : []),
    ...(stdin_open ? ['stdin open'] : []),
    ...(cut_off ? [`${cut_off.join(' and ')} cut off`] : []),
    text.length > MAX_COMMAND ? `${text.slice(0, MAX_COMMAND).toWellFormed()}…` : text,
  ].join(' · ');
}
