/** Durable tasks and projects as tools see them. Tools that use them have `runsIn: 'server'`. */
import type { Principal } from '../identity/principal.ts';
import type { JsonObject } from './tool.ts';

export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;

/** States a task comes to, see the durable tasks of the orchestrator. */
export const TASK_STATES = [
  'blocked',
  'open',
  'claimed',
  'queued',
  'running',
  'input_required',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** A tool call that a task is made of. */
export interface TaskCall {
  readonly tool: string;
  readonly arguments: JsonObject;
}

export interface TaskToCreate {
  readonly title: string;
  readonly description?: string;
  readonly type?: string;
  readonly priority?: (typeof PRIORITIES)[number];
  /** Absent: work for a client's own agent. */
  readonly run?: TaskCall;
  /** Counts a command that ends with another exit status than 0 as failed. */
  readonly strict?: boolean;
  readonly maxAttempts?: number;
  /** The client's agent it is meant for. */
  readonly assignee?: string;
}

/** A task; times are milliseconds since 1970. */
export interface TaskView {
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
  readonly priority: (typeof PRIORITIES)[number];
  readonly tool?: string;
  readonly description?: string;
  readonly type?: string;
  readonly project?: string;
  readonly component?: string;
  readonly key?: string;
  /** Ids; in lists empty. */
  readonly dependsOn: readonly string[];
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly assignee?: string;
  readonly agent?: string;
  readonly note?: string;
  readonly code?: string;
  /** Of `tools/call`, on the wire; not in lists. */
  readonly result?: JsonObject;
}

export interface ProjectView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly components: readonly { readonly name: string; readonly description?: string }[];
  readonly createdMs: number;
}

/** How many tasks are in each state that any is in. */
export type StateCounts = Readonly<Partial<Record<TaskState, number>>>;

export interface ProjectWithTasks {
  readonly project: ProjectView;
  readonly tasks: readonly TaskView[];
}

/** An agent of the server's own pool. */
export interface AgentView {
  readonly id: string;
  readonly state: string;
  /** Calls now, and at most. */
  readonly running: number;
  readonly capacity: number;
  readonly calls: number;
  readonly failures: number;
  readonly restarts: number;
  readonly lastEnd?: string;
  readonly startedMs: number;
  readonly health?: { readonly eventLoopLagMs: number; readonly heapUsedBytes: number };
}

/** Every method throws Failure `not_found` for what is not there, or somebody else's, and `conflict` where the state forbids it. */
export interface TaskPort {
  /** @throws Failure that says why this call cannot be made: no such tool, bad arguments, not allowed */
  check(call: TaskCall, principal: Principal): Promise<void>;
  create(
    task: TaskToCreate & {
      readonly project?: string;
      readonly component?: string;
      readonly dependsOn?: readonly string[];
      readonly idempotencyKey?: string;
    },
    principal: Principal,
  ): Promise<TaskView>;
  get(id: string, principal: Principal): Promise<TaskView>;
  list(
    principal: Principal,
    page: { readonly limit: number; readonly cursor?: string; readonly project?: string; readonly states?: readonly TaskState[] },
  ): Promise<{ readonly tasks: readonly TaskView[]; readonly cursor?: string }>;
  /**
   * Resolves when nothing more will happen to the task by itself, or the signal aborts. Where no server runs the tasks,
   * this process runs it, and those it depends on.
   */
  settled(id: string, principal: Principal, signal: AbortSignal): Promise<TaskView>;
  /** Whether a living process runs the tasks. */
  isServed(): Promise<boolean>;
  cancel(id: string, principal: Principal): Promise<TaskView>;
  retry(id: string, principal: Principal): Promise<TaskView>;
  assign(id: string, principal: Principal, agent: string | undefined): Promise<TaskView>;
  claim(id: string, principal: Principal, agent: string): Promise<TaskView>;
  report(id: string, principal: Principal, agent: string | undefined, note: string): Promise<TaskView>;
  finish(
    id: string,
    principal: Principal,
    end: { readonly agent?: string; readonly outcome: 'completed' | 'failed'; readonly note?: string },
  ): Promise<TaskView>;
  release(id: string, principal: Principal, note?: string): Promise<TaskView>;
  /** Stores a project with its tasks, all or nothing. @throws Failure `invalid_input` for unknown keys and cycles */
  createProject(
    project: Pick<ProjectView, 'name' | 'description' | 'components'> & {
      readonly tasks: readonly (TaskToCreate & {
        readonly key: string;
        readonly component: string;
        readonly needs: readonly string[];
      })[];
    },
    principal: Principal,
  ): Promise<ProjectWithTasks>;
  project(id: string, principal: Principal): Promise<ProjectWithTasks>;
  /** Newest first. */
  projects(principal: Principal, limit: number): Promise<readonly (ProjectView & { readonly counts: StateCounts })[]>;
  agents(): readonly AgentView[];
}
