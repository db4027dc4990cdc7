/**
 * References to secrets in configuration values: `${env:NAME}`, `${file:PATH}` and `${command:SCRIPT}`, alone or within
 * longer text; `$${` stands for the characters `${`. What a reference brings is never looked at for references again.
 *
 * Only the configuration of the user and of the machine, our own variables and flags are read, never a project's
 * files: whoever can write a reference could have had code loaded anyway (`plugins`).
 */
import { isSection, type Layer, mapTexts, type Values } from './layer.ts';
import { placeOf } from './problems.ts';
import { lookUp, type ReferenceSources } from './reference-sources.ts';
import { parseTemplate, type Reference, type TemplatePart } from './reference-syntax.ts';
import { PATH_KEYS } from './schema.ts';

export interface ResolveOptions {
  readonly environment: ReferenceSources['environment'];
  /** False: commands are not run, and their references stay in the values. */
  readonly runCommands: boolean;
}

export interface Resolved {
  /** The same layers, with values instead of references. */
  readonly layers: readonly Layer[];
  /** Values in force that have references, as they are written, by dotted path (`plugins.0`). */
  readonly references: ReadonlyMap<string, string>;
  /** What references stand for, to be kept out of everything that leaves the program. */
  readonly secrets: readonly string[];
  /** One sentence for each reference that is none, or stands for nothing, with its place. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Variables that every command gets and shows: what they hold is no secret, whatever it is used for. */
const PUBLIC_VARIABLES: ReadonlySet<string> = new Set(['HOME', 'USER', 'LOGNAME', 'HOSTNAME', 'SHELL', 'PATH', 'PWD', 'LANG']);

/**
 * Replaces references by what they stand for. Those of a value that something stronger replaces are left alone: what
 * they name need not be there.
 * @param layers the strongest first
 */
export async function resolveReferences(layers: readonly Layer[], options: ResolveOptions): Promise<Resolved> {
  const references = new Map<string, string>();
  const secrets = new Set<string>();
  const problems: string[] = [];
  const warnings = new Set<string>();
  const sources: ReferenceSources = { environment: options.environment, warn: (sentence) => warnings.add(sentence) };
  const resolved: Layer[] = [];
  for (const [index, layer] of layers.entries()) {
    const stronger = layers.slice(0, index);
    const texts = new Map<string, string>();
    const open = new Set<string>();
    for (const { path, text, parts } of templatesOf(layer, problems)) {
      const key = path.join('.');
      const inForce = !stronger.some(({ values }) => replaces(values, path));
      if (inForce && parts.some((part) => typeof part !== 'string')) references.set(key, text);
      let value = '';
      for (const part of parts) {
        if (typeof part === 'string') {
          value += part;
        } else if (!inForce || (part.kind === 'command' && !options.runCommands)) {
          open.add(key);
          value += part.written;
        } else {
          const found = await lookUp(part, layer.folder, sources);
          if (typeof found === 'string') {
            value += found;
            if (isSecret(part, key)) secrets.add(found);
          } else {
            open.add(key);
            problems.push(`${placeOf(layer, key)}: ${key} has no value: ${found.problem}`);
          }
        }
      }
      texts.set(key, value);
    }
    resolved.push(texts.size === 0 ? layer : withTexts(layer, texts, open));
  }
  return { layers: resolved, references, secrets: [...secrets], problems, warnings: [...warnings] };
}

interface Template {
  readonly path: readonly string[];
  readonly text: string;
  readonly parts: readonly TemplatePart[];
}

function templatesOf(layer: Layer, problems: string[]): readonly Template[] {
  const templates: Template[] = [];
  mapTexts(layer.values, (text, path) => {
    if (!text.includes('${')) return text;
    const parts = parseTemplate(text);
    if ('problem' in parts) problems.push(`${placeOf(layer, path.join('.'))}: ${path.join('.')} has no value: ${parts.problem}`);
    else templates.push({ path, text, parts });
    return text;
  });
  return templates;
}

function withTexts(layer: Layer, texts: ReadonlyMap<string, string>, open: ReadonlySet<string>): Layer {
  const values = mapTexts(layer.values, (text, path) => texts.get(path.join('.')) ?? text) as Values;
  return { ...layer, values, written: layer.values, open };
}

/** Whether values of a stronger layer take the place of what stands at a path: lists are replaced as a whole. */
function replaces(values: Values, path: readonly string[]): boolean {
  let at: unknown = values;
  for (const part of path) {
    if (!isSection(at)) return true;
    at = Object.hasOwn(at, part) ? at[part] : undefined;
    if (at === undefined) return false;
  }
  return true;
}

/** Folders and public variables are in everything that is told; with them masked nothing could be read any more. */
function isSecret({ kind, target }: Reference, key: string): boolean {
  if (kind !== 'env') return true;
  const isPath = PATH_KEYS.some((each) => key === each || key.startsWith(`${each}.`));
  return !isPath && !PUBLIC_VARIABLES.has(target);
}
