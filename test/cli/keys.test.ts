import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exchange } from '../fixtures/http-client.ts';
import { initialize, post } from '../fixtures/mcp-http.ts';
import { firstLine, type RunOptions, run, start, temporaryFolder } from './run-program.ts';

const KEY = /^mcpp_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/;
const DAY_MS = 86_400_000;

/** `keys` with one state folder for the whole test. */
function keysIn(state: string) {
  const options: RunOptions = { env: { XDG_STATE_HOME: state } };
  return (...args: string[]) => run(['keys', ...args], options);
}

describe('keys create', () => {
  it('prints the key, and on stderr that it is shown only once', async () => {
    const state = temporaryFolder();
    const { status, stdout, stderr } = await keysIn(state)('create', '--name', 'ci');
    expect(status).toBe(0);
    expect(stdout.trimEnd()).toMatch(KEY);
    expect(stderr).toContain('only once');
    expect(stderr).not.toContain(stdout.trim());
    const file = join(state, 'mcp-python', 'keys', 'ci.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('gives the least that is useful for 90 days, unless told otherwise', async () => {
    const keys = keysIn(temporaryFolder());
    const usual = JSON.parse((await keys('create', '--name', 'usual', '--json')).stdout);
    expect(usual).toMatchObject({ key: expect.stringMatching(KEY), name: 'usual', scopes: ['tools:read'], expired: false });
    expect(usual.id).toBe(usual.key.slice(5, 13));
    expect(Date.parse(usual.expires) - Date.now()).toBeGreaterThan(89.9 * DAY_MS);
    expect(Date.parse(usual.expires) - Date.now()).toBeLessThan(90.1 * DAY_MS);
    const own = await keys(
      'create',
      '--name',
      'own',
      '--scopes',
      'admin, tools:read',
      '--expires',
      'never',
      '--rate',
      '30',
      '--json',
    );
    expect(JSON.parse(own.stdout)).toMatchObject({ scopes: ['tools:read', 'admin'], expires: null, requests_per_minute: 30 });
  });

  it('refuses a name that is taken with 2, and leaves the first key alone', async () => {
    const keys = keysIn(temporaryFolder());
    await keys('create', '--name', 'ci');
    const before = (await keys('list', '--json')).stdout;
    const { status, stdout, stderr } = await keys('create', '--name', 'ci', '--scopes', 'admin');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('mcp-python keys revoke ci');
    expect((await keys('list', '--json')).stdout).toBe(before);
  });

  it.each([
    [['--name', 'a b']],
    [['--name', 'local']],
    [[]],
    [['--name', 'x', '--scopes', 'tools:write']],
    [['--name', 'x', '--scopes', '']],
    [['--name', 'x', '--expires', '90']],
    [['--name', 'x', '--expires', '0d']],
    [['--name', 'x', '--expires', '999999999y']],
    [['--name', 'x', '--rate', '0']],
  ])('refuses %j with 2, and makes nothing', async (args) => {
    const state = temporaryFolder();
    const { status, stdout } = await keysIn(state)('create', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(state)).toEqual([]);
  });

  it('is not for commands that tools run', async () => {
    const state = temporaryFolder();
    const script = `'${process.execPath}' '${join(import.meta.dirname, '../../bin/mcp-python.ts')}' keys create --name own --scopes admin`;
    const { stdout } = await run(['call', 'execute_command', `command=${script}`, 'timeout=20', '--json'], {
      env: { XDG_STATE_HOME: state },
    });
    expect(stdout).not.toMatch(/mcpp_/);
    expect(JSON.parse(stdout).exit_code).not.toBe(0);
    expect((await keysIn(state)('list', '--json')).stdout).toBe('[]\n');
  });

  it('makes no key that nobody gets to see', async () => {
    const state = temporaryFolder();
    const child = start(['keys', 'create', '--name', 'lost'], { env: { XDG_STATE_HOME: state } });
    child.stdout.destroy();
    await new Promise((resolve) => child.on('close', resolve));
    expect((await keysIn(state)('list', '--json')).stdout).toBe('[]\n');
  });
});

describe('keys list', () => {
  it('shows what each key may do and for how long, and no secret', async () => {
    const keys = keysIn(temporaryFolder());
    const { stdout: one } = await keys('create', '--name', 'one', '--expires', 'never');
    await keys('create', '--name', 'two', '--scopes', 'admin', '--rate', '9');
    const { status, stdout } = await keys('list');
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^NAME +ID +SCOPES +CREATED +EXPIRES +RATE$/);
    expect(lines[1]).toMatch(new RegExp(`^one +${one.slice(5, 13)} +tools:read +2\\d{3}-\\d\\d-\\d\\d +never +-$`));
    expect(lines[2]).toMatch(/^two +\w{8} +admin +\S+ +2\d{3}-\d\d-\d\d +9\/min$/);
    for (const text of [stdout, (await keys('list', '--json')).stdout]) expect(text).not.toContain(one.slice(14, 30));
  });

  it('says how to make one where there is none', async () => {
    const { status, stdout, stderr } = await keysIn(temporaryFolder())('list');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('keys create');
  });
});

describe('keys revoke', () => {
  it('ends a key by name or id, and knows no other: 6', async () => {
    const keys = keysIn(temporaryFolder());
    const { id } = JSON.parse((await keys('create', '--name', 'one', '--json')).stdout);
    expect(JSON.parse((await keys('revoke', id, '--json')).stdout)).toMatchObject({ id, name: 'one' });
    expect((await keys('revoke', 'one')).status).toBe(6);
    expect((await keys('list', '--json')).stdout).toBe('[]\n');
  });

  it('counts at once for a server that runs, as does a new key', async () => {
    const state = temporaryFolder();
    const env = { XDG_STATE_HOME: state, MCP_PYTHON_AUTHENTICATION_REQUIRED: 'true' };
    const server = start(['serve', '--port', '0'], { env });
    let errors = '';
    server.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const url = await firstLine(server);
    const keys = keysIn(state);
    const { stdout } = await keys('create', '--name', 'ci');
    expect(errors).toContain('there is none yet');
    const request = post(initialize(), { 'x-api-key': stdout.trim() });
    expect((await exchange(url, request)).status).toBe(200);
    await keys('revoke', 'ci');
    expect((await exchange(url, request)).status).toBe(401);
  });
});
