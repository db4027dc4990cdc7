/**
 * The plug-in that the server under test loads: one cheap tool, and enough others of usual size to make 25 with the
 * built-in ones. The peers register the very same tools.
 */
import type { Plugin, PluginKit } from '../../../src/plugins/plugin.ts';
import { BUILT_IN_TOOLS } from '../../../src/tools/table.ts';
import type { AnyTool } from '../../../src/tools/tool.ts';

export const TOOL_COUNT = 25;

const ANNOTATIONS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

function echo({ defineTool, RawResult, z }: PluginKit): AnyTool {
  return defineTool({
    name: 'bench_echo',
    title: 'Echo',
    description: 'Says back what it is told.',
    toolset: 'plugin',
    scope: 'tools:read',
    annotations: ANNOTATIONS,
    input: z.strictObject({ text: z.string().describe('What to say.') }),
    execute: async ({ text }) => new RawResult([{ type: 'text', text }]),
  });
}

function filler({ defineTool, RawResult, z }: PluginKit, number: number): AnyTool {
  return defineTool({
    name: `bench_filler_${number}`,
    title: `Filler ${number}`,
    description:
      'Takes part in no measurement; stands in the list of tools as any other does, with a description of usual length.',
    toolset: 'plugin',
    scope: 'tools:read',
    annotations: ANNOTATIONS,
    input: z.strictObject({
      path: z.string().min(1).describe('An absolute path, or one below the workspace.'),
      limit: z.number().int().min(1).max(1000).default(100).describe('Entries at most.'),
      kind: z.enum(['file', 'directory', 'any']).default('any').describe('What to look for.'),
      labels: z.array(z.string()).optional().describe('Labels to filter by.'),
    }),
    execute: async () => new RawResult([{ type: 'text', text: 'filler' }]),
  });
}

export function benchTools(kit: PluginKit): AnyTool[] {
  const fillers = Array.from({ length: TOOL_COUNT - BUILT_IN_TOOLS.length - 1 }, (_, index) => filler(kit, index + 1));
  return [echo(kit), ...fillers];
}

const plugin: Plugin = (kit) => ({ tools: benchTools(kit) });

export default plugin;
