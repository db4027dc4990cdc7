/** Reads the configuration: flag over environment over file over default. */
import { Failure } from '../errors.ts';
import { readEnvironment } from './environment.ts';
import { readConfigFiles } from './files.ts';
import { valueAt } from './keys.ts';
import { layerFromKeys, merge, type Origin, type Values } from './layer.ts';
import { resolvePaths } from './paths.ts';
import { problemsOf } from './problems.ts';
import { type Config, configSchema, ONCE } from './schema.ts';

export interface LoadOptions {
  /** The only file to read; without it `MCP_PYTHON_CONFIG`, else the user's file over the system's. */
  readonly file?: string | undefined;
  /** Values from the command line by dotted key; undefined ones do not count. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Plug-in files from the command line, added to those of the configuration. */
  readonly plugins?: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value of a dotted key came from. */
  originOf(key: string): Origin;
  /** Files that were read, the strongest first. */
  readonly files: readonly string[];
  /** Sentences about variables that look like ours and are not. */
  readonly warnings: readonly string[];
}

/** @throws Failure `invalid_config` that lists every problem with its key and where the value came from. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { file, flags = {}, plugins = [], environment } = options;
  const plain = layerFromKeys(flags, () => ({ kind: 'flag' }));
  const flagLayer = { ...plain, values: resolvePaths(plain.values, process.cwd()) };
  const { layer: environmentLayer, warnings } = readEnvironment(environment);
  const fileLayers = await readConfigFiles(file ?? environment.MCP_PYTHON_CONFIG, environment);
  const layers = [flagLayer, environmentLayer, ...fileLayers];

  // Each layer alone first, so that a problem is told with its place.
  const problems = layers.flatMap(problemsOf);
  if (problems.length > 0) {
    throw new Failure('invalid_config', `The configuration is not valid:\n${problems.map((each) => `  ${each}`).join('\n')}`, {
      hint: 'List every key with `mcp-python config schema`, and check a file with `mcp-python config validate FILE`.',
      details: { problems },
    });
  }
  const merged = layers.toReversed().reduce<Values>((under, { values }) => merge(under, values), {});
  const config = configSchema.parse(merged, ONCE);
  const added = resolvePaths({ plugins: [...plugins] }, process.cwd()).plugins as string[];
  return {
    config: { ...config, plugins: [...config.plugins, ...added] },
    originOf(key) {
      if (key === 'plugins' && plugins.length > 0) return { kind: 'flag' };
      return layers.find(({ values }) => valueAt(values, key) !== undefined)?.origin(key) ?? { kind: 'default' };
    },
    files: fileLayers.map(({ path }) => path),
    warnings,
  };
}

/** Reads and checks one file alone. @throws Failure `invalid_config` */
export async function validateFile(path: string): Promise<void> {
  await loadConfig({ file: path, environment: {} });
}
