/** The 25 tools of the server under test, for peers to register. */
import { z } from 'zod';
import { Failure } from '../../../src/errors.ts';
import { createCatalogue } from '../../../src/tools/catalogue.ts';
import { BUILT_IN_TOOLS } from '../../../src/tools/table.ts';
import { type AnyTool, defineTool, RawResult } from '../../../src/tools/tool.ts';
import plugin, { TOOL_COUNT } from './tools-plugin.ts';

/** A tool as the SDKs register it. */
export interface SameTool {
  readonly name: string;
  readonly config: {
    readonly title: string;
    readonly description: string;
    readonly annotations: AnyTool['annotations'];
    readonly inputSchema: z.ZodObject;
  };
  /** The work of the cheap tool; the others are only listed. */
  handle(input: { text?: string }): Promise<{ content: { type: 'text'; text: string }[] }>;
}

export async function sameTools(): Promise<readonly SameTool[]> {
  const catalogue = createCatalogue(BUILT_IN_TOOLS);
  const made = await plugin({ defineTool, RawResult, Failure, z, catalogue });
  catalogue.contribute('execute' in made ? { tools: [made] } : made);
  const tools = await catalogue.tools();
  if (tools.length !== TOOL_COUNT) throw new Error(`There are ${tools.length} tools, not ${TOOL_COUNT}.`);
  return tools.map(({ name, title, description, annotations, input }) => ({
    name,
    config: { title, description, annotations, inputSchema: input as z.ZodObject },
    handle: async ({ text = '' }) => ({ content: [{ type: 'text', text }] }),
  }));
}
