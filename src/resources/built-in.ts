/** The resources every server offers: what it runs on, what it is doing, how it is set up. */

import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';
import type { Resource, ResourceContents } from './resource.ts';

export interface BuiltInResourceOptions {
  readonly orchestrator: Orchestrator;
  /** The configured backend. */
  backend(): Promise<GuardedBackend>;
  /** The configuration in force, secrets masked. */
  effectiveConfig(): unknown;
}

const JSON_TYPE = 'application/json';

export function builtInResources({ orchestrator, backend, effectiveConfig }: BuiltInResourceOptions): readonly Resource[] {
  return [
    {
      uri: 'agents://status',
      name: 'agents-status',
      title: 'Agents',
      description: 'What runs tool calls: load, capacity, calls and failures so far, and how many calls wait.',
      mimeType: JSON_TYPE,
      read: async () => json(orchestrator.status()),
    },
    {
      uri: 'tasks://all',
      name: 'tasks-all',
      title: 'Tasks',
      description: 'Your latest tool calls, newest first: tool, state, times, failure code.',
      mimeType: JSON_TYPE,
      read: async ({ principal }) => json({ tasks: orchestrator.tasks(principal) }),
    },
    {
      uri: 'execution://status',
      name: 'execution-status',
      title: 'Execution',
      description: 'The backend that commands and file access go to, whether it works, and the machine behind it.',
      mimeType: JSON_TYPE,
      read: async () => {
        const machine = await backend();
        const [health, info] = await Promise.all([machine.health(), machine.info()]);
        return json({ backend: machine.name, health, info });
      },
    },
    {
      uri: 'config://effective',
      name: 'config-effective',
      title: 'Configuration',
      description: 'The configuration in force, with secrets masked.',
      mimeType: JSON_TYPE,
      scope: 'admin',
      read: async () => json(effectiveConfig()),
    },
  ];
}

function json(value: unknown): ResourceContents {
  return { mimeType: JSON_TYPE, text: JSON.stringify(value, null, 2) };
}
