/**
 * Tasks that outlive the call, the client and the server: kept in the state folder, run by whichever server process
 * of that folder has a place free. After a crash running ones are queued again when their tool is idempotent by its
 * annotation, and end as `interrupted` otherwise.
 */
import type { Principal } from '../identity/principal.ts';
import type { AskRequest, JsonObject } from '../tools/tool.ts';

export type DurableState =
  /** Waits for other tasks. */
  | 'blocked'
  /** Work for a client's own agent, to be claimed. */
  | 'open'
  /** Claimed by a client's agent. */
  | 'claimed'
  | 'queued'
  | 'running'
  /** Waits for answers of the person or model behind the client. */
  | 'input_required'
  | 'completed'
  | 'failed'
  | 'cancelled'
  /** A server died while it ran, and it must not be run twice. */
  | 'interrupted';

export type TaskPriority = 'critical' | 'high' | 'medium' | 'low';

/** What a task is made of. Commands and prompts are calls too: of `execute_command` and `claude_api`. */
export interface TaskRun {
  readonly tool: string;
  readonly arguments: JsonObject;
}

export interface NewDurableTask {
  /** Who it belongs to, and on whose behalf it runs. */
  readonly principal: Principal;
  readonly title: string;
  /** Absent: work for a client's own agent. */
  readonly run?: TaskRun;
  readonly priority?: TaskPriority;
  /** Ids of tasks that must be completed before. */
  readonly dependsOn?: readonly string[];
  readonly project?: string;
  /** The same key of the same principal again yields the task there is. */
  readonly idempotencyKey?: string;
  /** Milliseconds from its creation until it may be forgotten once it has ended; absent: as configured. */
  readonly ttlMs?: number;
  /** MCP session it was asked for in. */
  readonly session?: string;
  /** What the client behind it can be asked for (elicitation, sampling); absent: nothing. */
  readonly clientCapabilities?: JsonObject;
}

/** A task as its owner sees it. Times are milliseconds since 1970. */
export interface DurableTask {
  /** UUID */
  readonly id: string;
  readonly title: string;
  /** Id of the principal. */
  readonly principal: string;
  readonly state: DurableState;
  readonly priority: TaskPriority;
  readonly run?: TaskRun;
  readonly project?: string;
  readonly dependsOn: readonly string[];
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly ttlMs?: number;
  readonly attempts: number;
  /** Why it is in its state, for people: what blocks it, what failed, how far it is. */
  readonly note?: string;
  /** The result of `tools/call` on the wire (content, structuredContent, isError), once it has one. */
  readonly result?: JsonObject;
  /** Failure code of one that did not complete. */
  readonly code?: string;
  /** The agent, or the client's agent, that did it. */
  readonly agent?: string;
  /** Questions it waits for, under their keys, in state `input_required`. */
  readonly questions?: Readonly<Record<string, AskRequest>>;
  readonly session?: string;
}

/** @throws Failure `not_found` for tasks that are not there, or somebody else's; `conflict` where the state forbids it */
export interface DurableTasks extends AsyncDisposable {
  /** Resolves once it is stored: kill -9 does not lose it. */
  submit(task: NewDurableTask): Promise<DurableTask>;
  get(id: string, principal: Principal): Promise<DurableTask>;
  /** Newest first, a page at a time. */
  list(
    principal: Principal,
    page: {
      readonly limit: number;
      readonly cursor?: string;
      readonly project?: string;
      readonly states?: readonly DurableState[];
    },
  ): Promise<{ readonly tasks: readonly DurableTask[]; readonly cursor?: string }>;
  /** Ends one that has not ended; its running call is cancelled, also when another process runs it. */
  cancel(id: string, principal: Principal): Promise<DurableTask>;
  /** Answers to `questions`, all or some, in the wire's words. */
  answer(id: string, principal: Principal, answers: Readonly<Record<string, JsonObject>>): Promise<DurableTask>;
  /** Called after each change of a task, from whichever process of this state folder, with no order between tasks. */
  onChange(listener: (task: DurableTask) => void): () => void;
  /** Resolves when it has ended, or when the signal aborts. */
  ended(id: string, principal: Principal, signal: AbortSignal): Promise<DurableTask>;
}
