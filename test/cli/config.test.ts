import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configKeys } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { run, temporaryFile, temporaryFolder } from './run-program.ts';

describe('config init', () => {
  it("writes every key into the user's folder, and does not overwrite it", async () => {
    const folder = temporaryFolder();
    const env = { XDG_CONFIG_HOME: folder };
    const path = join(folder, 'mcp-python/config.yaml');
    expect(await run(['config', 'init'], { env })).toEqual({ status: 0, stdout: `${path}\n`, stderr: '' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'log:\n  level: debug\n');
    const again = await run(['config', 'init'], { env });
    expect(again).toMatchObject({ status: 2, stdout: '' });
    expect(again.stderr).toContain('--force');
    expect(readFileSync(path, 'utf8')).toBe('log:\n  level: debug\n');
    expect(await run(['config', 'init', '--force'], { env })).toMatchObject({ status: 0 });
    for (const { key } of configKeys()) expect(readFileSync(path, 'utf8')).toContain(` ${key.split('.').at(-1)}: `);
  });

  it('writes a file that changes nothing as it is, and that is valid once its comments are taken away', async () => {
    const path = join(temporaryFolder(), 'made/config.yaml');
    expect(await run(['config', 'init', '--path', path])).toMatchObject({ status: 0 });
    const defaults = (await loadConfig({ file: path, environment: {} })).config;
    const active = temporaryFile('active.yaml', readFileSync(path, 'utf8').replaceAll(/^# /gm, ''));
    const loaded = await loadConfig({ file: active, environment: {} });
    expect(loaded.config).toEqual(defaults);
    for (const { key } of configKeys()) expect(loaded.originOf(key)).toMatchObject({ kind: 'file', path: active });
  });

  it('says where it cannot write', async () => {
    const path = join(temporaryFile('a-file', ''), 'config.yaml');
    const { status, stderr } = await run(['config', 'init', '--path', path]);
    expect(status).toBe(2);
    expect(stderr).toContain(path);
    expect(existsSync(path)).toBe(false);
  });
});

describe('config show', () => {
  const file = () => temporaryFile('config.yaml', 'server:\n  # a comment\n  mcp_http_port: 9000\n  max_sessions: 7\n');

  it('says where each value came from', async () => {
    const path = file();
    const { status, stdout } = await run(['config', 'show', '--json', '--config', path, '--log-level', 'error'], {
      env: { MCP_PYTHON_SERVER_MAX_SESSIONS: '8', MCP_PYTHON_TOOLS_DISABLED: 'edit_file, write_file' },
    });
    expect(status).toBe(0);
    const rows = JSON.parse(stdout);
    expect(rows).toHaveLength(configKeys().length);
    expect(rows).toContainEqual({ key: 'server.mcp_http_port', value: 9000, origin: `${path}:3` });
    expect(rows).toContainEqual({ key: 'server.max_sessions', value: 8, origin: '$MCP_PYTHON_SERVER_MAX_SESSIONS' });
    expect(rows).toContainEqual({
      key: 'tools.disabled',
      value: ['edit_file', 'write_file'],
      origin: '$MCP_PYTHON_TOOLS_DISABLED',
    });
    expect(rows).toContainEqual({ key: 'log.level', value: 'error', origin: 'flag' });
    expect(rows).toContainEqual({ key: 'execution.mode', value: 'native', origin: 'default' });
  });

  it('shows plug-ins of the command line, wherever they are named', async () => {
    const folder = temporaryFolder();
    const args = ['--plugin', 'a.mjs', 'config', '--plugin', 'b.mjs', 'show', 'plugins', '--json'];
    const { stdout } = await run(args, { cwd: folder });
    expect(JSON.parse(stdout)).toEqual([
      { key: 'plugins', value: [join(folder, 'a.mjs'), join(folder, 'b.mjs')], origin: 'flag' },
    ]);
  });

  it('shows one key or one section to people', async () => {
    const path = file();
    const one = await run(['config', 'show', 'server.mcp_http_port', '--config', path]);
    expect(one.stdout).toBe(`server.mcp_http_port  9000  ${path}:3\n`);
    const section = await run(['config', 'show', 'orchestrator']);
    expect(section.stdout.trim().split('\n')).toHaveLength(
      configKeys().filter(({ key }) => key.startsWith('orchestrator.')).length,
    );
  });

  it('names the nearest key for one that does not exist', async () => {
    const { status, stdout, stderr } = await run(['config', 'show', 'server.mcp_http_prt']);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toContain('Did you mean "server.mcp_http_port"?');
  });
});

describe('config validate', () => {
  it('ends with 0 for a valid file', async () => {
    const path = temporaryFile('config.yaml', 'log: { level: warn }\n');
    expect(await run(['config', 'validate', path])).toEqual({ status: 0, stdout: `valid: ${path}\n`, stderr: '' });
  });

  it('ends with 3 for a file that is not, and lists all that is wrong', async () => {
    const path = temporaryFile('config.yaml', 'log: { levl: warn }\nserver:\n  mcp_http_port: high\n');
    const { status, stdout, stderr } = await run(['config', 'validate', path]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain(`${path}:1: unknown key log.levl, did you mean log.level?`);
    expect(stderr).toContain(`${path}:3: server.mcp_http_port must be a whole number from 0 to 65535, found "high"`);
  });

  it('checks the configuration in force without a file, variables included', async () => {
    expect(await run(['config', 'validate'])).toMatchObject({ status: 0 });
    const { status, stderr } = await run(['config', 'validate'], { env: { MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: 'few' } });
    expect(status).toBe(3);
    expect(stderr).toContain('$MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: orchestrator.agent_count must be');
  });

  it('warns about variables that look like ours and set nothing', async () => {
    const { status, stderr } = await run(['config', 'validate'], { env: { MCP_PYTHON_LOG_LEVL: 'debug' } });
    expect(status).toBe(0);
    expect(stderr).toContain('MCP_PYTHON_LOG_LEVL sets nothing: did you mean MCP_PYTHON_LOG_LEVEL?');
  });
});

describe('config schema', () => {
  it('prints JSON Schema 2020-12 that knows every key', async () => {
    const { status, stdout } = await run(['config', 'schema']);
    expect(status).toBe(0);
    const schema = JSON.parse(stdout);
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    for (const { key, description, default: initial } of configKeys()) {
      const property = key.split('.').reduce((at, name) => at.properties[name], schema);
      expect(property).toMatchObject({ description, default: initial });
    }
  });
});
