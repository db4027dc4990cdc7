// `npm test`, from a fresh clone on: any Node from 20 on may start this, the tests run under the project's own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) run('npm', ['ci']);
const { projectNode } = await import('../../build/project-node.mjs');
run(projectNode(), [join(import.meta.dirname, 'run.ts'), ...process.argv.slice(2)]);

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`${command} cannot be started: ${error.message}`);
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
