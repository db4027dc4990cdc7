/** What the agent and the process of a user say to each other, over a channel that nobody else has (child_process IPC). */
import type { HeldObject, OutputStream } from '../backends/backend.ts';
import type { failureToJson } from '../errors.ts';

/** First word of the command line that makes the program the process of a user. */
export const USER_PROCESS = 'host-agent-user';

/** What the agent sends. */
export type ToUser =
  | { readonly begin: { readonly jobsFolder: string; readonly protectedPaths: readonly string[] } }
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly abort: number }
  /** The judge's verdict on an object that was asked about. */
  | { readonly verdict: number; readonly refused?: ReturnType<typeof failureToJson> };

/** What the process of the user sends. */
export type FromUser =
  | { readonly ready: true }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly failure: ReturnType<typeof failureToJson> }
  | { readonly output: number; readonly stream: OutputStream; readonly data: Uint8Array }
  /** A judge of the agent is asked about what was opened for a call. */
  | { readonly ask: number; readonly call: number; readonly object: HeldObject };
