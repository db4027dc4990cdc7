import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ended, firstLine, run, start, temporaryFile } from './run-program.ts';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

describe('serve', () => {
  it('prints the URL it answers on, and ends with 0 on SIGTERM', async () => {
    const child = start(['serve', '--port', '0']);
    const ending = ended(child);
    const url = await firstLine(child);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/mcp$/);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(INITIALIZE),
    });
    expect(response.status).toBe(200);
    await response.body?.cancel();
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await ending;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${url}\n` });
    expect(stderr).toContain(url);
  });

  it('prints URL and process id with --json', async () => {
    const child = start(['serve', '--port', '0', '--json']);
    const told = JSON.parse(await firstLine(child));
    expect(told).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/), pid: child.pid });
  });

  it('takes host and port from the configuration, and the flag over it', async () => {
    const config = temporaryFile('config.yaml', `server:\n  mcp_http_host: localhost\n  mcp_http_port: ${await freePort()}\n`);
    const child = start(['serve', '--port', '0', '--config', config]);
    const url = new URL(await firstLine(child));
    expect(url.hostname).toBe('localhost');
  });

  it('ends with 4 when the port is in use, and names --port', async () => {
    const other = await listening();
    const { port } = other.address() as AddressInfo;
    const { status, stdout, stderr } = await run(['serve', '--port', String(port)]);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toContain(String(port));
    expect(stderr).toContain('--port');
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])('refuses to listen on %s with 3', async (host) => {
    const { status, stdout, stderr } = await run(['serve', '--port', '0', '--host', host]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain('no authentication');
  });
});

function listening(): Promise<Server> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function freePort(): Promise<number> {
  const server = await listening();
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
