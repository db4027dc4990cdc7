/** Reads the configuration: flag over environment over file over default. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { configFolder } from '../state/folders.ts';
import { type ConfigKey, configKeys, ENVIRONMENT_PREFIX, valueAt } from './keys.ts';
import { nearestName } from './nearest-name.ts';
import { type Config, configSchema } from './schema.ts';

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag' };

export interface LoadOptions {
  /** The only file to read; without it the user's file over the system's. */
  readonly file?: string | undefined;
  /** Values from the command line by dotted key; undefined ones do not count. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  originOf(key: string): Origin;
  /** Files that were read, the strongest first. */
  readonly files: readonly string[];
  /** Variables that look like ours and are not. */
  readonly warnings: readonly string[];
}

/** Variables with our prefix that are not keys. */
const OTHER_VARIABLES = new Set(['MCP_PYTHON_CONFIG', 'MCP_PYTHON_COMMAND', 'MCP_PYTHON_SERVER']);
const FILE_NAMES = ['config.yaml', 'config.yml', 'config.json'];
const SYSTEM_FOLDER = '/etc/mcp-python';

interface Layer {
  readonly origin: (key: string) => Origin;
  readonly name: string;
  readonly values: Record<string, unknown>;
}

/** @throws Failure `invalid_config` that lists every problem with its key and where the value came from. */
export async function loadConfig({ file, flags = {}, environment }: LoadOptions): Promise<LoadedConfig> {
  const flagLayer = fromFlat(flags, 'the command line', () => ({ kind: 'flag' }));
  const { layer: environmentLayer, warnings } = fromEnvironment(environment);
  const fileLayers = await readFiles(file ?? environment.MCP_PYTHON_CONFIG, environment);
  const layers = [flagLayer, environmentLayer, ...fileLayers];

  // Each layer alone first, so that a problem is told with its place.
  const problems = layers.flatMap((layer) => problemsOf(layer));
  if (problems.length > 0) {
    throw new Failure('invalid_config', `The configuration is not valid:\n${problems.map((each) => `  ${each}`).join('\n')}`, {
      hint: 'See every key with `mcp-python config show`, or check a file with `mcp-python config validate FILE`.',
      details: { problems },
    });
  }
  const merged = layers.toReversed().reduce<Record<string, unknown>>((under, { values }) => merge(under, values), {});
  return {
    config: configSchema.parse(merged),
    originOf: (key) => layers.find(({ values }) => valueAt(values, key) !== undefined)?.origin(key) ?? { kind: 'default' },
    files: fileLayers.map(({ name }) => name),
    warnings,
  };
}

/** Reads and checks one file alone. @throws Failure `invalid_config`, `not_found` */
export async function validateFile(path: string): Promise<void> {
  await loadConfig({ file: path, environment: {} });
}

async function readFiles(explicit: string | undefined, environment: LoadOptions['environment']): Promise<Layer[]> {
  if (explicit) {
    const layer = await readLayer(explicit);
    if (layer) return [layer];
    throw new Failure('not_found', `There is no configuration file ${explicit}.`, {
      hint: 'Make one with `mcp-python config init --path FILE`.',
    });
  }
  const layers: Layer[] = [];
  for (const folder of [configFolder(environment), SYSTEM_FOLDER]) {
    for (const name of FILE_NAMES) {
      const layer = await readLayer(join(folder, name));
      if (!layer) continue;
      layers.push(layer);
      break;
    }
  }
  return layers;
}

async function readLayer(path: string): Promise<Layer | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new Failure('invalid_config', `The configuration file ${path} cannot be read: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  return { name: path, values: await parseFile(path, text), origin: () => ({ kind: 'file', path }) };
}

/** JSON is YAML too, so one parser reads both. */
async function parseFile(path: string, text: string): Promise<Record<string, unknown>> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  const problem = document.errors[0];
  if (problem) throw new Failure('invalid_config', `${path} is not valid YAML: ${problem.message}`);
  const values: unknown = document.toJS({ maxAliasCount: 100 });
  if (values === null || values === undefined) return {};
  if (typeof values !== 'object' || Array.isArray(values))
    throw new Failure('invalid_config', `${path} must hold keys and values.`);
  return values as Record<string, unknown>;
}

function fromEnvironment(environment: LoadOptions['environment']): { layer: Layer; warnings: string[] } {
  const given = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[0].startsWith(ENVIRONMENT_PREFIX) && entry[1] !== undefined,
  );
  if (given.length === 0)
    return { layer: fromFlat({}, 'the environment', () => ({ kind: 'environment', name: '' })), warnings: [] };
  const byName = new Map(configKeys().map((each) => [each.environment, each]));
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, text] of given) {
    const key = byName.get(name);
    if (key) values[key.key] = fromText(key, text);
    else if (!OTHER_VARIABLES.has(name)) warnings.push(`${name} sets nothing${meant(name, byName.keys())}.`);
  }
  const origin = (key: string): Origin => ({
    kind: 'environment',
    name: ENVIRONMENT_PREFIX + key.replaceAll('.', '_').toUpperCase(),
  });
  return { layer: fromFlat(values, 'the environment', origin), warnings };
}

/** A variable's text as the key's type reads it; what does not fit is left for the schema to refuse. */
function fromText({ default: initial }: ConfigKey, text: string): unknown {
  if (Array.isArray(initial)) {
    if (text.trim() === '') return [];
    if (!text.trim().startsWith('[')) return text.split(',').map((each) => each.trim());
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  const number = Number(text);
  return typeof initial === 'number' && text.trim() !== '' && !Number.isNaN(number) ? number : text;
}

function fromFlat(flat: Readonly<Record<string, unknown>>, name: string, origin: Layer['origin']): Layer {
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flat)) {
    if (value === undefined) continue;
    const nested = key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
    Object.assign(values, merge(values, nested as Record<string, unknown>));
  }
  return { name, values, origin };
}

function problemsOf({ name, values }: Layer): string[] {
  const parsed = configSchema.safeParse(values);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    const place = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') {
      const found = JSON.stringify(valueAt(values, place));
      return `${name}: ${place}: ${issue.message} (found ${found})`;
    }
    return issue.keys.map((key) => {
      const full = place ? `${place}.${key}` : key;
      return `${name}: ${full}: unknown key${meant(full, knownNames())}`;
    });
  });
}

/** Keys and the sections above them. */
function knownNames(): Set<string> {
  const names = new Set<string>();
  for (const { key } of configKeys()) {
    const parts = key.split('.');
    for (let length = 1; length <= parts.length; length++) names.add(parts.slice(0, length).join('.'));
  }
  return names;
}

function meant(typed: string, known: Iterable<string>): string {
  const near = nearestName(typed, known);
  return near ? `, did you mean "${near}"?` : '';
}

/** Objects are merged key by key; everything else is replaced. */
function merge(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isSection(below) && isSection(value) ? merge(below, value) : value;
  }
  return result;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
