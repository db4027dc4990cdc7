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
  return { values, origin, problems: [] };
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

export function isSection(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
