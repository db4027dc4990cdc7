// Builds dist/mcp-python. Any Node from 20 on may start this: the work is done by the project's own Node.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectNode } from './build/project-node.mjs';

const { status, signal } = spawnSync(projectNode(), [join(import.meta.dirname, 'build', 'build.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
