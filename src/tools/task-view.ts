/** Tasks as tools tell them, to programs and to models. */
import { z } from 'zod';
import { inOneLine } from './shown-names.ts';
import type { TaskView } from './task-port.ts';
import type { JsonObject } from './tool.ts';

/** What the tools about tasks return is not declared: the list of all tools is to stay short for those who read it. */
// biome-ignore lint/suspicious/noExplicitAny: each tool has a type of its own for it
export const looseOutput: z.ZodType<any> = z.looseObject({});

export interface ShownTask extends JsonObject {
  readonly id: string;
  readonly title: string;
  readonly state: string;
}

export function showTask(task: TaskView): ShownTask {
  const { id, title, state, dependsOn, createdMs, startedMs, endedMs, attempts, maxAttempts, result } = task;
  return withoutUndefined({
    ...{ id, title, state },
    priority: task.priority,
    task_type: task.type,
    description: task.description,
    runs: task.tool,
    project_id: task.project,
    component: task.component,
    key: task.key,
    depends_on: dependsOn.length > 0 ? [...dependsOn] : undefined,
    created_at: time(createdMs),
    started_at: time(startedMs),
    ended_at: time(endedMs),
    ...(task.tool !== undefined && { attempts, max_attempts: maxAttempts }),
    assigned_to: task.assignee,
    agent: task.agent,
    note: task.note,
    code: task.code,
    output: result && textOf(result),
    result: result?.structuredContent,
  }) as ShownTask;
}

/** One task in one line: its state, its title, why it is so, and who. */
export function lineOf(task: ShownTask): string {
  const { state, title, id, note, agent, assigned_to, runs, started_at, ended_at, attempts } = task;
  const ran =
    typeof started_at === 'string' && typeof ended_at === 'string' ? Date.parse(ended_at) - Date.parse(started_at) : undefined;
  const who = runs === undefined ? (agent ?? assigned_to) : undefined;
  return [
    `${state.padEnd(11)} ${inOneLine(title)}`,
    ...(note === undefined ? [] : [inOneLine(String(note))]),
    ...(who === undefined ? [] : [`by ${inOneLine(String(who))}`]),
    ...(ran === undefined ? [] : [`${(ran / 1000).toFixed(1)} s`]),
    ...(typeof attempts === 'number' && attempts > 1 ? [`attempt ${attempts}`] : []),
    id,
  ].join(' · ');
}

/** A task in full: its line, and what came out of it. */
export function presentTask(task: ShownTask): string {
  const { output } = task;
  return typeof output === 'string' && output !== '' ? `${lineOf(task)}\n${output}` : lineOf(task);
}

export function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

export function withoutUndefined(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function textOf({ content }: JsonObject): string | undefined {
  const blocks = Array.isArray(content) ? (content as readonly { readonly type: string; readonly text?: string }[]) : [];
  const text = blocks.flatMap((block) => (block.type === 'text' && block.text !== undefined ? [block.text] : []));
  return text.length > 0 ? text.join('\n') : undefined;
}
