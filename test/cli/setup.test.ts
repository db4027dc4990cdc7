import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from './run-program.ts';

const SOURCE = join(import.meta.dirname, '../../bin/mcp-python.ts');

/** Where each client keeps its servers, in the user's home and in a project. */
const PLACES = {
  'claude-code': { user: '.claude.json', project: '.mcp.json', servers: ['mcpServers'] },
  opencode: { user: '.config/opencode/opencode.json', project: 'opencode.json', servers: ['mcp'] },
  vscode: { user: '.config/Code/User/mcp.json', project: '.vscode/mcp.json', servers: ['servers'] },
  cursor: { user: '.cursor/mcp.json', project: '.cursor/mcp.json', servers: ['mcpServers'] },
} as const;
type ClientName = keyof typeof PLACES;
const NAMES = Object.keys(PLACES) as ClientName[];

const started = { command: process.execPath, args: [SOURCE, 'stdio'] };
const ENTRIES: Record<ClientName, { stdio: object; http: object }> = {
  'claude-code': { stdio: { type: 'stdio', ...started, env: {} }, http: { type: 'http', url: 'http://127.0.0.1:8001/mcp' } },
  opencode: {
    stdio: { type: 'local', command: [started.command, ...started.args], enabled: true },
    http: { type: 'remote', url: 'http://127.0.0.1:8001/mcp', enabled: true },
  },
  vscode: { stdio: { type: 'stdio', ...started }, http: { type: 'http', url: 'http://127.0.0.1:8001/mcp' } },
  cursor: { stdio: { type: 'stdio', ...started }, http: { url: 'http://127.0.0.1:8001/mcp' } },
};

/** A home with the client's user file in it. */
function homeWith(client: ClientName, text: string): { home: string; file: string } {
  const home = temporaryFolder();
  const file = join(home, PLACES[client].user);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return { home, file };
}

const setup = (home: string, ...words: string[]) => run(['setup', ...words], { env: { HOME: home }, cwd: home });
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

describe('setup', () => {
  it.each(NAMES)(
    'makes the file of %s in an empty home, readable by its owner only, and removes its entry again',
    async (client) => {
      const home = temporaryFolder();
      const file = join(home, PLACES[client].user);
      const { status, stdout } = await setup(home, client);
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining(`added "mcp-python" to ${file}.`) });
      expect(json(file)).toEqual({ [PLACES[client].servers[0]]: { 'mcp-python': ENTRIES[client].stdio } });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await setup(home, client, '--remove');
      expect(json(file)).toEqual({ [PLACES[client].servers[0]]: {} });
    },
  );

  it.each(NAMES)('writes the URL and the project file of %s when asked', async (client) => {
    const home = temporaryFolder();
    await setup(home, client, '--scope', 'project', '--name', 'hands', '--http', 'http://127.0.0.1:8001/mcp');
    expect(json(join(home, PLACES[client].project))).toEqual({ [PLACES[client].servers[0]]: { hands: ENTRIES[client].http } });
  });

  it('changes nothing when it is run again, and says so', async () => {
    const home = temporaryFolder();
    await setup(home, 'cursor');
    const file = join(home, PLACES.cursor.user);
    const before = statSync(file);
    const { status, stdout } = await setup(home, 'cursor');
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing was changed') });
    expect(statSync(file)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  it('keeps comments, order and other servers, and what a person added to our entry', async () => {
    const text = `{
  // my servers
  "servers": {
    "mcp-python": { "type": "stdio", "command": "/old", "args": ["stdio"], "env": { "A": "1" } }, // ours
    "other": { "command": "x" },
  },
  "inputs": [],
}
`;
    const { home, file } = homeWith('vscode', text);
    const { stdout } = await setup(home, 'vscode', '--http', 'http://127.0.0.1:8001/mcp');
    expect(stdout).toContain('updated "mcp-python"');
    expect(readFileSync(file, 'utf8')).toBe(
      text.replace(
        '"type": "stdio", "command": "/old", "args": ["stdio"], "env": { "A": "1" }',
        '"type": "http", "env": { "A": "1" }, "url": "http://127.0.0.1:8001/mcp"',
      ),
    );
    await setup(home, 'vscode', '--remove');
    expect(readFileSync(file, 'utf8')).toContain('    // ours\n    "other": { "command": "x" },\n');
  });

  it('writes through a symbolic link and keeps the mode of the file', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'dotfiles'));
    const target = join(home, 'dotfiles', 'claude.json');
    writeFileSync(target, '{"theme": "dark"}');
    chmodSync(target, 0o640);
    symlinkSync('dotfiles/claude.json', join(home, '.claude.json'));
    await setup(home, 'claude-code');
    expect(lstatSync(join(home, '.claude.json')).isSymbolicLink()).toBe(true);
    expect(json(target)).toMatchObject({ theme: 'dark', mcpServers: { 'mcp-python': ENTRIES['claude-code'].stdio } });
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(home, 'dotfiles'))).toEqual(['claude.json']);
  });

  it('refuses a file that is not valid JSON, names the place and leaves it alone', async () => {
    for (const text of [
      '{\n  "mcpServers": {},\n',
      '{\n  // no comments here\n}',
      '[]',
      '{"mcpServers": []}',
      '{"mcpServers": {"mcp-python": 1}}',
    ]) {
      const { home, file } = homeWith('claude-code', text);
      const { status, stdout, stderr } = await setup(home, 'claude-code');
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
      expect(stderr).toContain(file);
      expect(stderr).toContain('Nothing was changed');
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  it('follows the clients to the file they read: older names, folders from the environment, layouts', async () => {
    const old = temporaryFolder();
    mkdirSync(join(old, '.claude'));
    writeFileSync(join(old, '.claude', '.config.json'), '{}');
    await setup(old, 'claude-code');
    expect(json(join(old, '.claude', '.config.json'))).toHaveProperty('mcpServers.mcp-python');

    const moved = temporaryFolder();
    await run(['setup', 'claude-code'], { env: { HOME: moved, CLAUDE_CONFIG_DIR: join(moved, 'elsewhere') } });
    expect(json(join(moved, 'elsewhere', '.claude.json'))).toHaveProperty('mcpServers.mcp-python');

    const { home, file } = homeWith('opencode', '{}');
    writeFileSync(`${file}c`, '{\n  // second layout\n  "mcp": { "servers": {} }\n}\n');
    await setup(home, 'opencode');
    expect(readFileSync(file, 'utf8')).toBe('{}');
    expect(readFileSync(`${file}c`, 'utf8')).toMatch(/\/\/ second layout[\s\S]*"servers": \{\s+"mcp-python": \{/);
  });

  it('enters a bridge to a running server with --connect', async () => {
    const { stdout } = await setup(temporaryFolder(), 'cursor', '--print', '--connect', 'auto');
    expect(JSON.parse(stdout).mcpServers['mcp-python'].args).toEqual([SOURCE, 'stdio', '--connect', 'auto']);
    expect((await setup(temporaryFolder(), 'cursor', '--connect', 'auto', '--http', 'http://127.0.0.1:1/mcp')).status).toBe(2);
  });

  it('prints the entry with --print and touches nothing', async () => {
    const home = temporaryFolder();
    const { status, stdout } = await setup(home, 'opencode', '--print');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ mcp: { 'mcp-python': ENTRIES.opencode.stdio } });
    expect(readdirSync(home)).toEqual([]);
  });

  it('hands the configuration and plug-ins it was given on to the server, with absolute paths', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'mine.yaml'), 'log: { level: warn }\n');
    const { stdout } = await setup(home, 'cursor', '--print', '--config', 'mine.yaml', '--plugin', 'tools.mjs');
    const expected = [SOURCE, 'stdio', '--config', join(home, 'mine.yaml'), '--plugin', join(home, 'tools.mjs')];
    expect(JSON.parse(stdout).mcpServers['mcp-python'].args).toEqual(expected);
    const missing = await setup(home, 'cursor', '--print', '--config', 'other.yaml');
    expect(missing.status).toBe(3);
  });

  it('says what happened as JSON with --json', async () => {
    const home = temporaryFolder();
    const { stdout } = await setup(home, 'cursor', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      client: 'cursor',
      scope: 'user',
      change: 'added',
      file: join(home, PLACES.cursor.user),
    });
    const { stdout: none } = await setup(home, 'vscode', '--remove', '--json');
    expect(JSON.parse(none)).toMatchObject({ client: 'vscode', change: 'unchanged', files: [] });
  });

  it('refuses names, URLs and pairs of options that make no sense', async () => {
    const home = temporaryFolder();
    for (const words of [
      ['cursor', '--name', 'a b'],
      ['cursor', '--http', '8001'],
      ['cursor', '--print', '--remove'],
      ['emacs'],
      [],
    ]) {
      const { status, stdout, stderr } = await setup(home, ...words);
      expect({ words, status, stdout }).toEqual({ words, status: 2, stdout: '' });
      expect(stderr).not.toBe('');
    }
    expect(readdirSync(home)).toEqual([]);
  });
});
