import { once } from 'node:events';
import { createServer as createWebServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Confinement, ExecResult } from '../../../src/backends/backend.ts';
import { createNativeBackend } from '../../../src/backends/native.ts';
import { folderWith, noSandbox, OUTSIDE_TMP } from './in-sandbox.ts';

const backend = createNativeBackend();
afterAll(() => backend[Symbol.asyncDispose]());

async function run(script: string, confinement: Partial<Confinement>) {
  const result = await backend.exec(
    {
      command: { kind: 'script', script },
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 20_000,
      maxOutputBytes: 10_000,
      confinement: { writable: [], hidden: [], network: 'none', ...confinement },
    },
    { signal: new AbortController().signal },
  );
  const text = (stream: ExecResult['stdout']) => Buffer.concat([stream.head, stream.tail]).toString();
  return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: text(result.stderr) };
}

describe.skipIf(noSandbox)('the native backend', { timeout: 30_000 }, () => {
  it('gives commands the hosts that are listed, and tells of others', async () => {
    const server = createWebServer((_, response) => response.end('reached\n')).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const network = [`127.0.0.1:${port}`];
    const results = await Promise.all(
      [1, 2].map(() => run(`curl -sS http://127.0.0.1:${port}/; curl -s http://127.0.0.1:1/; exit 3`, { network })),
    );
    for (const { exitCode, stdout, stderr } of results) {
      expect(stdout).toMatch(
        /^reached\nCommands may not reach 127\.0\.0\.1:1: it is not listed in execution\.security\.network_hosts\.\n$/,
      );
      expect(stderr).toContain('mcp-python: Commands may not reach 127.0.0.1:1');
      expect(exitCode).toBe(3);
    }
    await expect(run('true', { network: ['https://no.host/'] })).rejects.toMatchObject({ code: 'invalid_config' });
  });

  it('runs commands also while sockets of the machine come and go', async () => {
    const folder = folderWith({}, OUTSIDE_TMP);
    let going = true;
    const comeAndGo = async (name: string) => {
      while (going) {
        const server = createServer().listen(join(folder, name));
        await once(server, 'listening');
        await new Promise((resolve) => setTimeout(resolve, 20));
        await new Promise((resolve) => server.close(resolve));
      }
    };
    const sockets = ['a', 'b'].map(comeAndGo);
    try {
      for (let round = 0; round < 25; round++) expect((await run('echo ran', {})).stdout).toBe('ran\n');
    } finally {
      going = false;
      await Promise.all(sockets);
    }
  });
});
