/** A project on its way into the store: its tasks in an order in which each comes after those it needs. */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { NewTaskRow, ProjectRow } from '../state/task-store.ts';
import { rowOf } from './durable-rows.ts';
import type { NewProject, NewProjectTask } from './durable-tasks.ts';

/** @throws Failure `invalid_input` for a key that is missing or there twice, and for tasks that wait for each other */
export function newProjectRows(
  project: NewProject,
  principal: Principal,
): { readonly row: ProjectRow; readonly tasks: readonly NewTaskRow[] } {
  const id = crypto.randomUUID();
  const { name, description, components } = project;
  const ids = new Map<string, string>();
  const tasks = inOrder(project.tasks).map(({ needs, ...task }) => {
    const row = rowOf({ ...task, principal, project: id, dependsOn: needs.map((key) => ids.get(key) as string) });
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
export function inOrder(tasks: readonly NewProjectTask[]): readonly NewProjectTask[] {
  const byKey = new Map<string, NewProjectTask>();
  for (const task of tasks) {
    if (byKey.has(task.key)) throw new Failure('invalid_input', `Two tasks have the key "${task.key}".`);
    byKey.set(task.key, task);
  }
  const ordered = new Set<NewProjectTask>();
  const path: string[] = [];

  function place(task: NewProjectTask): void {
    if (ordered.has(task)) return;
    if (path.includes(task.key)) {
      const cycle = [...path.slice(path.indexOf(task.key)), task.key].map((key) => `"${key}"`).join(' needs ');
      throw new Failure('invalid_input', `These tasks wait for each other: ${cycle}.`, {
        hint: 'Take one of these dependencies away.',
      });
    }
    path.push(task.key);
    for (const key of task.needs) {
      const needed = byKey.get(key);
      if (!needed) {
        const known = [...byKey.keys()].join(', ');
        throw new Failure('invalid_input', `"${task.key}" depends on "${key}", which is no task of the project.`, {
          hint: `Its tasks: ${known}.`,
        });
      }
      place(needed);
    }
    path.pop();
    ordered.add(task);
  }

  for (const task of tasks) place(task);
  return [...ordered];
}
