/** The output of a running command: kept in part, counted as a whole, and never allowed to take the event loop for itself. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { ExecIO, ExecRequest, ExecResult, OutputStream } from './backend.ts';
import { createOutputCapture } from './output-capture.ts';

/** How long output may still trickle in after the command's own process has ended, milliseconds. */
const DRAIN_MS = 100;
/** The same, however much comes. */
const MAX_DRAIN_MS = 2000;

export interface CollectedOutput {
  /**
   * Waits until both streams have ended.
   * @returns false when nothing came for a while, or it never ends: something that goes on holds them open
   */
  drained(): Promise<boolean>;
  result(): Pick<ExecResult, 'stdout' | 'stderr'>;
}

export function collectOutput(
  child: ChildProcess,
  { maxOutputBytes }: Pick<ExecRequest, 'maxOutputBytes'>,
  { onOutput }: Pick<ExecIO, 'onOutput'>,
): CollectedOutput {
  const captures = { stdout: createOutputCapture(maxOutputBytes), stderr: createOutputCapture(maxOutputBytes) };
  let total = 0;
  for (const name of ['stdout', 'stderr'] satisfies OutputStream[]) {
    const stream = child[name];
    stream?.on('data', (chunk: Buffer) => {
      captures[name].add(chunk);
      onOutput?.(name, chunk);
      total += chunk.byteLength;
      takeTurns(stream, total > 2 * maxOutputBytes ? FLOOD_WEIGHT * chunk.byteLength : chunk.byteLength);
    });
  }
  return {
    drained: () => drained([child.stdout, child.stderr].filter((stream) => stream !== null)),
    result: () => ({ stdout: captures.stdout.result(), stderr: captures.stderr.result() }),
  };
}

/** What all commands together may write in one slice of time before they have to wait for the next, bytes. */
const SLICE_BYTES = 512 * 1024;
/** Length of a slice, milliseconds: a gigabyte in ten seconds still comes through. */
const SLICE_MS = 5;
/** How much more than other output that counts of which nothing will be kept but its end. */
const FLOOD_WEIGHT = 4;

const waiting = new Set<Readable>();
let sliceBytes = 0;
let slicing = false;

/** A program that writes as fast as it can keeps a reader busy for good: past its share it waits, and others are served. */
function takeTurns(stream: Readable, bytes: number): void {
  sliceBytes += bytes;
  if (sliceBytes > SLICE_BYTES) {
    stream.pause();
    waiting.add(stream);
  }
  if (slicing) return;
  slicing = true;
  setTimeout(() => {
    slicing = false;
    sliceBytes = 0;
    for (const paused of waiting) paused.resume();
    waiting.clear();
  }, SLICE_MS);
}

function drained(all: readonly Readable[]): Promise<boolean> {
  const streams = all.filter((stream) => !stream.closed);
  if (streams.length === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    let open = streams.length;
    const finish = () => {
      clearTimeout(quiet);
      clearTimeout(bound);
      for (const stream of streams) stream.destroy();
      resolve(open === 0);
    };
    const quiet = setTimeout(finish, DRAIN_MS);
    const bound = setTimeout(finish, MAX_DRAIN_MS);
    for (const stream of streams) {
      stream.on('data', () => quiet.refresh());
      stream.once('close', () => {
        open--;
        if (open === 0) finish();
      });
    }
  });
}
