/** What is wrong with configuration values, one sentence for each, with its place. */
import type { z } from 'zod';
import { configKeys, knownNames, valueAt } from './keys.ts';
import { type Layer, originText, type Values } from './layer.ts';
import { nearestName } from './nearest-name.ts';
import { configSchema, ONCE } from './schema.ts';

/** A layer's problems; none when it can be merged. */
export function problemsOf(layer: Layer): readonly string[] {
  if (layer.problems.length > 0) return layer.problems;
  if (Object.keys(layer.values).length === 0) return [];
  const parsed = configSchema.safeParse(layer.values, ONCE);
  if (parsed.success) return [];
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    // A reference stands for text, whatever it will be: wrong already only where no text may stand.
    if (issue.code !== 'invalid_type' && layer.open?.has(path.join('.'))) return [];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey(layer, [...path, name].join('.')));
    return [wrongEntry(layer, issue, path) ?? wrongValue(layer, path)];
  });
  // Several wrong entries of one list are one problem.
  return [...new Set(problems)];
}

function unknownKey(layer: Layer, key: string): string {
  const near = nearestKey(key);
  return `${placeOf(layer, key)}: unknown key ${key}${near ? `, did you mean ${near}?` : ''}`;
}

/** In the section where it stands, or else anywhere by its last part: the key was put in another section. */
function nearestKey(key: string): string | undefined {
  const section = key.slice(0, -lastPart(key).length);
  const siblings = [...knownNames()].filter((name) => name === section + lastPart(name));
  const sibling = nearestName(lastPart(key), siblings.map(lastPart));
  if (sibling) return section + sibling;
  const byLastPart = new Map(configKeys().map((each) => [lastPart(each.key), each.key]));
  const part = nearestName(lastPart(key), byLastPart.keys());
  return part && byLastPart.get(part);
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a section',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

/** A wrong value inside an entry of a list of sections; undefined for what is elsewhere, or cannot be told so. */
function wrongEntry(layer: Layer, issue: z.core.$ZodIssue, path: readonly string[]): string | undefined {
  const list = configKeys().find(({ key, type }) => type === 'list of sections' && path.join('.').startsWith(`${key}.`));
  if (!list || path.length === list.key.split('.').length + 1) return undefined;
  const wanted =
    issue.code === 'invalid_value'
      ? `one of ${issue.values.join(', ')}`
      : issue.code === 'invalid_type'
        ? KINDS[issue.expected]
        : undefined;
  if (wanted === undefined) return undefined;
  const found = list.secret ? 'something else' : shown(layer.written ?? layer.values, path.join('.'));
  return `${placeOf(layer, list.key)}: ${path.join('.')} must be ${wanted}, found ${found}`;
}

function wrongValue(layer: Layer, path: readonly string[]): string {
  // A problem inside a list is told with the list's key.
  const known = configKeys().find(({ key }) => path.join('.') === key || path.join('.').startsWith(`${key}.`));
  const key = known?.key ?? path.join('.');
  const found = known?.secret ? 'something else' : shown(layer.written ?? layer.values, key);
  return `${placeOf(layer, key)}: ${key} must be ${known?.accepts ?? 'a section of keys and values'}, found ${found}`;
}

function shown(values: Values, key: string): string {
  const text = JSON.stringify(valueAt(values, key)) ?? 'nothing';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const LONGEST_SHOWN = 100;

/** Where a key's value stands, for people. */
export function placeOf(layer: Layer, key: string): string {
  const origin = layer.origin(key);
  return origin.kind === 'flag' ? 'the command line' : originText(origin);
}
