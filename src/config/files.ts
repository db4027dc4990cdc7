/** Configuration files: where they are, YAML and JSON, and the line of each key. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Document, LineCounter } from 'yaml';
import { Failure } from '../errors.ts';
import { configFolder, SYSTEM_CONFIG_FOLDER } from '../state/folders.ts';
import { sectionNames, valueAt } from './keys.ts';
import { isSection, type Layer, type Values } from './layer.ts';

export type FileLayer = Layer & { readonly path: string };

type Environment = Readonly<Record<string, string | undefined>>;

const FILE_NAMES = ['config.yaml', 'config.yml', 'config.json'];

/**
 * Reads the one file that was asked for, or the user's and the system's where they exist, the strongest first.
 * @throws Failure `invalid_config` when the one asked for is not there, or a file cannot be read
 */
export async function readConfigFiles(explicit: string | undefined, environment: Environment): Promise<FileLayer[]> {
  if (explicit) {
    const layer = await readLayer(resolve(explicit));
    if (layer) return [layer];
    throw new Failure('invalid_config', `There is no configuration file ${explicit}.`, {
      hint: `Make one with \`mcp-python config init --path ${explicit}\`.`,
    });
  }
  const layers: FileLayer[] = [];
  for (const folder of [configFolder(environment), SYSTEM_CONFIG_FOLDER]) {
    for (const name of FILE_NAMES) {
      const layer = await readLayer(join(folder, name));
      if (!layer) continue;
      layers.push(layer);
      break;
    }
  }
  return layers;
}

/** At start-up there is nothing else to do meanwhile, and reading at once spares the start of the thread pool. */
async function readLayer(path: string): Promise<FileLayer | undefined> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new Failure('invalid_config', `The configuration file ${path} cannot be read: ${error.message}`, { cause: error });
  }
  return parseFile(path, text);
}

/** JSON is YAML too, so one parser reads both. */
async function parseFile(path: string, text: string): Promise<FileLayer> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: false, lineCounter: lines });
  const broken = (problems: readonly string[]): FileLayer => ({
    path,
    values: {},
    folder: dirname(path),
    problems,
    origin: () => ({ kind: 'file', path }),
  });
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0]);
    return `${path}:${line}:${col}: ${message}`;
  });
  if (problems.length > 0) return broken(problems);
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return broken([`${path}: ${(error as Error).message}`]);
  }
  if (!isSection(values)) return broken([`${path}: the file must hold keys and values`]);
  const { $schema, ...rest } = values;
  return {
    path,
    values: withoutEmptySections(rest),
    folder: dirname(path),
    problems: [],
    origin: (key) => ({ kind: 'file', path, ...lineOf(document, lines, key) }),
  };
}

/** A section whose keys are all commented out reads as null in YAML; it sets nothing. */
function withoutEmptySections(values: Values): Values {
  const empty = Object.values(values).some((value) => value === null || isSection(value));
  if (!empty) return values;
  for (const name of sectionNames()) {
    const path = name.split('.');
    const last = path.pop() as string;
    const parent = valueAt(values, path.join('.'));
    if (isSection(parent) && parent[last] === null) delete parent[last];
  }
  return values;
}

/** The line of a key, or of the nearest section above it that stands in the file. */
function lineOf(document: Document, lines: LineCounter, key: string): { line?: number } {
  let at: unknown = document.contents;
  let line: number | undefined;
  for (const part of key.split('.')) {
    const items = (at as { items?: readonly { key?: unknown; value?: unknown }[] } | null)?.items ?? [];
    const pair = items.find(({ key: name }) => String((name as { value?: unknown } | undefined)?.value) === part);
    const start = (pair?.key as { range?: readonly number[] } | undefined)?.range?.[0];
    if (pair === undefined || start === undefined) break;
    line = lines.linePos(start).line;
    at = pair.value;
  }
  return line === undefined ? {} : { line };
}
