/** Configuration from environment variables: `MCP_PYTHON_` and the key in capitals. */
import { type ConfigKey, configKeys, ENVIRONMENT_PREFIX, environmentName } from './keys.ts';
import { type Layer, layerFromKeys } from './layer.ts';
import { nearestName } from './nearest-name.ts';

/** Variables with our prefix that are not keys: the file to read, a credential, and the marks that commands of ours carry. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'MCP_PYTHON_CONFIG',
  'MCP_PYTHON_API_KEY',
  'MCP_PYTHON_COMMAND',
  'MCP_PYTHON_SERVER',
]);

/** Warnings are about variables that look like ours and are not. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  readonly layer: Layer;
  readonly warnings: readonly string[];
} {
  const given = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith(ENVIRONMENT_PREFIX) && entry[1] !== undefined && !OTHER_VARIABLES.has(entry[0]),
  );
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  // Listing the keys costs some milliseconds, so not without need.
  if (given.length > 0) {
    const byName = new Map(configKeys().map((each) => [each.environment, each]));
    for (const [name, text] of given) {
      const key = byName.get(name);
      if (key) values[key.key] = fromText(key, text);
      else warnings.push(unknownVariable(name, [...byName.keys(), 'MCP_PYTHON_CONFIG']));
    }
  }
  return { layer: layerFromKeys(values, (key) => ({ kind: 'environment', name: environmentName(key) })), warnings };
}

function unknownVariable(name: string, known: Iterable<string>): string {
  const near = nearestName(name, known);
  return `The environment variable ${name} sets nothing${near ? `: did you mean ${near}?` : '.'}`;
}

/** A variable's text as the key's type reads it; what does not fit is left for the schema to refuse. */
function fromText({ default: initial }: ConfigKey, text: string): unknown {
  if (Array.isArray(initial)) return listFromText(text);
  if (typeof initial === 'boolean' && /^(true|false|1|0)$/.test(text)) return text === 'true' || text === '1';
  const number = Number(text);
  return typeof initial === 'number' && text.trim() !== '' && !Number.isNaN(number) ? number : text;
}

/** A JSON array, or words with commas between them. */
function listFromText(text: string): unknown {
  if (text.trim() === '') return [];
  if (!text.trim().startsWith('[')) return text.split(',').map((each) => each.trim());
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
