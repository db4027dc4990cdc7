/** What the clients of the chaos run have done: tools that leave a line for each run, and some that end their agent. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plugin, PluginKit } from '../../src/plugins/plugin.ts';
import type { AnyTool, ToolContext } from '../../src/tools/tool.ts';

interface Work {
  readonly key: string;
  /** Milliseconds. */
  readonly takes: number;
}

type Execute = (work: Work, context: ToolContext) => Promise<string>;

const plugin: Plugin = (kit) => ({
  tools: [
    tool(kit, 'leave_mark', true, leaveMark),
    tool(kit, 'leave_mark_once', false, leaveMark),
    tool(kit, 'echo', true, async ({ key, takes }, { signal }) => {
      await sleep(takes, undefined, { signal });
      return key;
    }),
    // Not to be repeated, or each would end several agents.
    tool(kit, 'spin', false, async () => {
      for (;;);
    }),
    tool(kit, 'exit', false, async () => process.exit(9)),
    tool(kit, 'hoard', false, async () => {
      const held: unknown[] = [];
      for (;;) held.push(new Array(100_000).fill(held.length));
    }),
  ],
});
export default plugin;

/** A line in the file of this key: written at the beginning, where it cannot be taken back. */
async function leaveMark({ key, takes }: Work, { signal }: ToolContext): Promise<string> {
  appendFileSync(join(process.env.CHAOS_MARKS ?? '', key), 'ran\n');
  await sleep(takes, undefined, { signal });
  return key;
}

function tool(kit: PluginKit, name: string, idempotentHint: boolean, execute: Execute): AnyTool {
  return kit.defineTool({
    name,
    title: name,
    description: name,
    toolset: 'plugin',
    scope: 'tools:read',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint, openWorldHint: false },
    input: kit.z.object({ key: kit.z.string().default(''), takes: kit.z.number().default(0) }),
    output: kit.z.object({ key: kit.z.string() }),
    execute: async (work: Work, context: ToolContext) => ({ key: await execute(work, context) }),
  }) as AnyTool;
}
