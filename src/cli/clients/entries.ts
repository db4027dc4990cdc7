/** Our entry in a client's files: where it is, how it is put in and taken out. */
import { homedir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { isSection } from '../../config/layer.ts';
import { Failure } from '../../errors.ts';
import type { JsonObject } from '../../tools/tool.ts';
import type { Client, ClientScope, Surroundings } from './client.ts';
import { readConfigFile, replaceConfigFile } from './config-file.ts';
import { JsonProblem, type JsonText, openJson } from './json-edit.ts';

/** A file of a client, open for a change. */
export interface ClientFile {
  readonly path: string;
  /** What it held when it was read; undefined where there is no file. */
  readonly before: string | undefined;
  readonly json: JsonText;
  /** Keys that lead to the entry. */
  readonly keys: readonly string[];
  /** The entry, where there is one. */
  readonly entry: JsonObject | undefined;
}

export type EntryChange = 'added' | 'updated' | 'unchanged' | 'removed';

/** Where this process is. */
export function surroundings(): Surroundings {
  const { env, platform } = process;
  return { environment: env, home: env.HOME || homedir(), workingDirectory: process.cwd(), platform };
}

/**
 * The client's files that exist, each with the entry of this name if it holds one.
 * @throws Failure `invalid_config` naming the place where a file is not the JSON it must be
 */
export async function existingFiles(
  client: Client,
  scope: ClientScope,
  name: string,
  around: Surroundings,
): Promise<ClientFile[]> {
  const all = await Promise.all(
    client.files(scope, around).map(async (path) => {
      const before = await readConfigFile(path);
      return before === undefined ? [] : [await openClientFile(client, name, path, before)];
    }),
  );
  return all.flat();
}

/** Puts the entry in: where one of this name is, else into the first file there is, else into a new one. */
export async function putEntry(
  client: Client,
  scope: ClientScope,
  name: string,
  entry: JsonObject,
  around: Surroundings,
): Promise<{ change: EntryChange; path: string }> {
  const files = await existingFiles(client, scope, name, around);
  const path = client.files(scope, around).at(-1) as string;
  const file =
    files.find((each) => each.entry !== undefined) ?? files[0] ?? (await openClientFile(client, name, path, undefined));
  const change = file.entry ? 'updated' : 'added';
  const after = atPlace(file.path, () =>
    file.entry ? update(file, file.entry, entry, client) : file.json.set(file.keys, entry),
  );
  if (after.text === file.before) return { change: 'unchanged', path: file.path };
  await save(file, after, scope);
  return { change, path: file.path };
}

/** Takes the entry of this name out of every file that holds it. */
export async function removeEntry(
  client: Client,
  scope: ClientScope,
  name: string,
  around: Surroundings,
): Promise<{ change: EntryChange; paths: readonly string[] }> {
  const files = (await existingFiles(client, scope, name, around)).filter(({ entry }) => entry !== undefined);
  for (const file of files) await save(file, file.json.remove(file.keys), scope);
  return { change: files.length > 0 ? 'removed' : 'unchanged', paths: files.map(({ path }) => path) };
}

async function openClientFile(client: Client, name: string, path: string, before: string | undefined): Promise<ClientFile> {
  const json = await openJson(before ?? '', client).catch((thrown) => {
    throw refusal(path, thrown);
  });
  const keys = [...client.servers(json.values), name];
  const found = keys.reduce<unknown>((at, key) => (isSection(at) && Object.hasOwn(at, key) ? at[key] : undefined), json.values);
  if (found !== undefined && !isSection(found)) {
    throw new Failure('invalid_config', `${path}: "${keys.join('.')}" is not an object. Nothing was changed.`);
  }
  return { path, before, json, keys, entry: found };
}

/** Our keys get our values; what else a person wrote into the entry stays. */
function update(file: ClientFile, present: JsonObject, wanted: JsonObject, { ownKeys }: Client): JsonText {
  let { json } = file;
  for (const key of ownKeys) {
    const value = wanted[key];
    const is = present[key];
    if (value === undefined && is !== undefined) json = json.remove([...file.keys, key]);
    // An empty object is only a start: what a person put in it stays.
    const filled = isSection(value) && Object.keys(value).length === 0 && isSection(is);
    if (value !== undefined && !filled && !isDeepStrictEqual(is, value)) json = json.set([...file.keys, key], value);
  }
  return json;
}

async function save(file: ClientFile, after: JsonText, scope: ClientScope): Promise<void> {
  if (!isDeepStrictEqual(withoutEntry(file.json.values, file.keys), withoutEntry(after.values, file.keys))) {
    throw new Failure('internal', `The change would have touched more than our entry in ${file.path}. Nothing was changed.`);
  }
  // A user's file may hold credentials of other servers; a project's is shared.
  await replaceConfigFile(file.path, file.before, after.text, scope === 'user' ? 0o600 : 0o644);
}

/** What must be the same before and after: everything but our entry, and the objects that only lead to it. */
function withoutEntry(values: unknown, [key, ...below]: readonly string[]): unknown {
  if (key === undefined || !isSection(values)) return undefined;
  const { [key]: inner, ...rest } = values;
  const kept = withoutEntry(inner, below);
  return kept === undefined || (isSection(kept) && Object.keys(kept).length === 0) ? rest : { ...rest, [key]: kept };
}

function atPlace<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw refusal(path, thrown);
  }
}

function refusal(path: string, thrown: unknown): unknown {
  if (!(thrown instanceof JsonProblem)) return thrown;
  return new Failure('invalid_config', `${path}:${thrown.line}:${thrown.column}: ${thrown.message}. Nothing was changed.`, {
    hint: 'Repair the file, or print the entry with --print and put it there yourself.',
    details: { file: path, line: thrown.line, column: thrown.column },
    cause: thrown,
  });
}
