/** Jobs behind the guard: decided on, approved, confined and recorded as every command is, and shown to their owners only. */
import type { AuditEntry } from '../audit/audit-log.ts';
import type { BackendJobs, CapturedOutput, ExecIO, ExecRequest, Job, JobRequest, OutputStream } from '../backends/backend.ts';
import { noJob } from '../backends/jobs/job-folder.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { followJob } from './followed-job.ts';
import type { JobLimits } from './guarded-backend.ts';
import type { GuardedCall } from './guarded-call.ts';
import { admit, type ExecGuard, failedEnd, type GuardedExecResult, textOf } from './guarded-exec.ts';
import { type Found, type JobPiece, type PieceRange, readPiece, searchOutput, type WaitPattern } from './job-output.ts';

/** A command that is to be run as a job. */
export type JobCommand = Omit<JobRequest, 'label' | 'attached' | 'maxOutputBytes' | 'limits' | 'confinement'>;

export interface StartedJob {
  readonly job: Job;
  /** What of its confinement does not hold here (told once for each server). */
  readonly notEnforced?: readonly string[];
}

/** What there was of a command when its caller waited no longer. */
export interface StillRunning extends StartedJob {
  readonly outcome: 'running';
  readonly durationMs: number;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

/** A command that ended while its caller waited; as a job it is there only where not all of its output was told. */
export type FinishedRun = GuardedExecResult & { readonly job?: Job };

export interface WaitFor {
  readonly seconds: number;
  /** Absent: until it has ended. */
  readonly pattern?: WaitPattern;
}

/** The jobs of one principal. */
export interface GuardedJobs {
  /** Starts a command that goes on by itself, and has its own upper limit of time. @throws Failure as `exec` does */
  start(command: JobCommand): Promise<StartedJob>;
  /**
   * Starts a command and waits for it, streaming its output, until it has ended or the soft limit of time is over. Until
   * then it ends with this process, as every command that somebody waits for.
   * @param command `maxOutputBytes` is what is kept for the answer
   */
  run(command: JobCommand & Pick<ExecRequest, 'maxOutputBytes'>, io: ExecIO): Promise<FinishedRun | StillRunning>;
  /** Newest first. */
  list(): Promise<readonly Job[]>;
  get(id: string): Promise<Job>;
  /** A piece of a stream, without secrets and safe to show. */
  read(id: string, stream: OutputStream, range: PieceRange): Promise<JobPiece>;
  /** @returns what of the pattern was found; nothing when the job ended or the time was over before */
  wait(id: string, until: WaitFor, signal: AbortSignal): Promise<Found | undefined>;
  /** @returns how many bytes were taken before `signal` was aborted */
  write(id: string, data: Uint8Array, signal: AbortSignal): Promise<number>;
  closeInput(id: string): Promise<void>;
  signal(id: string, name: string): Promise<void>;
}

/** The jobs of a machine, for everybody. */
export interface JobsOfMachine {
  of(call: GuardedCall, limit: LimitRequest): GuardedJobs;
}

/** Puts a request within the limits of paths, variables, time and output. */
export type LimitRequest = <R extends ExecRequest>(request: R, maxSeconds: number, maxBytes: number) => Promise<R>;

/** How often ended jobs are looked for to be removed, milliseconds; only while jobs are used. */
const SWEEP_MS = 10 * 60_000;
const LOOK_MS = 1000;

export function createJobs(
  jobs: BackendJobs,
  guard: ExecGuard,
  limits: JobLimits & { readonly maxExecutionSeconds: number },
): JobsOfMachine {
  const { audit, backend } = guard;
  /** Ends that are known to have been recorded. */
  const settled = new Set<string>();
  let sweptMs = Number.NEGATIVE_INFINITY;
  let starting = 0;

  /** Records the end of a job, if no other process or thread has. */
  async function settle(job: Job): Promise<void> {
    if (!job.end || settled.has(job.id)) return;
    if (await jobs.claimEnd(job.id)) {
      try {
        await audit?.record(endOf(job, backend.name));
      } catch (thrown) {
        await jobs.returnEnd(job.id);
        throw thrown;
      }
    }
    settled.add(job.id);
  }

  async function sweep(): Promise<void> {
    const all = await jobs.list();
    for (const job of all) {
      await settle(job);
      if (job.end && Date.now() - job.end.endedMs > limits.retentionSeconds * 1000) await forget(job.id);
    }
  }

  async function forget(id: string): Promise<void> {
    await jobs.remove(id);
    settled.delete(id);
  }

  function sweepNowAndThen(): void {
    if (performance.now() - sweptMs < SWEEP_MS) return;
    sweptMs = performance.now();
    sweep().catch(() => {});
  }

  async function start(request: JobRequest, call: GuardedCall): Promise<StartedJob> {
    const { confined, notEnforced } = await admit(guard, request, call);
    let job: Job;
    starting++;
    try {
      const running = (await jobs.list()).filter(({ end }) => !end).length;
      if (running + starting > limits.maxRunning) throw tooMany(running);
      job = await jobs.start(confined);
    } catch (thrown) {
      await audit?.record(failedEnd(call, backend.name));
      throw thrown;
    } finally {
      starting--;
    }
    const gaps = guard.tellOnce(notEnforced);
    return { job, ...(gaps.length > 0 && { notEnforced: gaps }) };
  }

  /** As soon as it ends, as long as this process lives; else whoever looks next does it. */
  async function settleAtEnd(id: string): Promise<void> {
    if (await jobs.untilEnd(id)) await settle(await jobs.get(id));
  }

  /** Waits until the end or the soft limit. */
  async function follow(started: StartedJob, keptBytes: number, io: ExecIO): Promise<FinishedRun | StillRunning> {
    const { id, createdMs } = started.job;
    const { job, stdout, stderr } = await followJob(jobs, id, keptBytes, limits.softLimitSeconds, io);
    const durationMs = Math.max(0, Math.round((job.end?.endedMs ?? Date.now()) - createdMs));
    if (!job.end) {
      await jobs.detach(id);
      settleAtEnd(id).catch(() => {});
      return { ...started, job, outcome: 'running', durationMs, stdout, stderr };
    }
    await settle(job);
    const { outcome, exitCode, signal, limitHit, resources, reason } = job.end;
    const whole = stdout.omittedBytes === 0 && stderr.omittedBytes === 0 && job.cutOff.length === 0;
    if (whole) await forget(id);
    if (outcome === 'failed' || outcome === 'interrupted') throw lost(outcome, reason);
    return {
      ...{ outcome, exitCode, signal, resources, durationMs, stdout, stderr },
      ...(limitHit && { limitHit }),
      ...(started.notEnforced && { notEnforced: started.notEnforced }),
      ...(!whole && { job }),
    };
  }

  function of(call: GuardedCall, limit: LimitRequest): GuardedJobs {
    sweepNowAndThen();
    const label = (command: JobCommand) => ({
      command: redactor.text(textOf(command.command)),
      principal: call.principal.id,
      principalName: call.principal.name,
      ...(call.session !== undefined && { session: call.session }),
      task: call.taskId,
      tool: call.tool,
    });
    const isOurs = ({ label: { principal } }: Job) => principal === call.principal.id;

    async function get(id: string): Promise<Job> {
      const job = await jobs.get(id);
      if (!isOurs(job)) throw noJob(id);
      await settle(job);
      return job;
    }

    return {
      async start(command) {
        const { maxSeconds, maxOutputBytes } = limits;
        const request = { ...command, attached: false, maxOutputBytes, label: label(command) };
        const started = await start(await limit(request, maxSeconds, maxOutputBytes), call);
        settleAtEnd(started.job.id).catch(() => {});
        return started;
      },
      async run({ maxOutputBytes: kept, ...command }, io) {
        const { maxOutputBytes } = limits;
        const request = { ...command, attached: true, maxOutputBytes, label: label(command) };
        const limited = await limit(request, limits.maxExecutionSeconds, maxOutputBytes);
        return follow(await start(limited, call), kept, io);
      },
      async list() {
        const ours = (await jobs.list()).filter(isOurs);
        for (const job of ours) await settle(job);
        return ours;
      },
      get,
      async read(id, stream, range) {
        const { bytes } = await get(id);
        return readPiece((position, length) => jobs.read(id, stream, position, length), bytes[stream], range);
      },
      async wait(id, { seconds, pattern }, signal) {
        using watch = jobs.watch(id);
        const untilMs = performance.now() + seconds * 1000;
        const search = pattern && searchOutput(pattern, (stream, position, length) => jobs.read(id, stream, position, length));
        for (;;) {
          const job = await get(id);
          const found = await search?.(job);
          const leftMs = untilMs - performance.now();
          if (found || job.end || leftMs <= 0) return found;
          if (signal.aborted) throw new Failure('cancelled', 'The wait was cancelled; the job goes on.');
          await watch.changed(Math.min(LOOK_MS, leftMs));
        }
      },
      async write(id, data, signal) {
        await get(id);
        return jobs.write(id, data, signal);
      },
      async closeInput(id) {
        await get(id);
        await jobs.closeInput(id);
      },
      async signal(id, name) {
        await get(id);
        await jobs.signal(id, name);
      },
    };
  }

  return { of };
}

function endOf({ label, createdMs, end, bytes }: Job, backend: string): AuditEntry {
  const { outcome, exitCode, signal, endedMs } = end as NonNullable<Job['end']>;
  return {
    principal: label.principal,
    principal_name: label.principalName,
    ...(label.session !== undefined && { session: label.session }),
    task: label.task,
    tool: label.tool,
    event: 'command_end',
    backend,
    outcome,
    exit_code: exitCode,
    signal,
    stdout_bytes: bytes.stdout,
    stderr_bytes: bytes.stderr,
    duration_ms: Math.max(0, Math.round(endedMs - createdMs)),
  };
}

function tooMany(running: number): Failure {
  return new Failure('unavailable', `${running} jobs run already, which is as many as may.`, {
    hint: 'End one with manage_job operation=signal, or raise `execution.jobs.max_running`.',
    details: { retry_after_seconds: 10 },
  });
}

function lost(outcome: 'failed' | 'interrupted', reason: string | undefined): Failure {
  if (outcome === 'failed') return new Failure('unavailable', `The command could not be started: ${reason}`);
  return new Failure('unavailable', 'The supervisor of the command was killed, so that nobody knows how it ended.', {
    hint: 'Look at what it has done before it is run again.',
  });
}
