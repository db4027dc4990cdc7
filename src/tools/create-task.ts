import { z } from 'zod';
import { agentArgument, maxAttemptsArgument, priorityArgument, runArgument, tasksOf, taskToCreate } from './task-arguments.ts';
import { looseOutput, presentTask, type ShownTask, showTask } from './task-view.ts';
import { defineTool } from './tool.ts';

const input = z.strictObject({
  title: z.string().min(1).max(200),
  description: z.string(),
  task_type: z.string().describe('In your words: build, review, research.'),
  priority: priorityArgument,
  run: runArgument.optional(),
  depends_on: z.array(z.string()).optional().describe('Ids of tasks that must be completed before.'),
  project_id: z.string().optional(),
  component: z.string().optional(),
  agent: agentArgument,
  max_attempts: maxAttemptsArgument,
  idempotency_key: z.string().min(1).max(200).optional().describe('The same key again is the same task.'),
  wait: z.boolean().default(false).describe('Answer when it has ended, or waits for somebody.'),
});

export const createTask = defineTool<z.infer<typeof input>, { task: ShownTask; hint?: string }>({
  name: 'create_task',
  title: 'Create task',
  description:
    'Keep a task that outlives this conversation and the server: something to run, after the tasks it depends on, or work ' +
    'for an agent of yours to claim with distribute_task. For something to run now and read the output of, use its tool.',
  toolset: 'projects',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  runsIn: 'server',
  input,
  output: looseOutput,
  async execute({ depends_on, project_id, component, idempotency_key, wait, ...asked }, context) {
    const { principal, signal } = context;
    const tasks = tasksOf(context);
    if (project_id !== undefined) await tasks.project(project_id, principal);
    const created = await tasks.create(
      {
        ...(await taskToCreate(asked, context)),
        ...(project_id !== undefined && { project: project_id }),
        ...(component !== undefined && { component }),
        ...(depends_on && { dependsOn: depends_on }),
        ...(idempotency_key !== undefined && { idempotencyKey: idempotency_key }),
      },
      principal,
    );
    if (wait) return { task: showTask(await tasks.settled(created.id, principal, signal)) };
    return { task: showTask(created), ...(asked.run && !(await tasks.isServed()) && { hint: NOBODY }) };
  },
  present: ({ task, hint }) => (hint === undefined ? presentTask(task) : `${presentTask(task)}\n${hint}`),
});

/** From a shell, with no server around. */
export const NOBODY =
  'No server runs tasks of this folder now. It is run as soon as `mcp-python serve` is started here; with wait=true at once.';
