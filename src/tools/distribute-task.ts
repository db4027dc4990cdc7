import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { NOBODY } from './create-task.ts';
import {
  agentArgument,
  maxAttemptsArgument,
  priorityArgument,
  sameRunArgument,
  tasksOf,
  taskToCreate,
} from './task-arguments.ts';
import { PRIORITIES, type TaskPort, type TaskView } from './task-port.ts';
import { looseOutput, presentTask, type ShownTask, showTask } from './task-view.ts';
import { defineTool } from './tool.ts';

const ACTIONS = ['assign', 'claim', 'report', 'complete', 'fail', 'release', 'retry', 'cancel'] as const;

const input = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  description: z.string().optional(),
  task_type: z.string().optional(),
  priority: priorityArgument,
  run: sameRunArgument,
  depends_on: z.array(z.string()).optional(),
  max_attempts: maxAttemptsArgument,
  agent: agentArgument.describe('Name of your agent: whom it is for, or who claims, reports, completes.'),
  action: z.enum(ACTIONS).default('assign'),
  task_id: z.string().optional().describe('For every action but assign of a new task, and claim of whatever is next.'),
  note: z.string().optional().describe('How far it is, what came out, why it failed.'),
  wait: z.boolean().default(false).describe('assign and retry: answer when it has ended.'),
});
type Input = z.infer<typeof input>;

export const distributeTask = defineTool<Input, { task?: ShownTask; hint?: string }>({
  name: 'distribute_task',
  title: 'Distribute task',
  description:
    'Give a task to somebody. action=assign creates one (title, description, task_type) and gives it to the server with ' +
    '`run`, else to the agent named; or gives an open task (task_id) to an agent. Agents then claim (without task_id the ' +
    'next one for them), report, and complete or fail it, or release it. retry and cancel work on every task; complete ' +
    'also lets the rest go on after a failed one.',
  toolset: 'projects',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  runsIn: 'server',
  input,
  output: looseOutput,
  async execute(given, context) {
    const { principal, signal } = context;
    const { action, task_id, agent, note } = given;
    const tasks = tasksOf(context);
    if (action === 'claim') {
      const claimed = await claim(tasks, principal, needed(agent, 'agent', action), task_id);
      return claimed ? { task: showTask(claimed) } : { hint: 'There is no open task for this agent.' };
    }
    if (action !== 'assign' || task_id !== undefined) {
      const changed = await change(tasks, principal, given, needed(task_id, 'task_id', action));
      return action === 'retry' ? begun(changed) : { task: showTask(changed) };
    }
    const asked = { ...given, title: needed(given.title, 'title', action) };
    const { depends_on } = given;
    if (note !== undefined) throw new Failure('invalid_input', 'A new task takes no note.', { hint: 'Put it into description.' });
    const created = await tasks.create(
      { ...(await taskToCreate(asked, context)), ...(depends_on && { dependsOn: depends_on }) },
      principal,
    );
    return begun(created);

    async function begun(task: TaskView) {
      if (given.wait) return { task: showTask(await tasks.settled(task.id, principal, signal)) };
      const nobody = task.tool !== undefined && !(await tasks.isServed());
      return { task: showTask(task), ...(nobody && { hint: NOBODY }) };
    }
  },
  present: ({ task, hint }) => [task && presentTask(task), hint].filter((part) => part !== undefined).join('\n'),
});

function change(tasks: TaskPort, principal: Principal, { action, agent, note }: Input, id: string): Promise<TaskView> {
  const end = { ...(agent !== undefined && { agent }), ...(note !== undefined && { note }) };
  switch (action) {
    case 'report':
      return tasks.report(id, principal, agent, needed(note, 'note', action));
    case 'complete':
      return tasks.finish(id, principal, { ...end, outcome: 'completed' });
    case 'fail':
      return tasks.finish(id, principal, { ...end, outcome: 'failed' });
    case 'release':
      return tasks.release(id, principal, note);
    case 'retry':
      return tasks.retry(id, principal);
    case 'cancel':
      return tasks.cancel(id, principal);
    default:
      return tasks.assign(id, principal, agent);
  }
}

/** The one named, or the most urgent and oldest that the agent may take: meant for it before meant for anybody. */
async function claim(
  tasks: TaskPort,
  principal: Principal,
  agent: string,
  id: string | undefined,
): Promise<TaskView | undefined> {
  if (id !== undefined) return tasks.claim(id, principal, agent);
  const open = (await tasks.list(principal, { limit: MAX_OPEN, states: ['open'] })).tasks;
  const rank = ({ assignee, priority }: TaskView) =>
    (assignee === undefined ? PRIORITIES.length : 0) + PRIORITIES.indexOf(priority);
  const ours = open.filter(({ assignee }) => assignee === undefined || assignee === agent);
  for (const task of ours.toReversed().sort((a, b) => rank(a) - rank(b))) {
    try {
      return await tasks.claim(task.id, principal, agent);
    } catch (thrown) {
      // Another agent was faster.
      if (!(thrown instanceof Failure && thrown.code === 'conflict')) throw thrown;
    }
  }
  return undefined;
}

/** Open tasks that are looked at for the next one. */
const MAX_OPEN = 500;

function needed(value: string | undefined, name: string, action: string): string {
  if (value !== undefined) return value;
  throw new Failure('invalid_input', `action=${action} needs \`${name}\`.`);
}
