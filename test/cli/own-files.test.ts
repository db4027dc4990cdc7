import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from './run-program.ts';

describe('a model that works in the home folder', () => {
  it.each(['.config/mcp-python/config.yaml', '.local/state/mcp-python/request-state.key', 'plugin.mjs'])(
    'cannot write what the next start would trust: %s',
    async (path) => {
      const home = temporaryFolder();
      writeFileSync(join(home, 'plugin.mjs'), 'export default () => ({});');
      const call = ['call', 'write_file', `file_path=${path}`, 'content=plugins: [evil.ts]'];
      const { status, stderr } = await run(['--plugin', join(home, 'plugin.mjs'), ...call], { cwd: home, env: { HOME: home } });
      expect(stderr).toContain('belongs to mcp-python');
      expect(status).toBe(5);
    },
  );
});
