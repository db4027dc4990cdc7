/**
 * What a host agent and its clients say to each other over HTTP: JSON, bytes in it as base64. An answer that streams is
 * one JSON value a line (NDJSON). Shapes are those of the backend contract where there is nothing to add.
 */
import { Failure, type FailureCode, failureToJson } from '../../errors.ts';
import type {
  CapturedOutput,
  Confinement,
  ExecRequest,
  ExecResult,
  FileInfo,
  HeldObject,
  Job,
  JobRequest,
  OutputStream,
  Surroundings,
} from '../backend.ts';

/** Version of all that is in this file. An agent answers clients of its own version only. */
export const PROTOCOL = 1;

/** Headers of our own, in lower case. */
export const HEADERS = {
  protocol: 'mcp-host-agent-protocol',
  /** Whom commands run as and files are used as. */
  user: 'mcp-host-agent-user',
  /** Unix time in milliseconds at which a request with a key was made. */
  time: 'mcp-host-agent-time',
  /** Random and new for everything that is to happen once; the same for every attempt at it. */
  key: 'idempotency-key',
  /** `true` on an answer that was kept from an earlier attempt. */
  repeated: 'idempotency-repeated',
} as const;

/** How often a stream that has nothing to say shows that it lives, milliseconds. */
export const ALIVE_MS = 5000;

/** Answer of `GET /capabilities`. */
export interface Capabilities {
  readonly protocol: number;
  /** Of the program. */
  readonly version: string;
  /** Whom commands can be run as, the default first. */
  readonly users: readonly string[];
  readonly jobs: boolean;
  readonly maxBodyBytes: number;
}

/** Answer of `GET /info`. */
export interface HostInfo {
  readonly surroundings: Surroundings;
}

/** Body of `POST /execute`. */
export interface WireExec extends Omit<ExecRequest, 'stdin'> {
  readonly stdin?: string;
  /** Output is sent as it comes, beside the result that holds what is kept of it. */
  readonly stream?: boolean;
}

/** Body of `POST /jobs/start`. */
export interface WireJobRequest extends Omit<JobRequest, 'stdin'> {
  readonly stdin?: string;
}

interface WireCaptured {
  readonly head: string;
  readonly tail: string;
  readonly totalBytes: number;
  readonly omittedBytes: number;
}

/** How a command ended. */
export interface WireExecResult extends Omit<ExecResult, 'stdout' | 'stderr'> {
  readonly stdout: WireCaptured;
  readonly stderr: WireCaptured;
  readonly notEnforced?: readonly string[];
}

/** `undefined` is told as null. */
export interface WireJob extends Omit<Job, 'end'> {
  readonly end: Job['end'] | null;
}

/** What of a job a client has seen, so that a change since then is told at once. */
export interface SeenJob {
  readonly stdout: number;
  readonly stderr: number;
  readonly ended: boolean;
}

/** An object that the agent held, for the judge of the client. */
export interface Told<T> {
  readonly object: HeldObject;
  readonly value: T;
}

/** Where a path leads; and what is there, where that was asked for and may be told. */
export interface Resolved {
  readonly realPath: string;
  readonly seen?: Told<FileInfo>;
}

/** Entries of a folder. */
export interface WireListing {
  readonly entries: readonly Told<FileInfo>[];
  readonly truncated: boolean;
}

/** How something ended that was to happen once. `broken`: it was stopped because its client was gone. */
export type Outcome =
  | { readonly value: unknown; readonly broken?: true }
  | { readonly failure: ReturnType<typeof failureToJson>; readonly broken?: true };

/** One line of a stream; the outcome is the last one, but for the life line of a job that is attached. */
export type Frame =
  | { readonly output: OutputStream; readonly data: string }
  /** So many bytes of output were not sent, because nobody took them in time; the result has what is kept. */
  | { readonly skipped: number }
  | { readonly alive: true }
  | { readonly ended: true }
  | Outcome;

/** Base64. */
export function encodeBytes(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

/** Bytes of base64. */
export function decodeBytes(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

/** For the wire. */
export function encodeExecResult({ stdout, stderr, ...result }: ExecResult): WireExecResult {
  return { ...result, stdout: encodeCaptured(stdout), stderr: encodeCaptured(stderr) };
}

/** From the wire. */
export function decodeExecResult({ stdout, stderr, ...result }: WireExecResult): ExecResult {
  return { ...result, stdout: decodeCaptured(stdout), stderr: decodeCaptured(stderr) };
}

function encodeCaptured({ head, tail, ...counts }: CapturedOutput): WireCaptured {
  return { head: encodeBytes(head), tail: encodeBytes(tail), ...counts };
}

function decodeCaptured({ head, tail, ...counts }: WireCaptured): CapturedOutput {
  return { head: decodeBytes(head), tail: decodeBytes(tail), ...counts };
}

/** For the wire. */
export function encodeJob({ end, ...job }: Job): WireJob {
  return { ...job, end: end ?? null };
}

/** From the wire. */
export function decodeJob({ end, ...job }: WireJob): Job {
  return { ...job, end: end ?? undefined };
}

/** For the wire. */
export function encodeFailure(failure: Failure): ReturnType<typeof failureToJson> {
  return failureToJson(failure);
}

/** From the wire. */
export function decodeFailure({ code, message, hint, details }: ReturnType<typeof failureToJson>): Failure {
  return new Failure(code, message, {
    ...(hint !== undefined && { hint }),
    ...(details !== undefined && { details: details as Record<string, unknown> }),
  });
}

const STATUS: Partial<Record<FailureCode, number>> = {
  invalid_input: 400,
  denied: 403,
  needs_approval: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 501,
  unavailable: 503,
  timeout: 504,
};

/** The HTTP status that goes with a failure. */
export function statusOf(code: FailureCode): number {
  return STATUS[code] ?? 500;
}

/** The narrower of two confinements: what either keeps from a command is kept from it. */
export function narrower(own: Confinement | undefined, asked: Confinement | undefined): Confinement | undefined {
  if (!own || !asked) return own ?? asked;
  return {
    writable: common(own.writable, asked.writable),
    ...((own.readable || asked.readable) && {
      readable: own.readable && asked.readable ? common(own.readable, asked.readable) : (own.readable ?? asked.readable ?? []),
    }),
    hidden: [...new Set([...own.hidden, ...asked.hidden])],
    network: commonNetwork(own.network, asked.network),
  };
}

/** Folders that are, or are below, one of each list. */
function common(own: readonly string[], asked: readonly string[]): string[] {
  const below = (path: string, folder: string) => path === folder || folder === '/' || path.startsWith(`${folder}/`);
  const inner = [
    ...own.filter((path) => asked.some((folder) => below(path, folder))),
    ...asked.filter((path) => own.some((folder) => below(path, folder))),
  ];
  return [...new Set(inner)];
}

/** Patterns are compared as they are written: what only one of both allows by another pattern is not allowed. */
function commonNetwork(own: Confinement['network'], asked: Confinement['network']): Confinement['network'] {
  if (own === 'none' || asked === 'none') return 'none';
  if (own === 'all') return asked;
  if (asked === 'all') return own;
  const both = asked.filter((host) => own.includes(host));
  return both.length > 0 ? both : 'none';
}
