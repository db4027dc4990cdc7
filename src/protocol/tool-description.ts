import { z } from 'zod';
import type { AnyTool, JsonObject } from '../tools/tool.ts';

/** A tool as `tools/list` tells it. */
export function describeTool(tool: AnyTool): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: 'jsonSchema' in tool.input ? tool.input.jsonSchema : toJsonSchema(tool.input, 'input'),
    ...(tool.output && { outputSchema: toJsonSchema(tool.output, 'output') }),
    annotations: tool.annotations,
  };
}

/** JSON Schema 2020-12, which is MCP's default dialect, so that `$schema` can be left out. */
function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
