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
  /** Somebody waits for it: begun in this process at once, past its capacity if need be. */
  readonly atOnce?: boolean;
  /** The same key of the same principal again yields the task there is. */
  readonly idempotencyKey?: string;
  /** Milliseconds from its creation until it may be forgotten once it has ended; absent: as configured. */
  readonly ttlMs?: number;
  /** MCP session it was asked for in. */
  readonly session?: string;
  /** What the client behind it can be asked for (elicitation, sampling); absent: nothing. */
  readonly clientCapabilities?: JsonObject;
  /** Answers to questions that were asked before there was a task, under their keys. */
  readonly answers?: Readonly<Record<string, JsonObject>>;
  readonly description?: string;
  /** What kind of work it is, in its author's words. */
  readonly type?: string;
  /** Counts a command that ends with another exit status than 0 as failed; else that is a result like any other. */
  readonly strict?: boolean;
  /** How often it is run when it fails, with growing pauses; absent: once. */
  readonly maxAttempts?: number;
  /** The client's agent that an open one is meant for; absent: any. */
  readonly assignee?: string;
  /** Which part of its project it belongs to, and its name there. */
  readonly component?: string;
  readonly key?: string;
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
  /** Absent for a client's own work; in lists too, where only `tool` tells it. */
  readonly run?: TaskRun;
  readonly tool?: string;
  readonly description?: string;
  readonly type?: string;
  readonly project?: string;
  readonly component?: string;
  readonly key?: string;
  /** Ids; in lists empty. */
  readonly dependsOn: readonly string[];
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly ttlMs?: number;
  /** How often it was begun; an attempt that ended with questions does not count. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly assignee?: string;
  /** It is blocked for good, unless somebody does something about a task it depends on. */
  readonly stuck?: boolean;
  /** Why it is in its state, for people: what blocks it, what failed, how far it is. */
  readonly note?: string;
  /** The result of `tools/call` on the wire (content, structuredContent, isError), once it has one; not in lists. */
  readonly result?: JsonObject;
  /** Failure code of one that did not complete. */
  readonly code?: string;
  /** The agent, or the client's agent, that did it. */
  readonly agent?: string;
  /** Questions it waits for, under their keys, in state `input_required`. */
  readonly questions?: Readonly<Record<string, AskRequest>>;
  readonly session?: string;
}

/** From the most to the least urgent. */
export const TASK_PRIORITIES: readonly TaskPriority[] = ['critical', 'high', 'medium', 'low'];

export const ENDED_TASK_STATES: readonly DurableState[] = ['completed', 'failed', 'cancelled', 'interrupted'];

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
  /** Forgets one that has ended, at once: nobody will come back for it. */
  discard(id: string, principal: Principal): Promise<void>;
  /** Answers to `questions`, all or some, in the wire's words. */
  answer(id: string, principal: Principal, answers: Readonly<Record<string, JsonObject>>): Promise<DurableTask>;
  /**
   * Called after each change of a task, from whichever process of this state folder, with no order between tasks. Changes
   * in quick succession may be told once, with how the task is after the last of them.
   */
  onChange(listener: (task: DurableTask) => void): () => void;
  /** Resolves when it has ended, or when the signal aborts. */
  ended(id: string, principal: Principal, signal: AbortSignal): Promise<DurableTask>;
}

/** A project: tasks under a name, in components. */
export interface Project {
  /** UUID */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly components: readonly { readonly name: string; readonly description?: string }[];
  readonly createdMs: number;
}

/** A task of a new project; it names those it depends on by their keys in the same project. */
export type NewProjectTask = Omit<NewDurableTask, 'principal' | 'project' | 'dependsOn' | 'key' | 'component'> & {
  readonly key: string;
  readonly component: string;
  readonly needs: readonly string[];
};

export interface NewProject extends Pick<Project, 'name' | 'description' | 'components'> {
  readonly tasks: readonly NewProjectTask[];
}

/** What a client's agent does with open work, and what a person does about tasks that did not complete. */
export interface TaskManagement {
  /** Takes open work for a client's agent. @throws Failure `conflict` when it is not open, or meant for another agent */
  claim(id: string, principal: Principal, agent: string): Promise<DurableTask>;
  /** Notes how far claimed work is. @throws Failure `conflict` when somebody else has it */
  report(id: string, principal: Principal, agent: string | undefined, note: string): Promise<DurableTask>;
  /** Ends open or claimed work; or calls one completed that failed, so that what depends on it goes on. */
  finish(
    id: string,
    principal: Principal,
    end: { readonly agent?: string; readonly outcome: 'completed' | 'failed'; readonly note?: string },
  ): Promise<DurableTask>;
  /** Means open work for a client's agent, which alone may claim it then; undefined: for any. */
  assign(id: string, principal: Principal, agent: string | undefined): Promise<DurableTask>;
  /** Gives claimed work back. */
  release(id: string, principal: Principal, note?: string): Promise<DurableTask>;
  /** Lets one that failed, was cancelled or interrupted begin again. */
  retry(id: string, principal: Principal): Promise<DurableTask>;
  /** Stores a project with its tasks, all or nothing. @throws Failure `invalid_input` for unknown keys and cycles */
  createProject(project: NewProject, principal: Principal): Promise<{ project: Project; tasks: readonly DurableTask[] }>;
  /** A project with its tasks as in lists, but with what they depend on. @throws Failure `not_found` */
  project(id: string, principal: Principal): Promise<{ project: Project; tasks: readonly DurableTask[] }>;
  /** Newest first. */
  projects(
    principal: Principal,
    limit: number,
  ): Promise<readonly (Project & { readonly counts: Partial<Record<DurableState, number>> })[]>;
  /** Resolves when the task is as asked for, or when the signal aborts. */
  until(id: string, principal: Principal, signal: AbortSignal, isEnough: (task: DurableTask) => boolean): Promise<DurableTask>;
  /** Whether a process that lives runs the tasks of this state folder. */
  isServed(): Promise<boolean>;
  /** Runs just this task, and those it depends on, in this process. */
  runHere(id: string, principal: Principal): Promise<void>;
}
