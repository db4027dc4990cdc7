/** The configuration's keys as a flat list, read off the schema. */
import { z } from 'zod';
import { type Config, configSchema } from './schema.ts';

export interface ConfigKey {
  /** Dotted name, `server.mcp_http_port`. */
  readonly key: string;
  readonly description: string;
  readonly default: unknown;
  /** `integer`, `size`, `seconds`, `string`, `list of strings`, `list of sections`, or the allowed words with commas between them. */
  readonly type: string;
  /** What it takes as the end of a sentence: `a whole number from 0 to 65535`. */
  readonly accepts: string;
  /** The environment variable that sets it. */
  readonly environment: string;
  /** Never shown: `config show` and `config://effective` mask it. Set by `.meta({ secret: true })` in the schema. */
  readonly secret: boolean;
}

/** Prefix of every environment variable of ours. */
export const ENVIRONMENT_PREFIX = 'MCP_PYTHON_';

let keys: readonly ConfigKey[] | undefined;

/** All keys in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  keys ??= walk(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, '', configSchema.parse({}));
  return keys;
}

/** The keys and the sections above them. */
export function knownNames(): ReadonlySet<string> {
  return new Set([...sectionNames(), ...configKeys().map(({ key }) => key)]);
}

/** Every section, outer ones first: `execution`, `execution.security`, … */
export function sectionNames(): ReadonlySet<string> {
  const names = configKeys().flatMap(({ key }) => {
    const parts = key.split('.').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
  });
  return new Set(names);
}

/** The environment variable that sets a key. */
export function environmentName(key: string): string {
  return ENVIRONMENT_PREFIX + key.replaceAll('.', '_').toUpperCase();
}

/** The configuration as JSON Schema 2020-12, for editors; `$schema` is allowed in files so that they find it. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // Our own marks: strict validators refuse keywords they do not know.
      delete jsonSchema.unit;
      delete jsonSchema.secret;
    },
  });
  const { $schema, ...rest } = schema;
  return {
    $schema,
    title: 'Configuration of mcp-python',
    ...rest,
    properties: { $schema: { type: 'string', description: 'Where this schema is, for editors.' }, ...schema.properties },
  };
}

/**
 * The configuration as it may be shown: references instead of what they stand for, values of secret keys masked.
 * @param references as they are written, by dotted path
 */
export function redactConfig(config: Config, references: ReadonlyMap<string, string> = new Map()): unknown {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (const { key } of configKeys().filter(({ secret }) => secret)) {
    const path = key.split('.');
    const last = path.pop() as string;
    const parent = valueAt(copy, path.join('.')) as Record<string, unknown>;
    if (parent[last]) parent[last] = isReference(references.get(key)) ? references.get(key) : '********';
  }
  for (const [place, written] of references) {
    const path = place.split('.');
    const last = path.pop() as string;
    const parent = valueAt(copy, path.join('.'));
    if (parent === null || typeof parent !== 'object' || (parent as Record<string, unknown>)[last] === '********') continue;
    (parent as Record<string, unknown>)[last] = written;
  }
  return copy;
}

/** Whether a value is one reference and nothing else, which then is no secret itself. */
function isReference(written: string | undefined): boolean {
  return written !== undefined && /^\$\{(?:env|file|command):[^{}]*\}$/.test(written);
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
  readonly anyOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly unit?: 'bytes' | 'seconds';
  readonly items?: JsonSchema;
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
      ...kindOf(property),
      environment: environmentName(key),
      secret: property.secret === true,
    };
  });
}

function kindOf(property: JsonSchema): { type: string; accepts: string } {
  if (property.enum) {
    const words = property.enum.join(', ');
    return { type: words, accepts: property.enum.length === 1 ? words : `one of ${words}` };
  }
  const { minimum, maximum } = property.anyOf?.find(({ type }) => type !== 'string') ?? property;
  const range = minimum === undefined || maximum === undefined ? '' : ` from ${minimum} to ${maximum}`;
  if (property.unit === 'bytes') return { type: 'size', accepts: `a size in bytes${range}, or text such as 4MiB` };
  if (property.unit === 'seconds') return { type: 'seconds', accepts: `a number of seconds${range}, or text such as 5m` };
  if (property.type === 'integer') return { type: 'integer', accepts: `a whole number${range}` };
  if (property.items?.type === 'object') return { type: 'list of sections', accepts: 'a list of sections' };
  if (property.type === 'array') return { type: 'list of strings', accepts: 'a list of non-empty strings' };
  if (property.type === 'boolean') return { type: 'boolean', accepts: 'true or false' };
  return { type: 'string', accepts: property.minLength ? 'a non-empty string' : 'a string' };
}
