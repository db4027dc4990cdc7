import { nearestName } from '../config/nearest-name.ts';
import { Failure, failureToJson } from '../errors.ts';
import { safeText } from '../guard/text.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { redactFailure } from '../redaction/redact-failure.ts';
import type { AnyTool, JsonObject, RawResult } from '../tools/tool.ts';
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

/**
 * The outcome of a tool's output, checked against its own schema before it leaves (MCP tools, structured content). Here
 * all results pass, so here secrets are masked, and the text that models and terminals show loses what could deceive
 * them; structured content keeps such characters, so that a file can be told as it is.
 */
export function presentOutput(tool: AnyTool, output: JsonObject): ToolOutcome {
  const structuredContent = redactor.json(tool.output ? (tool.output.parse(output) as JsonObject) : output);
  const text = tool.present ? tool.present(structuredContent) : JSON.stringify(structuredContent);
  return { content: [{ type: 'text', text: shown(text) }], structuredContent, isError: false };
}

/** The outcome of a tool that has put its result into the wire's words itself. */
export function presentRaw({ content, isError, structuredContent, meta }: RawResult): ToolOutcome {
  return {
    content: content.map((block) =>
      block.type === 'text' ? redactor.json({ ...block, text: safeText(block.text) }) : redactor.json(block),
    ),
    isError,
    ...(structuredContent && { structuredContent: redactor.json(structuredContent) }),
    ...(meta && { meta: redactor.json(meta) }),
  };
}

/** A failure as a model reads it: code and sentence first, then what to do, then the facts. */
export function presentFailure(given: Failure): ToolOutcome {
  const failure = redactFailure(withSafeText(given));
  const lines = [`[${failure.code}] ${failure.message}`];
  if (failure.hint) lines.push(failure.hint);
  return {
    content: [{ type: 'text', text: lines.join('\n') }],
    isError: true,
    failure,
    meta: { 'mcp-python/failure': failureToJson(failure) },
  };
}

/** Its words may repeat names from anywhere, and are shown in terminals too. */
function withSafeText(failure: Failure): Failure {
  const { code, message, hint, details, cause } = failure;
  const [safeMessage, safeHint] = [safeText(message), hint && safeText(hint)];
  if (safeMessage === message && safeHint === hint) return failure;
  return new Failure(code, safeMessage, { ...(safeHint && { hint: safeHint }), ...(details && { details }), cause });
}

const shown = (text: string) => redactor.text(safeText(text));
