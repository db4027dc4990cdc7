/** Durable tasks as this process keeps and runs them. */
import { resolve } from 'node:path';
import type { Config } from './config/schema.ts';
import { Failure } from './errors.ts';
import type { Principal } from './identity/principal.ts';
import { createTaskPort } from './orchestrator/durable-port.ts';
import { type DurableService, openDurableTasks } from './orchestrator/durable-service.ts';
import type { Orchestrator } from './orchestrator/orchestrator.ts';
import type { Catalogue } from './tools/catalogue.ts';
import type { TaskPort } from './tools/task-port.ts';

export interface DurableTasksSetup {
  readonly config: Config;
  /** The state folder. */
  readonly state: string;
  readonly catalogue: Catalogue;
  /** Asked for late: its tools need the tasks. */
  orchestrator(): Orchestrator;
  /** Whether this process runs what is ready, whoever stored it. */
  readonly serves: boolean;
  /** A word for people. */
  onTrouble(message: string): void;
}

/** A server looks at the tasks this long after its start, milliseconds: its first client has been answered by then. */
const SERVE_AFTER_MS = 300;

export function createDurableTasks(setup: DurableTasksSetup): { readonly tasks: DurableService; readonly port: TaskPort } {
  const { config, state, catalogue, orchestrator, serves, onTrouble } = setup;
  const { max_durable_tasks, task_retention } = config.orchestrator;
  const opened = openDurableTasks({
    folder: state,
    place: resolve(config.execution.workspace || process.cwd()),
    retentionSeconds: task_retention,
    capacity: max_durable_tasks,
    graceSeconds: serves ? config.server.shutdown_grace_seconds : 0,
    async runCall(run, task, signal, ask) {
      await refuseRevoked(task.owner, state);
      const { createTaskCalls } = await import('./orchestrator/task-calls.ts');
      return createTaskCalls(orchestrator())(run, task, signal, ask);
    },
    async mayRepeat(name) {
      const { annotations } = await catalogue.tool(name);
      return annotations.readOnlyHint || annotations.idempotentHint;
    },
    onTrouble,
  });
  const start = () => opened.serve().catch((thrown: Error) => onTrouble(thrown.message));
  const serving = serves ? setTimeout(start, SERVE_AFTER_MS) : undefined;
  serving?.unref();
  const tasks: DurableService = {
    ...opened,
    async [Symbol.asyncDispose]() {
      clearTimeout(serving);
      await opened[Symbol.asyncDispose]();
    },
  };
  return { tasks, port: createTaskPort({ durable: tasks, catalogue, agents: () => orchestrator().status().agents }) };
}

/** A key may be revoked, or expire, between the creation of a task and its turn. @throws Failure `denied` */
async function refuseRevoked({ id, kind, name }: Principal, state: string): Promise<void> {
  if (kind !== 'key') return;
  const [{ createKeyLookup }, { isUsable, keysFolder }] = await Promise.all([
    import('./identity/key-lookup.ts'),
    import('./identity/key-record.ts'),
  ]);
  const key = createKeyLookup(keysFolder(state)).find(id.slice('key:'.length));
  if (key && isUsable(key, Date.now())) return;
  throw new Failure('denied', `The API key ${name}, with which this task was created, is no longer valid.`);
}
