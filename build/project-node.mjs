// Finds the Node that tests, build and binary share. Plain JavaScript without dependencies: whatever Node bootstraps us runs this.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @returns {string} path of the project's Node: the one from npm, or the running one where npm has none for this
 * platform and it is new enough
 */
export function projectNode() {
  const fromNpm = join(import.meta.dirname, '..', 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(fromNpm)) return fromNpm;
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  console.error(`There is no Node 24 at ${fromNpm}, and this is Node ${process.versions.node}. Run \`npm ci\` first.`);
  process.exit(1);
}
