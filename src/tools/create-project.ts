import { z } from 'zod';
import { Failure } from '../errors.ts';
import { NOBODY } from './create-task.ts';
import { type Scaffolded, scaffold, TEMPLATES } from './project-templates.ts';
import { presentProject, type ShownProject, showProject } from './project-view.ts';
import {
  agentArgument,
  maxAttemptsArgument,
  priorityArgument,
  sameRunArgument,
  tasksOf,
  taskToCreate,
} from './task-arguments.ts';
import type { ProjectWithTasks, TaskPort } from './task-port.ts';
import { looseOutput } from './task-view.ts';
import { defineTool, type JsonObject, type ToolContext } from './tool.ts';

/** Tasks of one project. */
const MAX_TASKS = 1000;

const task = z.strictObject({
  title: z.string().min(1).max(200),
  key: z.string().min(1).optional().describe('Name for depends_on; absent: the title.'),
  description: z.string().optional(),
  task_type: z.string().optional(),
  priority: priorityArgument,
  run: sameRunArgument,
  depends_on: z.array(z.string()).default([]).describe('Keys of tasks of this project, in any component.'),
  agent: agentArgument,
  max_attempts: maxAttemptsArgument,
});

const component = z.strictObject({
  name: z.string().min(1).max(100),
  description: z.string().optional(),
  tasks: z.array(task).default([]),
});

const input = z.strictObject({
  name: z.string().min(1).max(100),
  description: z.string(),
  components: z.array(z.union([z.string().min(1).max(100), component])).max(100),
  template: z.enum(TEMPLATES).optional().describe('Makes folders and files for the components too; none is overwritten.'),
  directory: z.string().optional().describe('For template; absent: the name, in the workspace.'),
});
type Input = z.infer<typeof input>;

interface Output extends JsonObject {
  readonly project: ShownProject;
  readonly files?: Scaffolded;
  readonly hint?: string;
}

export const createProject = defineTool<Input, Output>({
  name: 'create_project',
  title: 'Create project',
  description:
    'Plan work as components with tasks that depend on each other. Tasks with `run` are run in order as they become ready, ' +
    'also when you are gone; the others wait for your agents (distribute_task). A failed task blocks what depends on it. ' +
    'Follow it with get_project_status.',
  toolset: 'projects',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  runsIn: 'server',
  input,
  output: looseOutput,
  async execute(given, context) {
    const tasks = tasksOf(context);
    const { template, directory, name } = given;
    const made = await create(given, tasks, context);
    const project = showProject(made);
    const runs = made.tasks.some(({ tool }) => tool !== undefined);
    const hint = runs && !(await tasks.isServed()) ? { hint: NOBODY } : {};
    if (template === undefined) return { project, ...hint };
    const { description, components } = made.project;
    const files = await scaffold(template, directory ?? name, { name, description, components }, context);
    return { project, files, ...hint };
  },
  present({ project, files, hint }) {
    const parts = [presentProject(project)];
    if (files) parts.push(`Made ${files.created.length} files in ${files.directory}.`);
    if (files && files.kept.length > 0) parts.push(`Left as they were: ${files.kept.join(', ')}`);
    if (hint !== undefined) parts.push(hint);
    return parts.join('\n');
  },
});

async function create(given: Input, tasks: TaskPort, context: ToolContext): Promise<ProjectWithTasks> {
  const { name, description } = given;
  const components = given.components.map((each) => (typeof each === 'string' ? { name: each, tasks: [] } : each));
  const total = components.reduce((sum, each) => sum + each.tasks.length, 0);
  if (total > MAX_TASKS) {
    throw new Failure('too_large', `A project has at most ${MAX_TASKS} tasks, not ${total}.`, {
      hint: 'Make it several projects.',
    });
  }
  const asked = await Promise.all(
    components.flatMap((each) =>
      each.tasks.map(async ({ key, depends_on, ...rest }) => ({
        ...(await taskToCreate(rest, context)),
        key: key ?? rest.title,
        needs: depends_on,
        component: each.name,
      })),
    ),
  );
  return tasks.createProject(
    {
      ...{ name, description, tasks: asked },
      components: components.map((each) => ({
        name: each.name,
        ...('description' in each && each.description !== undefined && { description: each.description }),
      })),
    },
    context.principal,
  );
}
