/** Where things are, and which machines we build for. */
import { join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '..');
export const DIST: string = join(ROOT, 'dist');
/** Things made from the lockfile alone, kept between builds; `npm ci` clears it. */
export const CACHE: string = join(ROOT, 'node_modules', '.cache', 'mcp-python');

export const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'] as const;
export type Target = (typeof TARGETS)[number];
export const HOST: string = `${process.platform}-${process.arch}`;

/** The executable for this machine is dist/mcp-python, others carry their target in the name. */
export function outputOf(target: Target): string {
  return join(DIST, target === HOST ? 'mcp-python' : `mcp-python-${target}`);
}
