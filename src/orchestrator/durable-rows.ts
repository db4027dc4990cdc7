/** Tasks as they are stored, and as everybody else knows them. */
import type { Principal, Scope } from '../identity/principal.ts';
import type { NewTaskRow, ProjectRow } from '../state/task-store.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import type { AskRequest, JsonObject } from '../tools/tool.ts';
import { type DurableState, type DurableTask, type NewDurableTask, type Project, TASK_PRIORITIES } from './durable-tasks.ts';

/** @param dependsOn ids, for one that is told in full */
export function taskOf(row: TaskRow, dependsOn: readonly string[] = []): DurableTask {
  const { tool } = row;
  return {
    id: row.id,
    title: row.title,
    principal: row.principal,
    state: row.state as DurableState,
    priority: TASK_PRIORITIES[row.priority] ?? 'medium',
    dependsOn,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    ...(tool !== null && { tool }),
    ...(tool !== null && row.arguments != null && { run: { tool, arguments: JSON.parse(row.arguments) as JsonObject } }),
    ...present({
      description: row.description,
      type: row.type,
      project: row.project,
      component: row.component,
      key: row.key,
      startedMs: row.started_ms,
      endedMs: row.ended_ms,
      ttlMs: row.ttl_ms,
      assignee: row.assignee,
      note: row.note,
      code: row.code,
      agent: row.agent,
      session: row.session,
    }),
    ...(row.result != null && { result: JSON.parse(row.result) as JsonObject }),
    ...(row.state === 'input_required' &&
      row.questions != null && { questions: JSON.parse(row.questions) as Record<string, AskRequest> }),
  };
}

export function rowOf(task: NewDurableTask): NewTaskRow {
  const { run, clientCapabilities } = task;
  return {
    id: crypto.randomUUID(),
    principal: task.principal.id,
    title: task.title,
    priority: TASK_PRIORITIES.indexOf(task.priority ?? 'medium'),
    tool: run?.tool ?? null,
    arguments: run ? JSON.stringify(run.arguments) : null,
    strict: task.strict ? 1 : 0,
    dependsOn: task.dependsOn ?? [],
    ...present({
      description: task.description,
      type: task.type,
      project: task.project,
      component: task.component,
      key: task.key,
      ttl_ms: task.ttlMs,
      max_attempts: task.maxAttempts,
      assignee: task.assignee,
      session: task.session,
      capabilities: clientCapabilities && JSON.stringify(clientCapabilities),
      answers: task.answers && JSON.stringify(task.answers),
      idempotency_key: task.idempotencyKey,
    }),
  };
}

export function projectOf({ id, name, description, components, created_ms }: ProjectRow): Project {
  return { id, name, description, components: JSON.parse(components) as Project['components'], createdMs: created_ms };
}

export function principalRecord({ id, kind, name, scopes }: Principal): string {
  return JSON.stringify({ id, kind, name, scopes: [...scopes] });
}

export function principalOf(record: string): Principal {
  const read = JSON.parse(record) as Omit<Principal, 'scopes'> & { readonly scopes: readonly Scope[] };
  return { ...read, scopes: new Set(read.scopes) };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> };

/** Without what is null or undefined. */
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as Present<T>;
}
