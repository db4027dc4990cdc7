import { z } from 'zod';
import { inOneLine } from './shown-names.ts';
import { tasksOf } from './task-arguments.ts';
import type { AgentView, TaskView } from './task-port.ts';
import { looseOutput, time } from './task-view.ts';
import { defineTool, type JsonObject } from './tool.ts';

const STATUSES = ['all', 'idle', 'busy', 'starting', 'draining', 'restarting'] as const;
/** Tasks that client agents have, or are meant for them, which are looked at. */
const MAX_TASKS = 1000;

const input = z.strictObject({ status: z.enum(STATUSES).default('all') });

interface Shown extends JsonObject {
  readonly id: string;
  readonly kind: 'server' | 'client';
  readonly status: string;
}

export const listAgents = defineTool<z.infer<typeof input>, { agents: readonly Shown[] }>({
  name: 'list_agents',
  title: 'List agents',
  description:
    'Who does the work: the agents of this server with their load, calls, restarts, lag and heap, and your own agents that ' +
    'have claimed tasks or are meant for some.',
  toolset: 'projects',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  runsIn: 'server',
  input,
  output: looseOutput,
  async execute({ status }, context) {
    const tasks = tasksOf(context);
    const { tasks: work } = await tasks.list(context.principal, { limit: MAX_TASKS, states: ['claimed', 'open'] });
    const agents = [...tasks.agents().map(ofServer), ...ofClients(work)];
    return { agents: agents.filter((agent) => status === 'all' || agent.status === status) };
  },
  present: ({ agents }) => agents.map(line).join('\n') || '[no agents]',
});

function ofServer({ id, state, running, capacity, calls, failures, restarts, lastEnd, startedMs, health }: AgentView): Shown {
  return {
    ...{ id, kind: 'server', status: state === 'ready' ? (running > 0 ? 'busy' : 'idle') : state },
    ...{ running, capacity, calls, failures, restarts },
    started_at: time(startedMs),
    ...(lastEnd !== undefined && { last_end: lastEnd }),
    ...(health && { event_loop_lag_ms: health.eventLoopLagMs, heap_used_bytes: health.heapUsedBytes }),
  };
}

function ofClients(tasks: readonly TaskView[]): Shown[] {
  const agents = new Map<string, { claimed: TaskView[]; assigned: TaskView[] }>();
  for (const task of tasks) {
    const name = task.state === 'claimed' ? task.agent : task.assignee;
    if (name === undefined) continue;
    const found = agents.get(name) ?? { claimed: [], assigned: [] };
    found[task.state === 'claimed' ? 'claimed' : 'assigned'].push(task);
    agents.set(name, found);
  }
  const brief = (given: readonly TaskView[]) =>
    given.map(({ id, title, note }) => ({ id, title, ...(note !== undefined && { note }) }));
  return [...agents].map(([id, { claimed, assigned }]) => ({
    ...{ id, kind: 'client' as const, status: claimed.length > 0 ? 'busy' : 'idle' },
    ...(claimed.length > 0 && { claimed: brief(claimed) }),
    ...(assigned.length > 0 && { assigned: brief(assigned) }),
  }));
}

function line(agent: Shown): string {
  const { id, kind, status, running, capacity, calls, restarts, event_loop_lag_ms: lag, claimed = [], assigned = [] } = agent;
  const head = `${inOneLine(id)} · ${status}`;
  if (kind === 'server') {
    return `${head} · ${running}/${capacity} running · ${calls} calls · ${restarts} restarts${lag === undefined ? '' : ` · lag ${lag} ms`}`;
  }
  const titles = (given: unknown) =>
    (given as readonly { readonly title: string }[]).map(({ title }) => `"${inOneLine(title)}"`).join(', ');
  const has = titles(claimed);
  const next = titles(assigned);
  return [head, ...(has ? [`has ${has}`] : []), ...(next ? [`is meant for ${next}`] : [])].join(' · ');
}
