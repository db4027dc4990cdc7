import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { firstLine, run, start, temporaryFile, temporaryFolder } from './run-program.ts';

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string;
}

/** What doctor says in a home and with variables; the port is a free one unless the test is about it. */
async function doctor(env: Record<string, string> = {}, words: string[] = []) {
  const { status, stdout, stderr } = await run(['doctor', '--json', ...words], {
    env: { MCP_PYTHON_SERVER_MCP_HTTP_PORT: '0', ...env },
  });
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  return { status, ok, stderr, check: (name: string) => checks.find((each) => each.name === name), checks };
}

describe('doctor', () => {
  it('finds nothing wrong in an empty home and ends with 0', async () => {
    const { status, ok, checks } = await doctor();
    expect(checks.filter((each) => each.status === 'fail')).toEqual([]);
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'runtime',
        'configuration',
        'workspace',
        'state folder',
        'native backend',
        'port',
        'open files',
        'ripgrep',
        'git',
      ]),
    );
    expect(names).toEqual(expect.arrayContaining(['claude-code', 'opencode', 'vscode', 'cursor']));
  });

  it('is a table for people, with what to do below what needs it', async () => {
    const folder = join(temporaryFolder(), 'gone');
    const { status, stdout } = await run(['doctor'], { env: { MCP_PYTHON_EXECUTION_WORKSPACE: folder } });
    expect(status).toBe(4);
    expect(stdout).toMatch(/^ok {4}runtime +Node \d/m);
    expect(stdout).toMatch(new RegExp(`^fail  workspace +${folder} is not a folder\\n +→ Make it`, 'm'));
    expect(stdout).toMatch(/\d+ ok, \d+ to look at, \d+ failed\n$/);
  });

  it('runs a command on the native backend and tells how long it took', async () => {
    const { check } = await doctor();
    expect(check('native backend')).toMatchObject({ status: 'ok', message: expect.stringMatching(/^ran `true` in \d+ ms$/) });
  });

  it('ends with 3 for a bad configuration, and still looks at the rest', async () => {
    const file = temporaryFile('config.yaml', 'server:\n  mcp_http_prot: 1\n');
    const { status, check } = await doctor({}, ['--config', file]);
    expect(status).toBe(3);
    expect(check('configuration')).toMatchObject({ status: 'fail', message: expect.stringContaining(`${file}:2`) });
    expect(check('native backend')).toMatchObject({ status: 'ok' });
  });

  it('tells each plug-in that does not load, and ends with 3', async () => {
    const good = temporaryFile('good.mjs', 'console.log("hello"); export default () => ({ tools: [] });');
    const bad = temporaryFile('bad.mjs', 'export const nothing = 1;');
    const { status, checks } = await doctor({}, ['--plugin', good, '--plugin', bad]);
    expect(status).toBe(3);
    const plugins = checks.filter(({ name }) => name === 'plug-in');
    expect(plugins.map((each) => each.status)).toEqual(['ok', 'fail']);
    expect(plugins[1]?.message).toContain(bad);
  });

  it('knows a port that we serve from one that another program has', async () => {
    const serve = start(['serve', '--port', '0']);
    const ours = new URL(await firstLine(serve)).port;
    expect((await doctor({ MCP_PYTHON_SERVER_MCP_HTTP_PORT: ours })).check('port')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('mcp-python answers'),
    });

    const other = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const theirs = String((other.address() as AddressInfo).port);
    const { status, check } = await doctor({ MCP_PYTHON_SERVER_MCP_HTTP_PORT: theirs });
    expect(status).toBe(0);
    expect(check('port')).toMatchObject({ status: 'warn', message: expect.stringContaining('another program') });
  });

  it('fails for an address beyond this machine, which serve refuses', async () => {
    const { status, check } = await doctor({ MCP_PYTHON_SERVER_MCP_HTTP_HOST: '0.0.0.0' });
    expect(status).toBe(4);
    expect(check('port')?.status).toBe('fail');
  });

  it('fails when the path rules lock the workspace out', async () => {
    const { status, check } = await doctor({ MCP_PYTHON_EXECUTION_SECURITY_PATH_RESTRICTIONS: temporaryFolder() });
    expect(status).toBe(4);
    expect(check('workspace')).toMatchObject({ status: 'fail', hint: expect.stringContaining('path_restrictions') });
  });

  it('tells what a client starts, and fails when that is gone', async () => {
    const HOME = temporaryFolder();
    await run(['setup', 'cursor'], { env: { HOME } });
    expect((await doctor({ HOME })).check('cursor')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^starts \S+node .*mcp-python\.ts stdio/),
    });

    writeFileSync(
      join(HOME, '.cursor', 'mcp.json'),
      JSON.stringify({ mcpServers: { 'mcp-python': { command: '/gone/mcp-python', args: ['stdio'] } } }),
    );
    const { status, check } = await doctor({ HOME });
    expect(status).toBe(4);
    expect(check('cursor')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('/gone/mcp-python'),
      hint: expect.stringContaining('mcp-python setup cursor'),
    });
  });

  it('offers setup for a client that is installed, and only warns about files of others that are broken', async () => {
    const bin = temporaryFolder();
    writeFileSync(join(bin, 'opencode'), '#!/bin/sh\n');
    chmodSync(join(bin, 'opencode'), 0o755);
    const HOME = temporaryFolder();
    mkdirSync(join(HOME, '.cursor'));
    writeFileSync(join(HOME, '.cursor', 'mcp.json'), '{');
    const { status, check } = await doctor({ HOME, PATH: `${bin}:${process.env.PATH}` });
    expect(status).toBe(0);
    expect(check('opencode')).toMatchObject({ status: 'ok', hint: expect.stringContaining('mcp-python setup opencode') });
    expect(check('cursor')).toMatchObject({ status: 'warn', message: expect.stringContaining('mcp.json:1:2') });
  });

  it('tells what is different without ripgrep and git', async () => {
    const { check } = await doctor({ PATH: temporaryFolder() });
    expect(check('ripgrep')).toMatchObject({ status: 'warn', message: expect.stringContaining('same answers') });
    expect(check('git')?.status).toBe('warn');
  });

  it('names switched-off tools that do not exist', async () => {
    const { check } = await doctor({ MCP_PYTHON_TOOLS_DISABLED: 'read_files' });
    expect(check('tools')).toMatchObject({ status: 'warn', hint: 'Did you mean read_file?' });
  });
});
