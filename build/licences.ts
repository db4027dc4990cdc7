/** The licences of what the executable contains, as their authors ask for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { ROOT } from './places.ts';

/** One section for each bundled package and Node itself, by name. */
export function licencesOf(metafile: Metafile): string {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((input) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  packages.add(join('node_modules', `node-${process.platform}-${process.arch}`));
  // Its grammar is an asset.
  packages.add(join('node_modules', 'tree-sitter-bash'));
  return [...packages]
    .sort()
    .flatMap(section)
    .join(`\n${'-'.repeat(80)}\n`);
}

function section(folder: string): string[] {
  const path = join(ROOT, folder);
  if (!existsSync(join(path, 'package.json'))) return [];
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  return [`${name} ${version} (${license})\n\n${file ? readFileSync(join(path, file), 'utf8') : ''}`];
}
