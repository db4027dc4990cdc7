/** Durable tasks over a state folder of their own, whose calls the test itself makes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LOCAL_PRINCIPAL, type Principal } from '../../src/identity/principal.ts';
import { type DurableService, type DurableTasksOptions, openDurableTasks } from '../../src/orchestrator/durable-service.ts';
import type { DurableTask } from '../../src/orchestrator/durable-tasks.ts';

export const OTHER: Principal = { ...LOCAL_PRINCIPAL, id: 'key:other', kind: 'key', name: 'other' };

export function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-tasks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export type Calls = DurableTasksOptions['runCall'];

/** What a tool returns on the wire. */
export const text = (said: string) => ({ content: [{ type: 'text', text: said }], structuredContent: { said } });
export const failure = (code: string, message: string) => ({
  content: [{ type: 'text', text: message }],
  isError: true,
  _meta: { 'mcp-python/failure': { code, message } },
});

/** @param runCall makes the calls; by default each ends at once with its own arguments */
export function open(
  folder: string,
  runCall: Calls = async (run) => text(JSON.stringify(run.arguments)),
  options: Partial<DurableTasksOptions> = {},
): DurableService {
  const service = openDurableTasks({
    folder,
    place: folder,
    retentionSeconds: 3600,
    capacity: 4,
    graceSeconds: 0,
    runCall,
    mayRepeat: async (tool) => tool.startsWith('get_'),
    onTrouble: (message) => {
      throw new Error(message);
    },
    ...options,
  });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return service;
}

export const run = (tool = 'get_system_info', values = {}) => ({ tool, arguments: values });
export const task = (title: string, more: object = {}) => ({ principal: LOCAL_PRINCIPAL, title, run: run(), ...more });

export function ended(service: DurableService, { id }: DurableTask): Promise<DurableTask> {
  return service.ended(id, LOCAL_PRINCIPAL, AbortSignal.timeout(10_000));
}

/** Resolves with the task when it is in this state. */
export async function reaches(service: DurableService, { id }: DurableTask, state: string): Promise<DurableTask> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await service.get(id, LOCAL_PRINCIPAL);
    if (found.state === state) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`It never was ${state}: ${JSON.stringify(await service.get(id, LOCAL_PRINCIPAL))}`);
}
