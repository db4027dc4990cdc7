import { join } from 'node:path';
import { type Client, commandAndArguments } from './client.ts';

/** Claude Code: user scope in ~/.claude.json, project scope in .mcp.json (code.claude.com/docs/en/mcp, "MCP installation scopes"). */
export const claudeCode: Client = {
  name: 'claude-code',
  title: 'Claude Code',
  program: 'claude',
  comments: false,
  files(scope, { environment, home, workingDirectory }) {
    if (scope === 'project') return [join(workingDirectory, '.mcp.json')];
    const folder = environment.CLAUDE_CONFIG_DIR;
    // The first of the two is the older name; where it exists Claude Code reads and writes nothing else.
    return [join(folder || join(home, '.claude'), '.config.json'), join(folder || home, '.claude.json')];
  },
  servers: () => ['mcpServers'],
  entry: (target) =>
    target.kind === 'http'
      ? { type: 'http', url: target.url }
      : { type: 'stdio', command: target.command, args: target.args, env: {} },
  ownKeys: ['type', 'url', 'command', 'args', 'env'],
  command: commandAndArguments,
  next: {
    user: 'Check with `claude mcp list`; a session that is open sees it after a restart.',
    project: 'Claude Code asks for your approval when it is next started in this folder.',
  },
};
