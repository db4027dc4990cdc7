/** Reads the configuration: flag over environment over file over default. */
import { Failure } from '../errors.ts';
import { readEnvironment } from './environment.ts';
import { readConfigFiles } from './files.ts';
import { valueAt } from './keys.ts';
import { isSection, type Layer, layerFromKeys, mapTexts, merge, type Origin, type Values } from './layer.ts';
import { resolvePaths } from './paths.ts';
import { problemsOf } from './problems.ts';
import { type Config, configSchema, ONCE } from './schema.ts';
import type { Resolved } from './secret-references.ts';

export interface LoadOptions {
  /** The only file to read; without it `MCP_PYTHON_CONFIG`, else the user's file over the system's. */
  readonly file?: string | undefined;
  /** Values from the command line by dotted key; undefined ones do not count. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Plug-in files from the command line, added to those of the configuration. */
  readonly plugins?: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where `${env:NAME}` and the commands of references look; absent: `environment`. */
  readonly referencesFrom?: Readonly<Record<string, string | undefined>>;
  /** Whether `${command:…}` is run, or only looked at, and then stays in the values. Absent: run. */
  readonly commands?: 'run' | 'check';
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value of a dotted key came from. */
  originOf(key: string): Origin;
  /** Files that were read, the strongest first. */
  readonly files: readonly string[];
  /** Sentences about variables that look like ours and are not, and about secrets that others can read. */
  readonly warnings: readonly string[];
  /** Values with references to secrets as they are written, by dotted path (`plugins.0`). */
  readonly references: ReadonlyMap<string, string>;
  /** What these references stand for: never to be shown. */
  readonly secrets: readonly string[];
}

/** @throws Failure `invalid_config` that lists every problem with its key and where the value came from. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { file, flags = {}, plugins = [], environment } = options;
  const { layer: environmentLayer, warnings } = readEnvironment(environment);
  const fileLayers = await readConfigFiles(file ?? environment.MCP_PYTHON_CONFIG, environment);
  const written = [layerFromKeys(flags, () => ({ kind: 'flag' })), environmentLayer, ...fileLayers];
  const { layers, references, secrets, warnings: more } = await checked(written, options);
  const merged = layers.toReversed().reduce<Values>((under, { values }) => merge(under, values), {});
  const config = parse(merged);
  const added = resolvePaths({ plugins: [...plugins] }, process.cwd()).plugins as string[];
  return {
    config: { ...config, plugins: [...config.plugins, ...added] },
    originOf(key) {
      if (key === 'plugins' && plugins.length > 0) return { kind: 'flag' };
      return layers.find(({ values }) => valueAt(values, key) !== undefined)?.origin(key) ?? { kind: 'default' };
    },
    files: fileLayers.map(({ path }) => path),
    warnings: [...warnings, ...more],
    references,
    secrets,
  };
}

/** Reads and checks one file alone; commands in it are not run. @throws Failure `invalid_config` */
export async function validateFile(path: string): Promise<LoadedConfig> {
  return loadConfig({ file: path, environment: {}, referencesFrom: process.env, commands: 'check' });
}

type Checked = Pick<Resolved, 'layers' | 'references' | 'secrets' | 'warnings'>;

/**
 * Layers with what references stand for, each checked alone, so that a problem is told with its place. Commands run
 * last, when nothing else is wrong.
 */
async function checked(written: readonly Layer[], options: LoadOptions): Promise<Checked> {
  const absolute = (layer: Layer) => ({ ...layer, values: resolvePaths(layer.values, layer.folder) });
  if (!written.some(holdsReference)) {
    const layers = written.map(absolute);
    refuse(layers.flatMap(problemsOf));
    return { layers, references: new Map(), secrets: [], warnings: [] };
  }
  const { resolveReferences } = await import('./secret-references.ts');
  const environment = options.referencesFrom ?? options.environment;
  let resolved = await resolveReferences(written, { environment, runCommands: false });
  refuse([...resolved.problems, ...resolved.layers.flatMap(problemsOf)]);
  if (options.commands !== 'check' && resolved.layers.some(({ open }) => open && open.size > 0)) {
    resolved = await resolveReferences(written, { environment, runCommands: true });
    refuse([...resolved.problems, ...resolved.layers.flatMap(problemsOf)]);
  }
  return { ...resolved, layers: resolved.layers.map(absolute) };
}

function holdsReference({ values }: Layer): boolean {
  let holds = false;
  mapTexts(values, (text) => {
    holds ||= text.includes('${');
    return text;
  });
  return holds;
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new Failure('invalid_config', `The configuration is not valid:\n${problems.map((each) => `  ${each}`).join('\n')}`, {
    hint: 'List every key with `mcp-python config schema`, and check a file with `mcp-python config validate FILE`.',
    details: { problems },
  });
}

/** A command that was not run may leave its reference where only certain words may stand: the default shows there. */
function parse(values: Values): Config {
  const parsed = configSchema.safeParse(values, ONCE);
  if (parsed.success) return parsed.data;
  const copy = structuredClone(values);
  for (const { path } of parsed.error.issues) {
    const parent = valueAt(copy, path.slice(0, -1).join('.'));
    if (isSection(parent)) delete parent[String(path.at(-1))];
  }
  return configSchema.parse(copy, ONCE);
}
