import { z } from 'zod';
import type { AnyTool, JsonObject } from '../tools/tool.ts';

/**
 * A tool as `tools/list` tells it.
 * @param withExecution whether the client's revision knows `execution` (MCP 2025-11-25)
 */
export function describeTool(tool: AnyTool, withExecution = false): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: 'jsonSchema' in tool.input ? tool.input.jsonSchema : toJsonSchema(tool.input, 'input'),
    ...(tool.output && { outputSchema: toJsonSchema(tool.output, 'output') }),
    annotations: tool.annotations,
    ...(withExecution && tool.taskSupport && { execution: { taskSupport: tool.taskSupport } }),
  };
}

/**
 * JSON Schema 2020-12, which is MCP's default dialect, so that `$schema` can be left out. Every model reads these
 * words on every turn, so what says nothing is left out too: the bounds of safe integers, and that an object with
 * named properties has no others where it is a result.
 */
function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (io === 'output') delete jsonSchema.additionalProperties;
    },
  });
  return rest;
}
