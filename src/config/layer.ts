/** One source of configuration values: the command line, the environment or a file. */

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line?: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag' };

/** Nested configuration values as they were given, not checked yet. */
export type Values = Record<string, unknown>;

export interface Layer {
  readonly values: Values;
  /** The values as they stand there, where references in them have been replaced since. */
  readonly written?: Values;
  /** Dotted paths of values that still hold a reference, because what it stands for is not known yet. */
  readonly open?: ReadonlySet<string>;
  /** Where relative paths in it start. */
  readonly folder: string;
  /** Where the value of a dotted key stands in this source. */
  origin(key: string): Origin;
  /** What is wrong before any key is looked at: syntax errors, with their place. */
  readonly problems: readonly string[];
}

/** An origin as people read it: `/etc/mcp-python/config.yaml:12`, `$MCP_PYTHON_LOG_LEVEL`, `flag`, `default`. */
export function originText(origin: Origin): string {
  if (origin.kind === 'file') return origin.line === undefined ? origin.path : `${origin.path}:${origin.line}`;
  return origin.kind === 'environment' ? `$${origin.name}` : origin.kind;
}

/** Values by dotted key as a layer; undefined ones do not count. */
export function layerFromKeys(byKey: Readonly<Record<string, unknown>>, origin: Layer['origin']): Layer {
  let values: Values = {};
  for (const [key, value] of Object.entries(byKey)) {
    if (value === undefined) continue;
    values = merge(values, key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Values);
  }
  return { values, folder: process.cwd(), origin, problems: [] };
}

/** Sections are merged key by key; everything else is replaced. */
export function merge(under: Values, over: Values): Values {
  const result: Values = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isSection(below) && isSection(value) ? merge(below, value) : value;
  }
  return result;
}

/** Deeper than any key. Aliases in YAML can make a value that holds itself. */
const MAX_DEPTH = 12;

/** The same value with every text in it replaced. @param replace gets the keys and indexes that lead there */
export function mapTexts(
  value: unknown,
  replace: (text: string, path: readonly string[]) => string,
  path: readonly string[] = [],
): unknown {
  if (typeof value === 'string') return replace(value, path);
  if (path.length === MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((each, index) => mapTexts(each, replace, [...path, `${index}`]));
  if (!isSection(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, replace, [...path, key])]));
}

export function isSection(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
