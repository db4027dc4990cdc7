import { z } from 'zod';
import { backendArgument } from './backend-argument.ts';
import { defineTool } from './tool.ts';

const input = z.strictObject({
  backend: backendArgument,
});

const output = z.strictObject({
  hostname: z.string(),
  platform: z.string(),
  release: z.string(),
  distribution: z.string().optional(),
  architecture: z.string(),
  cpu_model: z.string(),
  cpu_count: z.int(),
  memory_total_bytes: z.int(),
  user: z.string(),
  home_directory: z.string(),
  shell: z.string(),
  timezone: z.string(),
});

export const getSystemInfo = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'get_system_info',
  title: 'Get system info',
  description:
    'What the machine is: operating system, CPU, memory, user, shell. It does not change while you work; for load and free space use get_system_status.',
  toolset: 'system',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ backend: name }, context) {
    const info = await (await context.backend(name)).info();
    return {
      hostname: info.hostname,
      platform: info.platform,
      release: info.release,
      ...(info.distribution !== undefined && { distribution: info.distribution }),
      architecture: info.architecture,
      cpu_model: info.cpuModel,
      cpu_count: info.cpuCount,
      memory_total_bytes: info.memoryTotalBytes,
      user: info.user,
      home_directory: info.homeDirectory,
      shell: info.shell,
      timezone: info.timezone,
    };
  },
});
