/** Arguments that the tools which create tasks share, and what is made of them. */
import { z } from 'zod';
import { Failure } from '../errors.ts';
import { PRIORITIES, type TaskPort, type TaskToCreate } from './task-port.ts';
import type { ToolContext } from './tool.ts';

export const priorityArgument = z.enum(PRIORITIES).default('medium');

export const runArgument = z
  .strictObject({
    command: z.string().min(1).optional().describe('Script for /bin/sh; another exit code than 0 is a failure.'),
    working_directory: z.string().optional(),
    timeout: z.number().positive().optional().describe('Seconds, for command.'),
    tool: z.string().optional().describe('A tool of this server, with its arguments.'),
    arguments: z.record(z.string(), z.unknown()).optional(),
    prompt: z.string().min(1).optional().describe('For Claude.'),
  })
  .describe('What the server runs: command, tool or prompt. Absent: work that an agent of yours claims.');
type Run = z.infer<typeof runArgument>;

/** The same for tools beside create_task: what it holds is told to models once. */
export const sameRunArgument = z.record(z.string(), z.unknown()).optional().describe('As in create_task.');
export const maxAttemptsArgument = z.int().min(1).max(10).default(1).describe('Runs it again when it fails.');
export const agentArgument = z.string().min(1).optional();

/** What the tools ask for of a task, in their words. */
export interface AskedTask {
  readonly title: string;
  readonly description?: string | undefined;
  readonly task_type?: string | undefined;
  readonly priority: TaskToCreate['priority'];
  readonly run?: Readonly<Record<string, unknown>> | undefined;
  readonly max_attempts: number;
  readonly agent?: string | undefined;
}

/** @throws Failure that says which task's call cannot be made, and why */
export async function taskToCreate(asked: AskedTask, context: ToolContext): Promise<TaskToCreate> {
  const { title, description, task_type: type, priority = 'medium', run, max_attempts: maxAttempts, agent: assignee } = asked;
  const asRun = run && readRun(title, run);
  const call = asRun && (await callOf(asRun, context));
  try {
    if (call) await tasksOf(context).check(call, context.principal);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const { code, message, hint, details } = thrown;
    throw new Failure(code, `"${title}" cannot be run: ${message}`, { ...(hint && { hint }), ...(details && { details }) });
  }
  return {
    ...{ title, priority, maxAttempts },
    ...(description !== undefined && { description }),
    ...(type !== undefined && { type }),
    ...(assignee !== undefined && { assignee }),
    ...(call && { run: call }),
    strict: asRun?.command !== undefined,
  };
}

function readRun(title: string, run: Readonly<Record<string, unknown>>): Run {
  const parsed = runArgument.safeParse(run);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw new Failure('invalid_input', `"${title}" cannot be run: ${problems.join('; ')}.`, {
    hint: `A run takes ${Object.keys(runArgument.shape).join(', ')}.`,
  });
}

async function callOf({ command, working_directory, timeout, tool, arguments: values, prompt }: Run, context: ToolContext) {
  const kinds = [command, tool, prompt].filter((each) => each !== undefined).length;
  if (kinds !== 1) throw new Failure('invalid_input', 'A run takes one of command, tool and prompt.');
  if (tool !== undefined) return { tool, arguments: values ?? {} };
  if (prompt !== undefined) return { tool: 'claude_api', arguments: { message: prompt } };
  // Whoever runs it may have been started in another folder.
  const folder = (await context.backend()).absolute(working_directory ?? '.');
  const limit = timeout === undefined ? {} : { timeout };
  return { tool: 'execute_command', arguments: { command, background: true, working_directory: folder, ...limit } };
}

/** @throws Failure `unsupported` where there are no tasks, as in an agent */
export function tasksOf({ tasks }: ToolContext): TaskPort {
  if (tasks) return tasks;
  throw new Failure('unsupported', 'There are no tasks here.');
}
