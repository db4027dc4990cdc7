import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig } from '../../src/config/load.ts';
import type { Failure } from '../../src/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-python-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, name = 'config.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(options: Partial<LoadOptions> = {}) {
  return loadConfig({ environment: { XDG_CONFIG_HOME: folder }, ...options });
}

/** The problems that loading a file of this text tells, without the file's own name. */
async function problemsOf(text: string, options: Partial<LoadOptions> = {}): Promise<readonly string[]> {
  const path = file(text);
  const failure = (await load({ file: path, ...options }).catch((thrown) => thrown)) as Failure;
  expect(failure).toMatchObject({ code: 'invalid_config', hint: expect.any(String) });
  const { problems } = failure.details as { problems: string[] };
  for (const problem of problems) expect(failure.message).toContain(problem);
  return problems.map((problem) => problem.replace(path, 'FILE'));
}

describe('configuration', () => {
  it('is all defaults without files and variables', async () => {
    const { config, originOf, files, warnings } = await load();
    expect(config.server).toMatchObject({ version: '2025-11-25', mcp_http_host: '127.0.0.1', mcp_http_port: 8001 });
    expect(config.orchestrator).toMatchObject({ agent_count: 3, max_concurrent_tasks: 10, health_check_interval: 10 });
    expect(config.execution).toMatchObject({ mode: 'native', timeout: 300 });
    expect(originOf('server.mcp_http_port')).toEqual({ kind: 'default' });
    expect({ files, warnings }).toEqual({ files: [], warnings: [] });
  });

  it('takes the flag over the variable over the file over the default', async () => {
    const path = file('server: { mcp_http_port: 1, max_sessions: 1, sse_retry_ms: 1 }\n');
    const { config, originOf } = await load({
      file: path,
      environment: { MCP_PYTHON_SERVER_MCP_HTTP_PORT: '2', MCP_PYTHON_SERVER_MAX_SESSIONS: '2' },
      flags: { 'server.mcp_http_port': 3, 'server.max_sessions': undefined },
    });
    expect(config.server).toMatchObject({ mcp_http_port: 3, max_sessions: 2, sse_retry_ms: 1, keep_alive_seconds: 15 });
    expect(originOf('server.mcp_http_port')).toEqual({ kind: 'flag' });
    expect(originOf('server.max_sessions')).toEqual({ kind: 'environment', name: 'MCP_PYTHON_SERVER_MAX_SESSIONS' });
    expect(originOf('server.sse_retry_ms')).toEqual({ kind: 'file', path, line: 1 });
  });

  it("is found in the user's folder, YAML before JSON", async () => {
    mkdirSync(join(folder, 'mcp-python'));
    const json = file('{"log": {"level": "warn"}}', 'mcp-python/config.json');
    expect(await load()).toMatchObject({ config: { log: { level: 'warn' } }, files: expect.arrayContaining([json]) });
    const yaml = file('log: { level: error }', 'mcp-python/config.yaml');
    expect(await load()).toMatchObject({ config: { log: { level: 'error' } }, files: expect.arrayContaining([yaml]) });
    const home = { HOME: join(folder, 'home') };
    mkdirSync(join(folder, 'home/.config/mcp-python'), { recursive: true });
    file('log: { level: debug }', 'home/.config/mcp-python/config.yml');
    expect(await load({ environment: home })).toMatchObject({ config: { log: { level: 'debug' } } });
  });

  it('reads only the file it is told to, by option or by variable', async () => {
    mkdirSync(join(folder, 'mcp-python'));
    file('log: { level: error }', 'mcp-python/config.yaml');
    const path = file('server: { max_sessions: 5 }');
    const byOption = await load({ file: path });
    expect(byOption).toMatchObject({ config: { log: { level: 'info' }, server: { max_sessions: 5 } }, files: [path] });
    const byVariable = await load({ environment: { XDG_CONFIG_HOME: folder, MCP_PYTHON_CONFIG: path } });
    expect(byVariable).toMatchObject({ files: [path], warnings: [] });
    await expect(load({ file: join(folder, 'none.yaml') })).rejects.toMatchObject({ code: 'invalid_config' });
  });

  it('takes JSON with tabs and a $schema for editors', async () => {
    const path = file(
      '{\n\t"$schema": "https://example.com/schema.json",\n\t"server": {\n\t\t"max_sessions": 5\n\t}\n}',
      'x.json',
    );
    const { config, originOf } = await load({ file: path });
    expect(config.server.max_sessions).toBe(5);
    expect(originOf('server.max_sessions')).toMatchObject({ line: 4 });
  });

  it('takes empty files, and sections whose keys are all commented out', async () => {
    for (const text of ['', '# nothing\n', 'server:\n  # mcp_http_port: 5\nexecution:\n  security:\n']) {
      const { config } = await load({ file: file(text) });
      expect(config).toEqual((await load()).config);
    }
  });

  it.each([
    ['1024', 1024],
    ['2KiB', 2048],
    ['"2 kb"', 2048],
    ['4MiB', 4 * 1024 ** 2],
    ['1GB', 1024 ** 3],
    ['1.5M', 1.5 * 1024 ** 2],
  ])('reads the size %s as %i bytes', async (text, expected) => {
    const { config } = await load({ file: file(`server: { max_body_bytes: ${text} }`) });
    expect(config.server.max_body_bytes).toBe(expected);
  });

  it.each([
    ['90', 90],
    ['0.5', 0.5],
    ['500ms', 0.5],
    ['5m', 300],
    ['2h', 7200],
    ['1d', 86_400],
  ])('reads the time %s as %d seconds', async (text, expected) => {
    const { config } = await load({ environment: { MCP_PYTHON_EXECUTION_TIMEOUT: text, XDG_CONFIG_HOME: folder } });
    expect(config.execution.timeout).toBe(expected);
  });

  it('reads lists in variables as JSON or with commas', async () => {
    const environment = {
      XDG_CONFIG_HOME: folder,
      MCP_PYTHON_TOOLS_DISABLED: 'edit_file, write_file',
      MCP_PYTHON_SERVER_ALLOWED_HOSTS: '["a", "b,c"]',
      MCP_PYTHON_SERVER_ALLOWED_ORIGINS: '',
    };
    const { config } = await load({ environment });
    expect(config.tools.disabled).toEqual(['edit_file', 'write_file']);
    expect(config.server.allowed_hosts).toEqual(['a', 'b,c']);
    expect(config.server.allowed_origins).toEqual([]);
  });

  it('makes paths absolute: from the folder of their file, the home directory, or the working directory', async () => {
    const path = file('plugins: [a.mjs, /b.mjs]\nexecution: { workspace: ., security: { path_restrictions: [~/x] } }');
    const { config } = await load({ file: path, plugins: ['c.mjs'], environment: { MCP_PYTHON_STATE_DIRECTORY: 'state' } });
    expect(config.plugins).toEqual([join(folder, 'a.mjs'), '/b.mjs', join(process.cwd(), 'c.mjs')]);
    expect(config.execution.workspace).toBe(folder);
    expect(config.execution.security.path_restrictions).toEqual([join(homedir(), 'x')]);
    expect(config.state.directory).toBe(join(process.cwd(), 'state'));
  });

  it('leaves empty paths empty, for the default to apply', async () => {
    const { config } = await load({ file: file('execution: { workspace: "" }') });
    expect(config.execution.workspace).toBe('');
  });

  it('warns about variables that look like ours and set nothing', async () => {
    const { warnings } = await load({
      environment: {
        XDG_CONFIG_HOME: folder,
        MCP_PYTHON_SERVER_MCP_HTTP_PRT: '1',
        MCP_PYTHON_COMMAND: 'x',
        MCP_PYTHON_SERVER: '1',
      },
    });
    expect(warnings).toEqual([
      'The environment variable MCP_PYTHON_SERVER_MCP_HTTP_PRT sets nothing: did you mean MCP_PYTHON_SERVER_MCP_HTTP_PORT?',
    ]);
  });
});

describe('a configuration that is not valid', () => {
  it('is refused with every problem at once, each with its place', async () => {
    const text = 'server:\n  mcp_http_port: high\n  max_body_bytes: 2XB\nlog:\n  level: loud\nplugins: [1, 2]\nexecution: 5\n';
    const environment = { XDG_CONFIG_HOME: folder, MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: '-1' };
    expect((await problemsOf(text, { environment })).toSorted()).toEqual([
      '$MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: orchestrator.agent_count must be a whole number from 0 to 1000, found -1',
      'FILE:2: server.mcp_http_port must be a whole number from 0 to 65535, found "high"',
      'FILE:3: server.max_body_bytes must be a size in bytes from 1024 to 1073741824, or text such as 4MiB, found "2XB"',
      'FILE:5: log.level must be one of debug, info, warn, error, found "loud"',
      'FILE:6: plugins must be a list of non-empty strings, found [1,2]',
      'FILE:7: execution must be a section of keys and values, found 5',
    ]);
  });

  it.each([
    ['server: { mcp_http_prt: 1 }', 'FILE:1: unknown key server.mcp_http_prt, did you mean server.mcp_http_port?'],
    ['\n\nmcp_http_port: 1', 'FILE:3: unknown key mcp_http_port, did you mean server.mcp_http_port?'],
    ['sever: {}', 'FILE:1: unknown key sever, did you mean server?'],
    [
      'execution: { security: { resource_limit: {} } }',
      'FILE:1: unknown key execution.security.resource_limit, did you mean execution.security.resource_limits?',
    ],
    ['nothing_alike_at_all: 1', 'FILE:1: unknown key nothing_alike_at_all'],
    ['__proto__: { log: {} }', 'FILE:1: unknown key __proto__'],
    ['server: { constructor: 1 }', 'FILE:1: unknown key server.constructor'],
  ])('names the nearest key for %j', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([problem]);
  });

  it.each([
    ['{ verdict: maybe }', '0.verdict must be one of allow, ask, deny, found "maybe"'],
    ['{ verdict: deny, arguments: push }', '0.arguments must be a list, found "push"'],
  ])('names the entry of a list and the key in it, for the rule %s', async (rule, problem) => {
    const text = `execution: { security: { rules: [${rule}] } }`;
    expect(await problemsOf(text)).toEqual([`FILE:1: execution.security.rules.${problem}`]);
  });

  it('is told with line and column where it is not YAML', async () => {
    expect(await problemsOf('server:\n  max_sessions: 1\n  max_sessions: 2\n')).toEqual(['FILE:3:3: Map keys must be unique']);
    expect(await problemsOf('server: [\n')).toEqual([expect.stringMatching(/^FILE:2:1: /)]);
    expect(await problemsOf('log: !include other.yaml\n')).toEqual([expect.stringMatching(/^FILE:1:6: .*!include/)]);
    expect(await problemsOf('- a\n')).toEqual(['FILE: the file must hold keys and values']);
    expect(await problemsOf('log: *nothing\n')).toEqual([expect.stringContaining('FILE')]);
  });

  it('cannot blow up by aliases of aliases', async () => {
    const levels = Array.from({ length: 9 }, (_, n) => `a${n}: &a${n} [${Array(9).fill(n === 0 ? 'x' : `*a${n - 1}`)}]`);
    expect(await problemsOf(levels.join('\n'))).toEqual([expect.stringContaining('alias')]);
  });

  it('is one that cannot be read', async () => {
    await expect(load({ file: folder })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(folder),
    });
  });

  it.each([
    'server: { mcp_http_port: 65536 }',
    'server: { mcp_http_port: 80.5 }',
    'server: { mcp_http_port: "8001" }',
    'server: { version: 2026-07-28 }',
    'server: { mcp_http_host: "" }',
    'server: { max_body_bytes: 5TB }',
    'server: { max_body_bytes: -1 }',
    'server: { max_body_bytes: 2GB }',
    'execution: { timeout: 0 }',
    'execution: { timeout: .inf }',
    'execution: { timeout: 30d }',
    'execution: { mode: docker }',
    'tools: { disabled: edit_file }',
    'log: { level: null }',
  ])('is %s', async (text) => {
    expect(await problemsOf(text)).toHaveLength(1);
  });
});
