/** Bash's grammar (tree-sitter-bash), loaded when the first command is judged. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Parser } from 'web-tree-sitter';

let parser: Promise<Parser> | undefined;

/** The one parser of this process. */
export function shellParser(): Promise<Parser> {
  parser ??= load();
  return parser;
}

async function load(): Promise<Parser> {
  const [{ Language, Parser }, runtime, bash] = await Promise.all([
    import('web-tree-sitter'),
    wasm('web-tree-sitter/web-tree-sitter.wasm'),
    wasm('tree-sitter-bash/tree-sitter-bash.wasm'),
  ]);
  await Parser.init({ wasmBinary: runtime });
  const made = new Parser();
  made.setLanguage(await Language.load(bash));
  return made;
}

/** From the executable's assets, or from the package when run from the sources. */
async function wasm(file: string): Promise<Uint8Array> {
  const sea = process.getBuiltinModule?.('node:sea');
  if (sea?.isSea()) return new Uint8Array(sea.getRawAsset(file.slice(file.indexOf('/') + 1)));
  return readFile(createRequire(import.meta.url).resolve(file));
}
