import type { ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { OutputStream } from '../backends/backend.ts';
import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { Principal, Scope } from '../identity/principal.ts';
import type { TaskPort } from './task-port.ts';

/** Groups of tools a user can switch on and off together. */
export type Toolset = 'system' | 'files' | 'projects' | 'integrations' | 'ai' | 'plugin';

/** Hints about behaviour (MCP tools, `ToolAnnotations`); they must be true. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export type JsonObject = Record<string, unknown>;

/** A JSON Schema given by hand, told to clients verbatim (JSON Schema 2020-12). Arguments are then not parsed by us. */
export interface RawJsonSchema {
  readonly jsonSchema: JsonObject;
}

/** `progress` must grow; `total` and `message` are for people. */
export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** One question to the client (MCP elicitation, sampling, roots), in the wire's own parameters. */
export type AskRequest =
  | { readonly method: 'elicitation/create'; readonly params: JsonObject }
  | { readonly method: 'sampling/createMessage'; readonly params: JsonObject }
  | { readonly method: 'roots/list'; readonly params?: JsonObject };

/**
 * Questions to the person or model behind the client, the same in both protocol eras.
 *
 * With sessions the questions go out as requests while the tool waits. In the stateless era the attempt ends
 * with an input-required result and the tool is run again with the answers; what was answered in earlier rounds
 * is remembered for it. So a tool must ask before it changes anything.
 */
export interface AskPort {
  readonly can: { readonly elicitation: boolean; readonly sampling: boolean; readonly roots: boolean };
  /**
   * Asks all questions at once and resolves to the answers under the same keys.
   * @throws Failure `unsupported` when the client has not declared the capability.
   */
  request<K extends string>(
    questions: Record<K, AskRequest>,
    options?: { readonly state?: unknown },
  ): Promise<Record<K, JsonObject>>;
  /** What an earlier attempt passed as `state`; undefined in the first one. */
  readonly state: unknown;
}

/** All that a tool may touch. */
export interface ToolContext {
  readonly principal: Principal;
  /** UUID of this call. */
  readonly taskId: string;
  /** Aborted when the client cancels, goes away (stateless era) or the server stops. */
  readonly signal: AbortSignal;
  /** The machine to act on: the configured one, or a named one. */
  backend(name?: string): Promise<GuardedBackend>;
  /** Tells how far the work is; dropped when nobody asked for it. */
  progress(update: Progress): void;
  /** Hands on command output as it comes: the shell shows it raw, clients get it as progress. */
  output(stream: OutputStream, chunk: Uint8Array): void;
  /** Log message to the client, subject to the level it chose. */
  log(level: LogLevel, data: unknown, logger?: string): void;
  readonly ask: AskPort;
  /** Durable tasks and projects; only for tools that have `runsIn: 'server'`. */
  readonly tasks?: TaskPort | undefined;
  /** Drops the call's event stream so that the client reconnects and resumes (SSE polling); nothing elsewhere. */
  closeStream(): void;
}

/** A result in the wire's own words, for tools that return images, audio, embedded resources or links. */
export class RawResult {
  readonly content: readonly ContentBlock[];
  readonly isError: boolean;
  readonly structuredContent: JsonObject | undefined;
  readonly meta: JsonObject | undefined;

  constructor(
    content: readonly ContentBlock[],
    options: { isError?: boolean; structuredContent?: JsonObject; meta?: JsonObject } = {},
  ) {
    this.content = content;
    this.isError = options.isError ?? false;
    this.structuredContent = options.structuredContent;
    this.meta = options.meta;
  }
}

/** One tool: one object, one file. */
export interface Tool<I = never, O extends JsonObject = JsonObject> {
  /** `[a-z_]`, 1 to 64 characters. */
  readonly name: string;
  readonly title: string;
  /** For the model: when to use it, and when another tool is better. Under 2 KB. */
  readonly description: string;
  readonly toolset: Toolset;
  /** What a credential must be allowed to do before it may call the tool. */
  readonly scope: Scope;
  readonly annotations: ToolAnnotations;
  /** Root is an object without `anyOf`/`oneOf`: clients drop tools whose root has them. */
  readonly input: z.ZodType<I> | RawJsonSchema;
  /** Shape of `structuredContent`; absent for tools that return a `RawResult`. */
  readonly output?: z.ZodType<O>;
  /** Seconds after which the call is cancelled; absent: `execution.timeout`. */
  readonly timeoutSeconds?: number;
  /**
   * Whether a call may become a task that its client comes back for (MCP tasks). `optional`: where the client wants or
   * knows tasks; `required`: others are refused. Absent: never, as it suits what is quick.
   */
  readonly taskSupport?: 'optional' | 'required';
  /** Asks what has to be known before there is a task; `execute` gets the same answers to the same questions. */
  asksFirst?(input: I, ask: AskPort): Promise<void>;
  /**
   * `server`: in the server's own thread, for tools that need the orchestrator or keep something between calls; they
   * must never block. Absent: in whichever agent has a place.
   */
  readonly runsIn?: 'server';
  execute(input: I, context: ToolContext): Promise<O | RawResult>;
  /** The result as a model reads it best; absent: its JSON. */
  present?(output: O): string;
}

/** Any tool, for tables of them. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds tools of every input type; each is parsed by its own schema
export type AnyTool = Tool<any, any>;

/** Identity function that infers a tool's input and output from its schemas. */
export function defineTool<I, O extends JsonObject>(tool: Tool<I, O>): Tool<I, O> {
  return tool;
}
