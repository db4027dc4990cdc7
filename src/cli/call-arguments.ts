import { addAbortSignal, type Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import { describeTool } from '../protocol/tool-description.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';

interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly PropertySchema[];
}

/**
 * A tool's arguments from the words of a command line.
 * @param signal gives up waiting for standard input
 * @throws Failure `invalid_input` for words that are neither key=value, nor one JSON object, nor `-`.
 */
export async function readArguments(
  tool: AnyTool,
  words: readonly string[],
  stdin: Readable,
  signal: AbortSignal,
): Promise<JsonObject> {
  const [first] = words;
  if (words.length === 1 && first === '-') return parseObject(await readText(stdin, signal), 'Standard input');
  if (words.length === 1 && first?.trimStart().startsWith('{')) return parseObject(first, 'The argument');
  const properties = (describeTool(tool).inputSchema as { properties?: Record<string, PropertySchema> }).properties ?? {};
  const values: [string, unknown][] = [];
  for (const word of words) {
    const match = /^([\w.-]+)(:?=)(.*)$/s.exec(word);
    if (!match) {
      throw new Failure('invalid_input', `"${word}" is not key=value.`, {
        hint: `See the arguments with \`mcp-python tools ${tool.name}\`.`,
      });
    }
    const [, key = '', operator, text = ''] = match;
    if (operator === ':=') values.push([key, parseJson(text, `The value of ${key}`)]);
    else if (text === '-' && key === 'stdin') values.push([key, await readText(stdin, signal)]);
    else values.push([key, readValue(text, key, properties[key])]);
  }
  // Defines properties and never assigns them, so that `__proto__` is a name like any other.
  return Object.fromEntries(values);
}

/** A value as the schema wants it; what does not fit stays text, for the tool's own check to refuse by name. */
function readValue(text: string, key: string, schema: PropertySchema | undefined): unknown {
  const types = [schema, ...(schema?.anyOf ?? [])].flatMap((each) => each?.type ?? []);
  if (types.includes('string')) return text;
  if ((types.includes('number') || types.includes('integer')) && text.trim() !== '' && !Number.isNaN(Number(text)))
    return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (
    (types.includes('array') && text.trimStart().startsWith('[')) ||
    (types.includes('object') && text.trimStart().startsWith('{'))
  ) {
    return parseJson(text, `The value of ${key}`);
  }
  return text;
}

function parseObject(text: string, where: string): JsonObject {
  const value = parseJson(text, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('invalid_input', `${where} must be one JSON object.`);
  }
  return value as JsonObject;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('invalid_input', `${where} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

async function readText(stdin: Readable, signal: AbortSignal): Promise<string> {
  addAbortSignal(signal, stdin);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}
