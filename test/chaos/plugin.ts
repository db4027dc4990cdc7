/** What the clients of the chaos run have done: tools that leave a line for each run, and some that end their agent. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plugin, PluginKit } from '../../src/plugins/plugin.ts';
import type { AnyTool } from '../../src/tools/tool.ts';

interface Work {
  readonly key: string;
  /** Milliseconds. */
  readonly takes: number;
}

const plugin: Plugin = (kit) => ({
  tools: [
    tool(kit, 'leave_mark', true, leaveMark),
    tool(kit, 'leave_mark_once', false, leaveMark),
    tool(kit, 'echo', true, async ({ key, takes }) => {
      await sleep(takes);
      return key;
    }),
    // Not to be repeated, or each would end several agents.
    tool(kit, 'spin', false, async () => {
      for (;;);
    }),
    tool(kit, 'exit', false, async () => process.exit(9)),
  ],
});
export default plugin;

/** A line in the file of this key: written at the beginning, where it cannot be taken back. */
async function leaveMark({ key, takes }: Work): Promise<string> {
  appendFileSync(join(process.env.CHAOS_MARKS ?? '', key), 'ran\n');
  await sleep(takes);
  return key;
}

function tool(kit: PluginKit, name: string, idempotentHint: boolean, execute: (work: Work) => Promise<string>): AnyTool {
  return kit.defineTool({
    name,
    title: name,
    description: name,
    toolset: 'plugin',
    scope: 'tools:read',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint, openWorldHint: false },
    input: kit.z.object({ key: kit.z.string().default(''), takes: kit.z.number().default(0) }),
    output: kit.z.object({ key: kit.z.string() }),
    execute: async (work: Work) => ({ key: await execute(work) }),
  }) as AnyTool;
}
