import { join } from 'node:path';
import { type Client, commandAndArguments } from './client.ts';

/** Cursor: mcp.json in ~/.cursor or in the project's .cursor (cursor.com/docs/mcp, "Using mcp.json"). */
export const cursor: Client = {
  name: 'cursor',
  title: 'Cursor',
  program: 'cursor',
  comments: true,
  files: (scope, { home, workingDirectory }) => [join(scope === 'project' ? workingDirectory : home, '.cursor', 'mcp.json')],
  servers: () => ['mcpServers'],
  entry: (target) =>
    target.kind === 'http' ? { url: target.url } : { type: 'stdio', command: target.command, args: target.args },
  ownKeys: ['type', 'url', 'command', 'args'],
  command: commandAndArguments,
  next: {
    user: 'Switch it on under "Tools & MCP" in the settings of Cursor.',
    project: 'Open this folder in Cursor and switch it on under "Tools & MCP" in the settings.',
  },
};
