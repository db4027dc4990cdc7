import { nearestName } from '../config/nearest-name.ts';
import { Failure } from '../errors.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';
import type { ToolOutcome } from './orchestrator.ts';

/**
 * The tool's input from a caller's arguments.
 * @throws Failure `invalid_input` that says what is wrong with which argument; told to the model (SEP-1303).
 */
export function parseArguments(tool: AnyTool, values: JsonObject): unknown {
  if ('jsonSchema' in tool.input) return values;
  const parsed = tool.input.safeParse(values);
  if (parsed.success) return parsed.data;
  const known = 'shape' in tool.input ? Object.keys(tool.input.shape as object) : [];
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys') return `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`;
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: unknown argument${meant(key, known)}`).join('; ');
  });
  throw new Failure('invalid_input', `Bad arguments for ${tool.name}: ${problems.join('; ')}.`, {
    hint: `Its arguments: ${known.join(', ') || 'none'}.`,
    details: { problems },
  });
}

function meant(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return near ? `, did you mean "${near}"?` : '';
}

/** The outcome of a tool's output, checked against its own schema before it leaves (MCP tools, structured content). */
export function presentOutput(tool: AnyTool, output: JsonObject): ToolOutcome {
  const structuredContent = tool.output ? (tool.output.parse(output) as JsonObject) : output;
  const text = tool.present ? tool.present(structuredContent) : JSON.stringify(structuredContent);
  return { content: [{ type: 'text', text }], structuredContent, isError: false };
}
