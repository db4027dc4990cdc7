/** Projects as tools tell them. */
import { inOneLine } from './shown-names.ts';
import type { ProjectWithTasks, StateCounts, TaskState, TaskView } from './task-port.ts';
import { lineOf, type ShownTask, showTask, time } from './task-view.ts';
import type { JsonObject } from './tool.ts';

export interface ShownProject extends JsonObject {
  readonly id: string;
  readonly name: string;
  readonly progress: Progress;
  readonly components: readonly { readonly name: string; readonly tasks: readonly ShownTask[] }[];
}

/** How many tasks there are, and of those how many in each state that any is in. */
export interface Progress extends StateCounts {
  readonly total: number;
  readonly completed: number;
}

export function progressOf(counts: Readonly<Partial<Record<TaskState, number>>>): Progress {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { ...counts, total, completed: counts.completed ?? 0 };
}

export function showProject({ project, tasks }: ProjectWithTasks): ShownProject {
  const keys = new Map(tasks.map(({ id, key }) => [id, key ?? id]));
  const shown = (task: TaskView): ShownTask => {
    const {
      project_id: _,
      component: __,
      ...told
    } = showTask({
      ...task,
      dependsOn: task.dependsOn.map((id) => keys.get(id) ?? id),
    });
    return told as ShownTask;
  };
  const names = new Set([...project.components.map(({ name }) => name), ...tasks.flatMap(({ component }) => component ?? [])]);
  const components = [...names].map((name) => {
    const description = project.components.find((each) => each.name === name)?.description;
    const ours = tasks.filter((task) => task.component === name);
    return {
      name,
      ...(description !== undefined && { description }),
      progress: progressOf(countStates(ours)),
      tasks: ours.map(shown),
    };
  });
  const without = tasks.filter(({ component }) => component === undefined);
  return {
    id: project.id,
    name: project.name,
    description: project.description,
    created_at: time(project.createdMs),
    progress: progressOf(countStates(tasks)),
    components,
    ...(without.length > 0 && { tasks: without.map(shown) }),
  };
}

function countStates(tasks: readonly TaskView[]): Partial<Record<TaskState, number>> {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const { state } of tasks) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** The tree: components, and under them their tasks. */
export function presentProject(project: ShownProject): string {
  const { id, name, progress, components } = project;
  const lines = [`${inOneLine(name)} · ${progressLine(progress)} · ${id}`];
  for (const component of components) {
    lines.push(`  ${inOneLine(component.name)}`);
    for (const task of component.tasks) lines.push(`    ${lineOf(task)}`);
  }
  for (const task of (project.tasks ?? []) as ShownTask[]) lines.push(`  ${lineOf(task)}`);
  return lines.join('\n');
}

/** `3 of 12 completed, 1 failed, 8 blocked` */
export function progressLine(progress: Progress): string {
  const { total, completed, ...others } = progress;
  const rest = Object.entries(others).map(([state, count]) => `, ${count} ${state.replace('_', ' ')}`);
  return `${completed} of ${total} completed${rest.join('')}`;
}
