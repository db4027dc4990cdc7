/** What tools see of durable tasks. */
import { Failure } from '../errors.ts';
import { hasScope } from '../identity/principal.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AgentView, TaskPort } from '../tools/task-port.ts';
import type { DurableTask, DurableTasks, TaskManagement } from './durable-tasks.ts';
import { parseArguments } from './tool-values.ts';

export interface TaskPortOptions {
  readonly durable: DurableTasks & TaskManagement;
  readonly catalogue: Pick<Catalogue, 'tool'>;
  /** The agents of the pool, as they are now. */
  agents(): readonly AgentView[];
}

export function createTaskPort({ durable, catalogue, agents }: TaskPortOptions): TaskPort {
  return {
    async check({ tool: name, arguments: values }, principal) {
      const tool = await catalogue.tool(name);
      if (tool.toolset === 'projects') {
        throw new Failure('invalid_input', `A task cannot run ${name}.`, { hint: 'Create the further tasks beforehand.' });
      }
      if (!hasScope(principal, tool.scope ?? 'tools:execute')) {
        throw new Failure('denied', `${principal.name} may not use ${name}, in a task neither.`);
      }
      parseArguments(tool, values);
    },
    create: (task, principal) => durable.submit({ ...task, principal }),
    get: durable.get,
    list: durable.list,
    async settled(id, principal, signal) {
      const task = await durable.get(id, principal);
      if (isSettled(task)) return task;
      if (!(await durable.isServed())) await durable.runHere(id, principal);
      return durable.until(id, principal, signal, isSettled);
    },
    isServed: durable.isServed,
    cancel: durable.cancel,
    retry: durable.retry,
    assign: durable.assign,
    claim: durable.claim,
    report: durable.report,
    finish: durable.finish,
    release: durable.release,
    createProject: durable.createProject,
    project: durable.project,
    projects: durable.projects,
    agents,
  };
}

/** Whether it has ended, or waits for somebody. One that is blocked by a failed one is told so in its note. */
function isSettled({ state, stuck }: DurableTask): boolean {
  return state === 'blocked' ? stuck === true : state !== 'queued' && state !== 'running';
}
