import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { type Progress, presentProject, progressLine, progressOf, type ShownProject, showProject } from './project-view.ts';
import { inOneLine } from './shown-names.ts';
import { tasksOf } from './task-arguments.ts';
import type { TaskPort } from './task-port.ts';
import { lineOf, looseOutput, presentTask, type ShownTask, showTask, time } from './task-view.ts';
import { defineTool, type JsonObject } from './tool.ts';

const MAX_PROJECTS = 50;
const MAX_TASKS = 20;

const input = z.strictObject({
  project_id: z.string().optional().describe('Or its name. Absent: all projects in short, and the latest tasks.'),
  task_id: z.string().optional().describe('One task in full, with its output.'),
});

interface ListedProject {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly created_at: string | undefined;
  readonly progress: Progress;
}

interface Output extends JsonObject {
  readonly project?: ShownProject;
  readonly task?: ShownTask;
  readonly projects?: readonly ListedProject[];
  readonly tasks?: readonly ShownTask[];
}

export const getProjectStatus = defineTool<z.infer<typeof input>, Output>({
  name: 'get_project_status',
  title: 'Get project status',
  description:
    'How far a project is: its components and tasks with states, attempts, who has them, and why what waits is blocked.',
  toolset: 'projects',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  runsIn: 'server',
  input,
  output: looseOutput,
  async execute({ project_id, task_id }, context) {
    const tasks = tasksOf(context);
    const { principal } = context;
    if (task_id !== undefined) return { task: showTask(await tasks.get(task_id, principal)) };
    if (project_id !== undefined) {
      return { project: showProject(await tasks.project(await idOf(project_id, tasks, principal), principal)) };
    }
    const projects = await tasks.projects(principal, MAX_PROJECTS);
    const latest = await tasks.list(principal, { limit: MAX_TASKS });
    return {
      projects: projects.map(({ id, name, description, createdMs, counts }) => ({
        ...{ id, name, description },
        created_at: time(createdMs),
        progress: progressOf(counts),
      })),
      tasks: latest.tasks.map(showTask),
    };
  },
  present({ project, task, projects = [], tasks = [] }) {
    if (task) return presentTask(task);
    if (project) return presentProject(project);
    const lines = projects.map(({ id, name, progress }) => `${inOneLine(name)} · ${progressLine(progress)} · ${id}`);
    return [...lines, ...tasks.map(lineOf)].join('\n') || '[no projects and no tasks]';
  },
});

async function idOf(given: string, tasks: TaskPort, principal: Principal): Promise<string> {
  const named = (await tasks.projects(principal, MAX_PROJECTS)).filter(({ name }) => name === given);
  if (named.length > 1) {
    throw new Failure('conflict', `${named.length} projects are named "${given}".`, {
      hint: `Take one of their ids: ${named.map(({ id }) => id).join(', ')}.`,
    });
  }
  return named[0]?.id ?? given;
}
