/** The local socket of `serve`: whose it is, who may come in, and how it is found. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SERVER_MARK } from '../../src/backends/process-tree.ts';
import { findLocalServer } from '../../src/transports/local-server.ts';
import { JSON_HEADERS } from '../fixtures/mcp-http.ts';
import { type RestartingServer, startRestartingServer } from '../fixtures/restarting-server.ts';
import { PROGRAM, type ProgramOptions, programArguments } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

async function start(options?: ProgramOptions): Promise<RestartingServer> {
  const server = await startRestartingServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A POST over the socket. */
function post(socketPath: string, message: object, path = '/mcp'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sending = request({ socketPath, path, method: 'POST', headers: JSON_HEADERS, agent: false }, async (response) => {
      resolve({ status: response.statusCode ?? 0, body: await text(response) });
    });
    sending.on('error', reject);
    sending.end(JSON.stringify({ jsonrpc: '2.0', ...message }));
  });
}

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

describe('the local socket', () => {
  it('is found with its server, and for its owner only', async () => {
    const server = await start();
    const found = await findLocalServer(server.state);
    expect(found).toEqual({ socketPath: join(server.state, 'server.sock'), url: server.url, pid: server.pid });
    expect(statSync(join(server.state, 'server.sock')).mode & 0o777).toBe(0o600);
    expect(statSync(join(server.state, 'server.json')).mode & 0o777).toBe(0o600);
    expect(statSync(server.state).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(server.state, 'server.json'), 'utf8'))).toEqual({
      pid: server.pid,
      started: expect.stringMatching(/^\d{4}-.*Z$/),
      url: server.url,
      socket: join(server.state, 'server.sock'),
      version: expect.stringMatching(/^\d+\./),
    });
  });

  it('asks for no key where the port does', async () => {
    const server = await start({ config: { authentication: { required: true } } });
    expect((await fetch(server.url, { method: 'POST', headers: JSON_HEADERS, body: '{}' })).status).toBe(401);
    const { status, body } = await post(join(server.state, 'server.sock'), INITIALIZE);
    expect(status).toBe(200);
    expect(JSON.parse(body).result.serverInfo.name).toBe('mcp-python');
  });

  it('has no control requests where nobody takes them, and the port never has', async () => {
    const server = await start();
    expect((await post(join(server.state, 'server.sock'), {}, '/control/agents')).status).toBe(404);
    expect((await fetch(new URL('/control/agents', server.url), { method: 'POST' })).status).toBe(404);
  });

  it('is gone after a stop, and taken over from a server that was killed', async () => {
    const server = await start();
    await server.stop();
    expect(existsSync(join(server.state, 'server.sock'))).toBe(true);
    expect(await findLocalServer(server.state)).toBeUndefined();
    await server.start();
    expect((await findLocalServer(server.state))?.pid).toBe(server.pid);
    await server.stop('SIGTERM');
    expect(existsSync(join(server.state, 'server.sock'))).toBe(false);
    expect(existsSync(join(server.state, 'server.json'))).toBe(false);
    expect(server.errors).not.toContain('socket');
  });

  it('is left to a server that lives, with a word on stderr', async () => {
    const server = await start();
    const [command, ...first] = PROGRAM;
    const args = programArguments(server.home, 'serve', { config: { server: { mcp_http_port: 0 } } });
    const second = spawn(command, [...first, ...args], { env: server.home.environment, cwd: server.home.folder });
    onTestFinished(() => void second.kill('SIGKILL'));
    let errors = '';
    second.stderr.setEncoding('utf8').on('data', (more: string) => {
      errors += more;
    });
    await eventually(() => errors.includes('Serving MCP'), 10_000);
    expect(errors).toContain('is left to the server that has it');
    second.kill('SIGTERM');
    await new Promise((resolve) => second.once('exit', resolve));
    expect((await findLocalServer(server.state))?.pid).toBe(server.pid);
  });

  it.skipIf(process.platform !== 'linux' || spawnSync('ss', ['-V']).status !== 0)(
    'refuses commands that tools run where the port asks for keys, also through a child with an empty environment (skipped without ss)',
    async () => {
      const server = await start({ config: { authentication: { required: true } } });
      const socket = join(server.state, 'server.sock');
      const connect = `
        const { request } = require('node:http');
        const sending = request({ socketPath: ${JSON.stringify(socket)}, path: '/mcp', method: 'GET' });
        sending.on('response', (response) => { console.log(response.statusCode); process.exit(); });
        sending.end();`;
      const ask = (env: Record<string, string>, prefix: string) => {
        const script = `${prefix}'${process.execPath}' -e "$SCRIPT"; true`;
        return spawnSync('/bin/sh', ['-c', script], { env: { ...env, SCRIPT: connect }, encoding: 'utf8' }).stdout.trim();
      };
      expect(ask({}, '')).toBe('406');
      expect(ask({ [SERVER_MARK]: 'x' }, '')).toBe('403');
      expect(ask({ [SERVER_MARK]: 'x' }, '/usr/bin/env -u MCP_PYTHON_SERVER ')).toBe('403');
      expect(ask({}, '')).toBe('406');
    },
  );
});
