import { z } from 'zod';
import { backendArgument } from './backend-argument.ts';
import { defineTool } from './tool.ts';

const input = z.strictObject({
  backend: backendArgument,
});

const output = z.strictObject({
  uptime_seconds: z.int(),
  load_average: z.array(z.number()).length(3).describe('1, 5 and 15 minutes.'),
  cpu_busy: z.number().describe('Share of all CPUs, 0 to 1.'),
  memory: z.looseObject({ total_bytes: z.int(), available_bytes: z.int() }),
  disks: z.array(z.looseObject({ mount: z.string() })),
  process_count: z.int(),
  top_processes: z.array(z.looseObject({ pid: z.int(), name: z.string() })),
});

export const getSystemStatus = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'get_system_status',
  title: 'Get system status',
  description:
    'How the machine is doing now: load, CPU, memory, disk space, the largest processes. For what it is use get_system_info.',
  toolset: 'system',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ backend: name }, context) {
    const status = await (await context.backend(name)).status(context.signal);
    const { memory } = status;
    return {
      uptime_seconds: status.uptimeSeconds,
      load_average: [...status.loadAverage],
      cpu_busy: status.cpuBusy,
      memory: {
        total_bytes: memory.totalBytes,
        available_bytes: memory.availableBytes,
        swap_total_bytes: memory.swapTotalBytes,
        swap_free_bytes: memory.swapFreeBytes,
      },
      disks: status.disks.map((disk) => ({
        mount: disk.mount,
        total_bytes: disk.totalBytes,
        available_bytes: disk.availableBytes,
      })),
      process_count: status.processCount,
      top_processes: status.topProcesses.map((top) => ({
        pid: top.pid,
        name: top.name,
        rss_bytes: top.rssBytes,
        cpu_seconds: top.cpuSeconds,
      })),
    };
  },
});
