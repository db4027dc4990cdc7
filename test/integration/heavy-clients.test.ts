/** MCP hosts and tools of others, as their users run them, each in an empty home and without telemetry. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, ended } from '../cli/run-program.ts';
import { initialize } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, createHome, type Home, PROGRAM, type RunningServer, startServer } from '../fixtures/server.ts';
import { type ClientName, clientCommand } from '../setup/clients.ts';

/** Nothing here may reach for the network. */
const OFFLINE = {
  DO_NOT_TRACK: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  OPENCODE_DISABLE_SHARE: '1',
  npm_config_offline: 'true',
  NO_COLOR: '1',
  CI: '1',
};

/** Text without terminal escapes. */
const plain = (text: string) => text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g'), '');

function start(home: Home, command: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const { NODE_COMPILE_CACHE, PATH, ...environment } = home.environment;
  // Their own #! line asks for `node`: the one that runs us.
  const path = `${dirname(process.execPath)}:${PATH}`;
  return spawn(command, args, { cwd: home.folder, env: { ...environment, ...OFFLINE, PATH: path } });
}

async function run(home: Home, command: string, args: readonly string[]): Promise<Ended> {
  const child = start(home, command, args);
  child.stdin.end();
  const { status, stdout, stderr } = await ended(child);
  return { status, stdout: plain(stdout), stderr: plain(stderr) };
}

const setup = (home: Home, ...args: string[]) => {
  const [command, ...first] = PROGRAM;
  return run(home, command, [...first, 'setup', ...args]);
};

/** A suite for one client, skipped and counted where it could not be installed. */
function suite(name: ClientName, title: string, define: (command: string) => void): void {
  const command = clientCommand(name);
  describe.skipIf(!command)(title, { timeout: 60_000 }, () => define(command ?? ''));
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN] });
});
afterAll(() => server[Symbol.asyncDispose]());

suite('claude-code', 'Claude Code', (claude) => {
  it('connects to what `setup claude-code` entered, over stdio', async () => {
    using home = createHome();
    expect(await setup(home, 'claude-code')).toMatchObject({ status: 0 });
    const { status, stdout } = await run(home, claude, ['mcp', 'list']);
    expect(stdout).toMatch(/^mcp-python: .* stdio - .*Connected$/m);
    expect(status).toBe(0);
  });

  it('connects to what `setup claude-code --http` entered', async () => {
    using home = createHome();
    expect(await setup(home, 'claude-code', '--http', server.url)).toMatchObject({ status: 0 });
    const { stdout } = await run(home, claude, ['mcp', 'list']);
    expect(stdout).toMatch(/^mcp-python: http:.*Connected$/m);
  });

  it('no longer knows us after `setup claude-code --remove`', async () => {
    using home = createHome();
    await setup(home, 'claude-code');
    await setup(home, 'claude-code', '--remove');
    const { stdout } = await run(home, claude, ['mcp', 'list']);
    expect(stdout).not.toContain('mcp-python:');
  });
});

suite('opencode', 'OpenCode', (opencode) => {
  it('connects to what `setup opencode` entered, over stdio and over HTTP', async () => {
    using home = createHome();
    expect(await setup(home, 'opencode')).toMatchObject({ status: 0 });
    expect(await setup(home, 'opencode', '--http', server.url, '--name', 'by-http')).toMatchObject({ status: 0 });
    const { status, stdout, stderr } = await run(home, opencode, ['mcp', 'list']);
    const said = stdout + stderr;
    expect(said).toMatch(/mcp-python\s+connected/);
    expect(said).toMatch(/by-http\s+connected/);
    expect(said).toContain('2 server(s)');
    expect(status).toBe(0);
  });
});

suite('inspector', 'the MCP Inspector', (inspector) => {
  const target = {
    stdio: () => [...PROGRAM, 'stdio', '--plugin', CONFORMANCE_PLUGIN],
    HTTP: () => [server.url, '--transport', 'http'],
  };
  const ask = async (home: Home, wire: keyof typeof target, ...args: string[]) => {
    const { status, stdout, stderr } = await run(home, inspector, ['--cli', ...target[wire](), ...args]);
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  describe.each(['stdio', 'HTTP'] as const)('over %s', (wire) => {
    it.each(['legacy', 'modern'])('lists and calls tools in the %s era', async (era) => {
      using home = createHome();
      const { tools } = await ask(home, wire, '--protocol-era', era, '--method', 'tools/list');
      expect(tools.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['execute_command', 'read_file']));
      const call = ['--method', 'tools/call', '--tool-name', 'check_command_exists', '--tool-arg', 'command=sh'];
      const { structuredContent } = await ask(home, wire, '--protocol-era', era, ...call);
      expect(structuredContent).toMatchObject({ command: 'sh', exists: true });
    });
  });

  it('reads resources and prompts', async () => {
    using home = createHome();
    const { contents } = await ask(home, 'HTTP', '--method', 'resources/read', '--uri', 'test://static-text');
    expect(contents[0].text).toContain('static text');
    const { messages } = await ask(home, 'HTTP', '--method', 'prompts/get', '--prompt-name', 'test_simple_prompt');
    expect(messages[0].content.text).toContain('simple prompt');
  });

  it('finds no error in the schemas of our own tools', async () => {
    using home = createHome();
    const args = ['--cli', ...PROGRAM, 'stdio', '--method', 'tools/list', '--strict'];
    const { status, stderr } = await run(home, inspector, args);
    expect(stderr).toContain('0 errors');
    expect(status).toBe(0);
  });
});

suite('mcp-remote', 'mcp-remote', (mcpRemote) => {
  it('carries a stdio client to our HTTP endpoint', async () => {
    using home = createHome();
    const child = start(home, mcpRemote, [server.url, '--transport', 'http-only']);
    try {
      child.stderr.resume();
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const ask = async (message: object) => {
        child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
        return JSON.parse((await lines.next()).value ?? '');
      };
      expect((await ask(initialize())).result.serverInfo.name).toBe('mcp-python');
      child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
      const call = { id: 2, method: 'tools/call', params: { name: 'execute_command', arguments: { command: 'echo hi' } } };
      expect((await ask(call)).result.structuredContent).toMatchObject({ exit_code: 0, stdout: 'hi\n' });
    } finally {
      const closed = new Promise((resolve) => child.on('close', resolve));
      child.kill();
      await closed;
    }
  });
});
