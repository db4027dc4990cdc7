/** Whether an executable was made from just these sources. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIST, outputOf, ROOT, type Target } from './places.ts';

const INPUTS = ['build.mjs', 'build/**/*', 'bin/**/*', 'src/**/*', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** A digest of every input's name and content. Dependencies are in by their lockfile. */
export function stampOf(target: Target): string {
  const hash = createHash('sha256').update(`${target} ${process.version}`);
  for (const name of globSync(INPUTS, { cwd: ROOT }).sort()) {
    const path = join(ROOT, name);
    if (statSync(path).isFile()) hash.update(`\0${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

export function isFresh(target: Target, stamp: string): boolean {
  const file = stampFile(target);
  return existsSync(outputOf(target)) && existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

export function markFresh(target: Target, stamp: string): void {
  writeFileSync(stampFile(target), stamp);
}

function stampFile(target: Target): string {
  return join(DIST, `.built-${target}`);
}
