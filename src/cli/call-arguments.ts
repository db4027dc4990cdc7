import type { Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import { describeTool } from '../protocol/tool-description.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';

interface PropertySchema {
  readonly type?: string;
  readonly anyOf?: readonly PropertySchema[];
}

/**
 * A tool's arguments from the words of a command line.
 * @throws Failure `invalid_input` for words that are neither key=value, nor one JSON object, nor `-`.
 */
export async function readArguments(tool: AnyTool, words: readonly string[], stdin: Readable): Promise<JsonObject> {
  const [first] = words;
  if (words.length === 1 && first === '-') return parseObject(await readText(stdin), 'standard input');
  if (words.length === 1 && first?.trimStart().startsWith('{')) return parseObject(first, 'the argument');
  const properties = (describeTool(tool).inputSchema as { properties?: Record<string, PropertySchema> }).properties ?? {};
  const values: JsonObject = {};
  for (const word of words) {
    const match = /^([\w.-]+)(:?=)(.*)$/s.exec(word);
    if (!match) {
      throw new Failure('invalid_input', `"${word}" is not key=value.`, {
        hint: `See the arguments with \`mcp-python tools ${tool.name}\`.`,
      });
    }
    const [, key = '', operator, text = ''] = match;
    if (operator === ':=') values[key] = parseJson(text, key);
    else if (text === '-' && key === 'stdin') values[key] = await readText(stdin);
    else values[key] = readValue(text, properties[key]);
  }
  return values;
}

/** A value as the schema wants it; what does not fit stays text, for the tool's own check to refuse by name. */
function readValue(text: string, schema: PropertySchema | undefined): unknown {
  const types = [schema?.type, ...(schema?.anyOf ?? []).map(({ type }) => type)];
  if (types.includes('string')) return text;
  if ((types.includes('number') || types.includes('integer')) && text.trim() !== '' && !Number.isNaN(Number(text)))
    return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (
    (types.includes('array') && text.trimStart().startsWith('[')) ||
    (types.includes('object') && text.trimStart().startsWith('{'))
  ) {
    return parseJson(text, 'value');
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

async function readText(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
