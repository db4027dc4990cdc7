import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderWith, noSandbox, OUTSIDE_TMP, run, runProgram } from './in-sandbox.ts';

/** A listener that must not be called. */
async function canary(place: string | number): Promise<{ server: Server; calls: () => number }> {
  let calls = 0;
  const server = createServer((socket) => {
    calls++;
    socket.end('reached');
  });
  onTestFinished(() => void server.close());
  if (typeof place === 'number') server.listen(place, '127.0.0.1');
  else server.listen(place);
  await once(server, 'listening');
  return { server, calls: () => calls };
}

/** Connects from inside and prints what it is told, or the error. */
const CONNECT =
  'const s = require("node:net").connect(JSON.parse(process.argv[1])); s.on("data", (d) => process.stdout.write(d)); s.on("error", (e) => console.log(e.code));';

function reach(confinement: Parameters<typeof run>[0], target: object | string) {
  return runProgram(confinement, [process.execPath, '-e', CONNECT, JSON.stringify(target)]);
}

describe.skipIf(noSandbox)('a confined command', () => {
  it('reaches no port of this machine, and the machine none of its', async () => {
    const { server, calls } = await canary(0);
    const { port } = server.address() as AddressInfo;
    expect((await reach({}, { host: '127.0.0.1', port })).stdout).toBe('ECONNREFUSED\n');
    expect((await reach({ network: [] }, { host: '127.0.0.1', port })).stdout).toBe('ECONNREFUSED\n');
    expect((await run({}, 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')).stdout).toBe('lo\n');
    expect(calls()).toBe(0);
    expect((await reach({ network: 'all' }, { host: '127.0.0.1', port })).stdout).toBe('reached');
  });

  it('reaches no socket without a place in the file system', async () => {
    const { calls } = await canary(`\0mcp-python-canary-${process.pid}`);
    expect((await reach({}, { path: `\0mcp-python-canary-${process.pid}` })).stdout).toBe('ECONNREFUSED\n');
    expect(calls()).toBe(0);
  });

  it('reaches no socket in what it may read, with the network or without', async () => {
    const folder = folderWith({}, OUTSIDE_TMP);
    const path = join(folder, 'docker.sock');
    const { calls } = await canary(path);
    for (const network of ['none', 'all'] as const) {
      for (const readable of [undefined, [folder]]) {
        expect(
          (await reach({ network, ...(readable && { readable: [...readable, process.execPath] }) }, { path })).stdout,
        ).toMatch(/^E/);
      }
    }
    expect(calls()).toBe(0);
  });

  it('reaches no agent in a home directory that it may write', async () => {
    const home = folderWith({}, OUTSIDE_TMP);
    mkdirSync(join(home, '.agent'));
    const path = join(home, '.agent/agent.sock');
    const { calls } = await canary(path);
    const { stdout } = await runProgram({ writable: [home] }, [process.execPath, '-e', CONNECT, JSON.stringify({ path })], {
      env: { HOME: home },
    });
    expect(stdout).toMatch(/^E/);
    expect(calls()).toBe(0);
  });

  it('reaches none in /tmp, were it given the machine’s', async () => {
    const path = join(folderWith({}, '/tmp'), 'x11.sock');
    const { calls } = await canary(path);
    for (const root of ['/tmp', '/']) expect((await reach({ writable: [root] }, { path })).stdout).toMatch(/^E/);
    expect(calls()).toBe(0);
  });

  it('reaches one that was put into its workspace', async () => {
    const workspace = folderWith();
    const path = join(workspace, 'dev.sock');
    await canary(path);
    expect((await reach({ writable: [workspace] }, { path })).stdout).toBe('reached');
  });

  it.skipIf(process.getuid?.() !== 0)('sees nothing of /run but what programs need', async () => {
    const path = `/run/mcp-python-canary-${process.pid}.sock`;
    const { calls } = await canary(path);
    expect((await reach({ network: 'all' }, { path })).stdout).toBe('ENOENT\n');
    expect((await reach({ network: 'all' }, { path: path.replace('/run', '/var/run') })).stdout).toBe('ENOENT\n');
    expect((await run({}, 'ls /run')).stdout).not.toContain('canary');
    expect(calls()).toBe(0);
  });

  it('resolves names as the machine does when it has the network', async () => {
    const inside = await run({ network: 'all' }, 'cat /etc/resolv.conf');
    const outside = spawn('cat', ['/etc/resolv.conf']);
    const [chunk] = await once(outside.stdout, 'data');
    expect(inside.stdout).toBe(String(chunk));
  });
});
