import { join } from 'node:path';
import { type Client, commandAndArguments } from './client.ts';

/** VS Code: mcp.json in the user profile, or .vscode/mcp.json (code.visualstudio.com, "MCP configuration reference"). */
export const vscode: Client = {
  name: 'vscode',
  title: 'VS Code',
  program: 'code',
  comments: true,
  files(scope, { environment, home, workingDirectory, platform }) {
    if (scope === 'project') return [join(workingDirectory, '.vscode', 'mcp.json')];
    const folder =
      platform === 'darwin' ? join(home, 'Library', 'Application Support') : environment.XDG_CONFIG_HOME || join(home, '.config');
    return [join(folder, 'Code', 'User', 'mcp.json')];
  },
  servers: () => ['servers'],
  entry: (target) =>
    target.kind === 'http' ? { type: 'http', url: target.url } : { type: 'stdio', command: target.command, args: target.args },
  ownKeys: ['type', 'url', 'command', 'args'],
  command: commandAndArguments,
  next: {
    user: 'Start it with "MCP: List Servers" in the command palette of VS Code.',
    project: 'Open this folder in VS Code, trust the server when asked, and see "MCP: List Servers".',
  },
};
