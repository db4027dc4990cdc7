import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFile } from '../cli/run-program.ts';
import { ask, failureOf, keyed, type RunningAgent, script, startAgent, stdoutOf } from './running-agent.ts';

let agent: RunningAgent;
beforeAll(async () => {
  agent = await startAgent({ max_body_bytes: 100_000, blocked_commands: ['printf'] });
}, 30_000);
afterAll(async () => agent?.[Symbol.asyncDispose]());

const execute = (text: string, more: object = {}, headers = keyed()) =>
  ask(agent, '/execute', { body: script(text, more), headers });

describe('a host agent', () => {
  it('says that it is there to everybody, and nothing else', async () => {
    const { status, frames } = await ask(agent, '/health');
    expect({ status, frames }).toEqual({ status: 200, frames: [{ status: 'ok' }] });
  });

  it('has a socket for its user and group only', () => {
    expect(statSync(agent.socket).mode & 0o777).toBe(0o660);
  });

  it('tells what it can', async () => {
    const { frames } = await ask(agent, '/capabilities');
    expect(frames[0]).toMatchObject({
      value: { protocol: 1, version: expect.any(String), users: [expect.any(String)], jobs: true },
    });
    const info = await ask(agent, '/info');
    expect(info.frames[0]).toMatchObject({ value: { platform: process.platform, surroundings: { workspace: agent.workspace } } });
  });

  it('runs a command in the workspace, with the environment of its user where none is given', async () => {
    const answer = await execute('pwd; echo "$USER"; echo err >&2; exit 3');
    expect(answer.status).toBe(200);
    expect(answer.frames.at(-1)).toMatchObject({ value: { outcome: 'exited', exitCode: 3 } });
    const [place, user] = stdoutOf(answer).split('\n');
    expect(place).toBe(agent.workspace);
    expect(user).toBe(execFileSync('id', ['-un'], { encoding: 'utf8' }).trim());
  });

  it('streams output as it comes where that is asked for', async () => {
    const { frames } = await execute('echo 1; sleep 0.2; echo 2', { stream: true });
    const pieces = frames.filter((frame) => 'output' in frame).map(({ data }) => Buffer.from(String(data), 'base64').toString());
    expect(pieces).toEqual(['1\n', '2\n']);
  });

  it.each([
    ['its blocked commands', { command: { kind: 'argv', argv: ['printf', 'x'] } }, 403, 'denied'],
    ['what its profile refuses', script('sudo id'), 403, 'denied'],
    ['a variable that runs other code', script('true', { env: { LD_PRELOAD: '/tmp/x.so' } }), 403, 'denied'],
    ['a folder that is not there', script('true', { cwd: '/no/such/folder' }), 404, 'not_found'],
    ['a body that is no request', { command: 'echo' }, 400, 'invalid_input'],
    ['keys it does not know', script('true', { asRoot: true }), 400, 'invalid_input'],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await ask(agent, '/execute', { body, headers: keyed() });
    expect({ status: answer.status, code: failureOf(answer).code }).toEqual({ status, code });
  });

  it('does not become a user that is not in its configuration', async () => {
    const headers = { ...keyed(), 'mcp-host-agent-user': 'daemon' };
    const answer = await ask(agent, '/execute', { body: script('id'), headers });
    expect(answer.status).toBe(403);
    expect(failureOf(answer).message).toContain('"daemon"');
  });

  it('keeps its own files from whoever it runs commands for', async () => {
    const state = join(agent.home.folder, '.local/state/mcp-python');
    const answer = await ask(agent, '/files/open', { body: { path: join(agent.folder, 'requests.db') } });
    expect(failureOf(answer)).toMatchObject({ code: 'denied', message: expect.stringContaining(state) });
    expect((await ask(agent, '/files/open', { body: { path: join(agent.home.folder, 'config-host-agent.json') } })).status).toBe(
      403,
    );
  });

  it('writes only a file that leads where its client saw it lead', async () => {
    const path = join(agent.workspace, 'led.txt');
    const body = { path, realPath: `${path}.elsewhere`, data: 'eA==', createParents: false };
    const answer = await ask(agent, '/files/write', { body, headers: keyed() });
    expect(failureOf(answer).code).toBe('conflict');
    expect(existsSync(path)).toBe(false);
  });

  it('knows other paths, methods and versions of its protocol from its own', async () => {
    expect((await ask(agent, '/shell')).status).toBe(404);
    expect((await ask(agent, '/execute')).status).toBe(405);
    const other = await ask(agent, '/capabilities', { headers: { 'mcp-host-agent-protocol': '99' } });
    expect(failureOf(other)).toMatchObject({ code: 'unsupported', message: expect.stringContaining('version 1') });
  });

  it('refuses a body that is too large, told or not, and answers the next request', async () => {
    const large = script(`: ${'x'.repeat(200_000)}`);
    expect((await ask(agent, '/execute', { body: large, headers: keyed() })).status).toBe(413);
    const chunked = await ask(agent, '/execute', { body: large, headers: { ...keyed(), 'transfer-encoding': 'chunked' } });
    expect(chunked.status).toBe(413);
    expect((await execute('true')).status).toBe(200);
  });

  it('records every command with who asked for it', async () => {
    await execute('echo recorded-$((1+1))');
    const folder = join(agent.folder, 'audit');
    const text = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
    const records = text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    expect(records).toContainEqual(
      expect.objectContaining({ event: 'command', command: 'echo recorded-$((1+1))', verdict: 'allow', tool: 'execute' }),
    );
    expect(records).toContainEqual(expect.objectContaining({ event: 'start', role: 'host-agent' }));
    expect(records.find(({ event }) => event === 'command').principal).toMatch(/^(user:\d+|socket)$/);
  });

  it('records who read which file', async () => {
    const path = join(agent.workspace, 'read-by-somebody.txt');
    writeFileSync(path, 'x');
    await ask(agent, '/files/open', { body: { path } });
    const told = () => readFileSync(join(agent.folder, 'audit', 'audit-00000001.jsonl'), 'utf8');
    await expect.poll(told, { timeout: 3000 }).toMatch(/"event":"call"[^\n]*"target":"[^"]*read-by-somebody.txt"/);
  });

  it.skipIf(spawnSync('bwrap', ['--version']).status !== 0)(
    'makes the sandbox of a command as narrow as its client asks (skipped without bubblewrap)',
    async () => {
      const path = join(agent.workspace, 'narrow.txt');
      const confinement = { writable: [], hidden: [], network: 'none' };
      const narrow = await execute(`echo x >${path}`, { confinement, cwd: '/' });
      expect(narrow.frames.at(-1)).toMatchObject({ value: { outcome: 'exited' } });
      expect(existsSync(path)).toBe(false);
      await execute(`echo x >${path}`, { confinement: { ...confinement, writable: ['/'] } });
      expect(existsSync(path)).toBe(true);
      // Nor is it wider for that.
      const wide = join(agent.home.folder, 'wide.txt');
      await execute(`cp /etc/hostname ${wide}`, { confinement: { ...confinement, writable: ['/'] } });
      expect(existsSync(wide)).toBe(false);
    },
  );

  it('takes a changed policy at SIGHUP, and keeps the old one where the new is none', async () => {
    const file = join(agent.home.folder, 'config-host-agent.json');
    const change = async (host_agent: object, told: RegExp) => {
      const before = agent.program.errors.length;
      writeFileSync(file, JSON.stringify({ host_agent: { ...(agent.config.host_agent as object), ...host_agent } }));
      process.kill(agent.pid, 'SIGHUP');
      await expect.poll(() => agent.program.errors.slice(before), { timeout: 5000 }).toMatch(told);
    };
    await change({ blocked_commands: ['uname'] }, /read anew/);
    expect((await execute('uname')).status).toBe(403);
    await change({ profile: 'no-such-profile' }, /stays as it was/);
    expect((await execute('uname')).status).toBe(403);
    await change({}, /read anew/);
    expect((await execute('uname')).status).toBe(200);
  });
});

describe('doctor', () => {
  it('tells of each host agent in the configuration whether it answers', async () => {
    const host_agents = [
      { name: 'here', socket: agent.socket },
      { name: 'away', socket: `${agent.socket}.none` },
    ];
    const { stdout } = await run(['doctor', '--json', '--config', temporaryFile('config.json', JSON.stringify({ host_agents }))]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; message: string }[] };
    expect(checks.find(({ name }) => name === 'host_agent:here')).toMatchObject({ status: 'ok' });
    expect(checks.find(({ name }) => name === 'host_agent:away')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('cannot be reached'),
    });
  }, 20_000);
});

describe('starting a host agent', () => {
  it('fails where another one has the socket', async () => {
    await expect(startAgent({}, { socket: agent.socket })).rejects.toThrow(/Another host agent listens/);
  }, 20_000);

  it.skipIf(process.getuid?.() !== 0)(
    'fails as root while nobody says whom commands run as (skipped for others)',
    async () => {
      await expect(startAgent({ users: [] })).rejects.toThrow(/runs as root/);
    },
    20_000,
  );
});
