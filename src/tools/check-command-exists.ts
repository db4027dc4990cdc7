import { z } from 'zod';
import { backendArgument } from './backend-argument.ts';
import { defineTool } from './tool.ts';

const input = z.strictObject({
  command: z.string().min(1).describe('Name of a program, "rg", or its path.'),
  backend: backendArgument,
});

const output = z.strictObject({
  command: z.string(),
  exists: z.boolean(),
  path: z.string().nullable().describe('What the name means to execute_command.'),
});

export const checkCommandExists = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'check_command_exists',
  title: 'Check command exists',
  description: 'Whether a program is installed, and where. Ask before you rely on one; nothing is run.',
  toolset: 'system',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ command, backend: name }, context) {
    const backend = await context.backend(name);
    const path = await backend.which(command, backend.environment().PATH ?? '');
    return { command, exists: path !== null, path };
  },
  present: ({ command, path }) => (path === null ? `${command} is not installed.` : `${command} is ${path}.`),
});
