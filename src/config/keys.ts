/** The configuration's keys as a flat list, read off the schema. */
import { z } from 'zod';
import { type Config, configSchema } from './schema.ts';

export interface ConfigKey {
  /** Dotted name, `server.mcp_http_port`. */
  readonly key: string;
  readonly description: string;
  readonly default: unknown;
  /** `integer`, `number`, `string`, `list of strings`, or the allowed words. */
  readonly type: string;
  /** The environment variable that sets it. */
  readonly environment: string;
  readonly secret: boolean;
}

/** Prefix of every environment variable of ours. */
export const ENVIRONMENT_PREFIX = 'MCP_PYTHON_';

let keys: readonly ConfigKey[] | undefined;

/** All keys in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  keys ??= walk(configJsonSchema() as JsonSchema, '', configSchema.parse({}));
  return keys;
}

/** The configuration as JSON Schema 2020-12, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
}

/** The configuration with the values of secret keys masked. */
export function redactConfig(config: Config): unknown {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (const { key } of configKeys().filter(({ secret }) => secret)) {
    const path = key.split('.');
    const last = path.pop() as string;
    const parent = valueAt(copy, path.join('.')) as Record<string, unknown>;
    if (parent[last]) parent[last] = '********';
  }
  return copy;
}

/** The value under a dotted key; the object itself under the empty one. */
export function valueAt(values: unknown, key: string): unknown {
  if (key === '') return values;
  return key
    .split('.')
    .reduce<unknown>(
      (at, part) => (at !== null && typeof at === 'object' ? (at as Record<string, unknown>)[part] : undefined),
      values,
    );
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly secret?: boolean;
}

function walk(schema: JsonSchema, prefix: string, defaults: unknown): ConfigKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = prefix + name;
    if (property.properties) return walk(property, `${key}.`, defaults);
    return {
      key,
      description: property.description ?? '',
      default: valueAt(defaults, key),
      type: typeName(property, valueAt(defaults, key)),
      environment: ENVIRONMENT_PREFIX + key.replaceAll('.', '_').toUpperCase(),
      secret: property.secret === true,
    };
  });
}

function typeName(property: JsonSchema, initial: unknown): string {
  if (property.enum) return property.enum.join(' \\| ').replaceAll('\\', '');
  if (Array.isArray(initial)) return 'list of strings';
  return property.type ?? (typeof initial === 'number' ? 'size' : typeof initial);
}
