import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PROGRAM } from '../fixtures/server.ts';
import { temporaryFolder } from './run-program.ts';

it('a project of 12 tasks keeps its order, its blocked tasks their reason, and each runs once although the server is killed', async () => {
  const folder = temporaryFolder();
  const { stdout } = await promisify(execFile)('/bin/sh', [join(import.meta.dirname, 'project.sh'), folder], {
    env: {
      PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
      TMPDIR: folder,
      MCP_PYTHON: PROGRAM.join(' '),
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/node-compile'),
    },
  });
  expect(stdout).toBe('ok\n');
}, 120_000);
