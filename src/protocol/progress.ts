import type { OutputStream } from '../backends/backend.ts';
import { safeText } from '../guard/text.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { createStreamRedactor } from '../redaction/stream-redactor.ts';
import type { JsonObject, Progress } from '../tools/tool.ts';

/** How often command output becomes a progress notification, milliseconds. */
const OUTPUT_INTERVAL_MS = 200;
/** Characters of output one notification carries; the rest is in the result. */
const OUTPUT_CHARACTERS = 2000;
/** Characters before those that are looked through too, so that what they begin with is no end of a secret. */
const BEFORE = 4000;
/** Notifications one call may send at once, and again each second. */
const BURST = 50;
/** A call that has told nothing for so long, milliseconds, tells that it goes on: clients give up on those that are silent. */
const SILENCE_MS = 10_000;
/** What a sign of life adds to the last value, at least and in proportion: more than nothing, less than any tool's own step. */
const SMALLEST_STEP = 1e-6;
const SMALLEST_PART = 1e-12;

export interface ProgressSender {
  progress(update: Progress): void;
  output(stream: OutputStream, chunk: Uint8Array): void;
  /** After this nothing is sent: progress stops with the response (MCP progress). */
  stop(): void;
}

/**
 * Progress notifications for one call: growing values only, at most 50 a second, command output gathered into
 * one message every 200 ms, and a sign of life every 10 s.
 * @param send sends the params of one `notifications/progress`.
 */
export function createProgressSender(progressToken: string | number, send: (params: JsonObject) => void): ProgressSender {
  let last = Number.NEGATIVE_INFINITY;
  let allowance = BURST;
  let refilledAt = Date.now();
  let stopped = false;
  let received = 0;
  let pending = '';
  let timer: NodeJS.Timeout | undefined;
  const startedMs = Date.now();
  let alive = setTimeout(tellAlive, SILENCE_MS);
  const readers: Partial<Record<OutputStream, (chunk: Uint8Array) => string>> = {};

  function progress(update: Progress) {
    if (stopped || !(update.progress > last)) return;
    const now = Date.now();
    allowance = Math.min(BURST, allowance + ((now - refilledAt) / 1000) * BURST);
    refilledAt = now;
    if (allowance < 1) return;
    allowance--;
    last = update.progress;
    alive.refresh();
    const { message } = update;
    send({ progressToken, ...update, ...(message !== undefined && { message: redactor.text(safeText(message)) }) });
  }

  function tellAlive() {
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    alive = setTimeout(tellAlive, SILENCE_MS);
    const before = Math.max(0, last);
    progress({
      progress: before + Math.max(SMALLEST_STEP, before * SMALLEST_PART),
      message: `Still running after ${seconds} s.`,
    });
  }

  function flush() {
    timer = undefined;
    const message = pending.slice(-OUTPUT_CHARACTERS);
    pending = '';
    progress({ progress: received, message });
  }

  return {
    progress,
    output(stream, chunk) {
      if (stopped) return;
      readers[stream] ??= createReader();
      received += chunk.byteLength;
      pending = (pending + readers[stream](chunk.subarray(-OUTPUT_CHARACTERS - BEFORE))).slice(-OUTPUT_CHARACTERS);
      timer ??= setTimeout(flush, OUTPUT_INTERVAL_MS);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(alive);
    },
  };
}

/** Bytes as text without secrets; what may be the beginning of one comes with what follows it. */
function createReader(): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder();
  const stream = createStreamRedactor(redactor);
  return (chunk) => stream.push(decoder.decode(chunk, { stream: true }));
}

/** The progress token of a request, when it has a usable one. */
export function progressTokenOf(meta: unknown): string | number | undefined {
  const token = (meta as { progressToken?: unknown } | undefined)?.progressToken;
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}
