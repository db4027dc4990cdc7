/** A job whose caller waits: its output is handed on as it comes, and kept in part. */
import type { BackendJobs, CapturedOutput, ExecIO, Job, OutputStream } from '../backends/backend.ts';
import { createOutputCapture } from '../backends/output-capture.ts';

export interface Followed {
  /** It has ended, unless the time was over before. */
  readonly job: Job;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

/** How often to look where nothing tells of a change, milliseconds. */
const LOOK_MS = 1000;
const CHUNK_BYTES = 64 * 1024;
/** What is read of a flood before others get their turn, bytes. */
const TURN_BYTES = 512 * 1024;
const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/**
 * Resolves at the end of the job or after `seconds`. An aborted signal cancels the job, whose end is then waited for.
 * @param keptBytes of each stream: half from its head, half from its tail
 */
export async function followJob(
  jobs: BackendJobs,
  id: string,
  keptBytes: number,
  seconds: number,
  { signal, onOutput }: ExecIO,
): Promise<Followed> {
  const captures = { stdout: createOutputCapture(keptBytes), stderr: createOutputCapture(keptBytes) };
  const positions = { stdout: 0, stderr: 0 };

  async function next(stream: OutputStream): Promise<Uint8Array> {
    const chunk = await jobs.read(id, stream, positions[stream], CHUNK_BYTES);
    positions[stream] += chunk.byteLength;
    return chunk;
  }
  /** @returns whether there may be more at once */
  async function take(): Promise<boolean> {
    let taken = 0;
    for (const stream of STREAMS) {
      for (let chunk = await next(stream); chunk.byteLength > 0; chunk = await next(stream)) {
        captures[stream].add(chunk);
        onOutput?.(stream, chunk);
        taken += chunk.byteLength;
        if (taken > TURN_BYTES) return true;
      }
    }
    return false;
  }

  using watch = jobs.watch(id);
  const untilMs = performance.now() + seconds * 1000;
  const cancel = () => void jobs.cancel(id).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (signal.aborted) cancel();
    for (;;) {
      // Looked at first: what is there once it has ended is all.
      const job = await jobs.get(id);
      while (await take()) await new Promise(setImmediate);
      const leftMs = signal.aborted ? LOOK_MS : untilMs - performance.now();
      if (job.end || leftMs <= 0) return { job, stdout: captures.stdout.result(), stderr: captures.stderr.result() };
      await watch.changed(Math.min(LOOK_MS, leftMs));
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
