import { join } from 'node:path';
import { isSection } from '../../config/layer.ts';
import type { Client } from './client.ts';

const FILE_NAMES = ['opencode.jsonc', 'opencode.json'];

/** OpenCode: opencode.json or opencode.jsonc, merged where both exist (opencode.ai/docs/config and /docs/mcp-servers). */
export const opencode: Client = {
  name: 'opencode',
  title: 'OpenCode',
  program: 'opencode',
  comments: true,
  files(scope, { environment, home, workingDirectory }) {
    const folder = environment.OPENCODE_CONFIG_DIR || join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'opencode');
    return FILE_NAMES.map((name) => join(scope === 'project' ? workingDirectory : folder, name));
  },
  // Its second layout has the servers one level deeper; a server that is itself called "servers" has a type.
  servers(values) {
    const servers = isSection(values) && isSection(values.mcp) ? values.mcp.servers : undefined;
    return isSection(servers) && servers.type === undefined ? ['mcp', 'servers'] : ['mcp'];
  },
  entry: (target) =>
    target.kind === 'http'
      ? { type: 'remote', url: target.url, enabled: true }
      : { type: 'local', command: [target.command, ...target.args], enabled: true },
  ownKeys: ['type', 'url', 'command', 'enabled'],
  command: ({ command }) => (Array.isArray(command) ? command.map(String) : undefined),
  next: {
    user: 'Check with `opencode mcp list`; one that is running sees it after a restart.',
    project: 'Check with `opencode mcp list` in this folder; one that is running sees it after a restart.',
  },
};
