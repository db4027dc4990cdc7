/** Projects: their tasks on the way into the store, in an order that can be kept, and what blocks them. */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { NewTaskRow, ProjectRow, TaskStore } from '../state/task-store.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import { shortNote } from './durable-results.ts';
import { projectOf, rowOf, taskOf } from './durable-rows.ts';
import type { DurableTask, NewProject, NewProjectTask, Project } from './durable-tasks.ts';

/** @throws Failure `invalid_input` for a key that is missing or there twice, and for tasks that wait for each other */
export function newProjectRows(
  project: NewProject,
  principal: Principal,
): { readonly row: ProjectRow; readonly tasks: readonly NewTaskRow[] } {
  const id = crypto.randomUUID();
  const { name, description, components } = project;
  const ids = new Map<string, string>();
  const tasks = inOrder(project.tasks).map(({ needs, ...task }) => {
    const dependsOn = [...new Set(needs)].map((key) => ids.get(key) as string);
    const row = rowOf({ ...task, principal, project: id, dependsOn });
    ids.set(task.key, row.id);
    return row;
  });
  const row = {
    id,
    principal: principal.id,
    name,
    description,
    components: JSON.stringify(components),
    created_ms: Date.now(),
  };
  return { row, tasks };
}

/** As given, but for those that were given before what they need. */
function inOrder(tasks: readonly NewProjectTask[]): readonly NewProjectTask[] {
  const byKey = new Map<string, NewProjectTask>();
  for (const task of tasks) {
    if (byKey.has(task.key)) throw new Failure('invalid_input', `Two tasks have the key "${task.key}".`);
    byKey.set(task.key, task);
  }
  const ordered = new Set<NewProjectTask>();
  const path = new Set<string>();

  function place(task: NewProjectTask): void {
    if (ordered.has(task)) return;
    if (path.has(task.key)) throw cycle([...path], task.key);
    path.add(task.key);
    for (const key of task.needs) {
      const needed = byKey.get(key);
      if (!needed) throw unknownKey(task.key, key, [...byKey.keys()]);
      place(needed);
    }
    path.delete(task.key);
    ordered.add(task);
  }

  for (const task of tasks) place(task);
  return [...ordered];
}

function cycle(path: readonly string[], key: string): Failure {
  const around = [...path.slice(path.indexOf(key)), key].map((each) => `"${each}"`).join(' needs ');
  return new Failure('invalid_input', `These tasks wait for each other: ${around}.`, {
    hint: 'Take one of these dependencies away.',
  });
}

function unknownKey(task: string, key: string, known: readonly string[]): Failure {
  return new Failure('invalid_input', `"${task}" depends on "${key}", which is no task of the project.`, {
    hint: `Its tasks: ${known.join(', ')}.`,
  });
}

/** A project with its tasks as in lists, but with what they depend on. @throws Failure `not_found` */
export function projectWithTasks(
  store: TaskStore,
  id: string,
  principal: Principal,
): { readonly project: Project; readonly tasks: readonly DurableTask[] } {
  const row = store.project(id, principal.id);
  if (!row) {
    throw new Failure('not_found', `There is no project ${id}.`, { hint: 'Without an id get_project_status lists them.' });
  }
  const rows = new Map(store.tasksOfProject(id).map((each) => [each.number, each]));
  const links = Map.groupBy(store.dependenciesOfProject(id), ({ task }) => task);
  const deadEnds = new Map<number, readonly TaskRow[]>();

  function needsOf(number: number): readonly TaskRow[] {
    return (links.get(number) ?? []).flatMap(({ needs }) => rows.get(needs) ?? store.get(needs) ?? []);
  }

  /** Tasks that did not complete and keep it from ever beginning. Ones it needs come before it, so this ends. */
  function stuckBy({ number }: TaskRow): readonly TaskRow[] {
    const known = deadEnds.get(number);
    if (known) return known;
    const found = needsOf(number).flatMap((each) => (isDeadEnd(each) ? [each] : each.state === 'blocked' ? stuckBy(each) : []));
    const once = [...new Set(found)];
    deadEnds.set(number, once);
    return once;
  }

  const tasks = [...rows.values()].map((each) => {
    const needs = needsOf(each.number);
    const task = taskOf(
      each,
      needs.map((needed) => needed.id),
    );
    return each.state === 'blocked' ? { ...task, ...whyBlocked(stuckBy(each), needs) } : task;
  });
  return { project: projectOf(row), tasks };
}

/** It has ended, and what depends on it does not begin. */
export function isDeadEnd({ state }: Pick<TaskRow, 'state'>): boolean {
  return state === 'failed' || state === 'cancelled' || state === 'interrupted';
}

/**
 * @param stuckBy what keeps it from ever beginning
 * @param needs all that it depends on
 */
export function whyBlocked(
  stuckBy: readonly Pick<TaskRow, 'title' | 'state'>[],
  needs: readonly Pick<TaskRow, 'title' | 'state'>[],
): Pick<DurableTask, 'note' | 'stuck'> {
  if (stuckBy.length > 0) {
    const said = stuckBy.map(({ title, state }) => `"${title}" ${state === 'failed' ? 'failed' : `was ${state}`}`);
    return { note: shortNote(said.join(', ')), stuck: true };
  }
  const waiting = needs.filter(({ state }) => state !== 'completed').map(({ title }) => `"${title}"`);
  return { note: shortNote(`It waits for ${waiting.join(', ')}.`) };
}
