/** Paths in the configuration, made absolute where their origin is still known. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { valueAt } from './keys.ts';
import { isSection, type Values } from './layer.ts';
import { PATH_KEYS } from './schema.ts';

/**
 * Values whose paths are absolute. Otherwise a file would mean something else in every working directory, and a
 * relative plug-in would load whatever code lies there.
 * @param folder where relative paths start
 */
export function resolvePaths(values: Values, folder: string): Values {
  const keys = PATH_KEYS.filter((key) => valueAt(values, key) !== undefined);
  if (keys.length === 0) return values;
  const copy = structuredClone(values);
  for (const key of keys) {
    const path = key.split('.');
    const last = path.pop() as string;
    const parent = valueAt(copy, path.join('.'));
    if (!isSection(parent)) continue;
    const value = parent[last];
    if (Array.isArray(value)) parent[last] = value.map((each) => absolute(each, folder));
    else if (value !== undefined) parent[last] = absolute(value, folder);
  }
  return copy;
}

/** What is no path is left for the schema to refuse; empty means the default. */
function absolute(value: unknown, folder: string): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return value === '~' || value.startsWith('~/') ? join(homedir(), value.slice(1)) : resolve(folder, value);
}
