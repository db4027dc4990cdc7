/** The 25 tools of the server under test, for peers to register. */
import { z } from 'zod';
import { Failure } from '../../../src/errors.ts';
import { createCatalogue } from '../../../src/tools/catalogue.ts';
import { BUILT_IN_TOOLS } from '../../../src/tools/table.ts';
import { type AnyTool, defineTool, RawResult } from '../../../src/tools/tool.ts';
import { benchTools, TOOL_COUNT } from './tools-plugin.ts';

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

/** Makes them; each time with new schemas, as a function that registers tools by the SDKs' guides does. */
export async function toolMaker(): Promise<() => readonly SameTool[]> {
  const catalogue = createCatalogue(BUILT_IN_TOOLS);
  const builtIn = await catalogue.tools();
  const kit = { defineTool, RawResult, Failure, z, catalogue };
  return () => {
    const tools = [...builtIn, ...benchTools(kit)];
    if (tools.length !== TOOL_COUNT) throw new Error(`There are ${tools.length} tools, not ${TOOL_COUNT}.`);
    return tools.map(({ name, title, description, annotations, input }) => ({
      name,
      // The built-in tools' own schemas are made once; a new object of their properties stands for writing them again.
      config: { title, description, annotations, inputSchema: z.strictObject((input as z.ZodObject).shape) },
      handle: async ({ text = '' }) => ({ content: [{ type: 'text', text }] }),
    }));
  };
}
