import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type NetworkProxy, type Refusal, startNetworkProxy } from '../../../src/backends/sandbox/network-proxy.ts';
import { createProxyPool } from '../../../src/backends/sandbox/proxy-pool.ts';
import { folderWith, noSandbox, type RunOptions, run, runProgram } from './in-sandbox.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'listed.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'sub.wild.test': ['127.0.0.1'],
  'rebind.test': ['10.1.2.3', '169.254.169.254'],
  'mixed.test': ['10.1.2.3', '127.0.0.1'],
};

/** A web server of this machine, which counts the requests that reach it. */
async function webServer(): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    request.resume().on('end', () => response.end(`${request.method} ${request.url} at ${request.headers.host}\n`));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, requests };
}

/** The proxy with names of our own, since tests have no name server. */
async function proxyTo(hosts: readonly string[]): Promise<{ proxy: NetworkProxy; refusals: Refusal[] }> {
  const refusals: Refusal[] = [];
  const proxy = await startNetworkProxy(hosts, {
    resolve: async (host) => NAMES[host] ?? [],
    onRefusal: (refusal) => refusals.push(refusal),
  });
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { proxy, refusals };
}

describe.skipIf(noSandbox)('a command with a list of hosts', () => {
  async function commandWith(hosts: (port: number) => readonly string[]) {
    const { port, requests } = await webServer();
    const network = hosts(port);
    const { proxy, refusals } = await proxyTo(network);
    const command = (script: string, options: RunOptions = {}) =>
      run({ network, writable: [folderWith()] }, script, { proxy, ...options });
    return { port, requests, refusals, command };
  }
  const loopback = (port: number) => [`listed.test:${port}`, `127.0.0.1:${port}`, `*.wild.test:${port}`];

  it('reaches those, by plain HTTP and through tunnels, with the clients everybody has', async () => {
    const { port, command, refusals } = await commandWith(loopback);
    const script = `curl -sS http://listed.test:${port}/plain; curl -sS -p http://listed.test:${port}/tunnel; curl -sS http://sub.wild.test:${port}/wild; curl -sS -d data http://listed.test:${port}/post
      ${process.execPath} -e 'fetch("http://listed.test:${port}/fetch").then((r) => r.text()).then((t) => process.stdout.write(t))'`;
    const { stdout, stderr, status } = await command(script);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toBe(
      [
        `GET /plain at listed.test:${port}`,
        `GET /tunnel at listed.test:${port}`,
        `GET /wild at sub.wild.test:${port}`,
        `POST /post at listed.test:${port}`,
        `GET /fetch at listed.test:${port}`,
        '',
      ].join('\n'),
    );
    expect(refusals).toEqual([]);
  });

  it('reaches no other, and is told the key to set', async () => {
    const { port, requests, command, refusals } = await commandWith(loopback);
    const script = `curl -s -o - -w '%{http_code}\\n' http://other.test:${port}/; curl -s -p http://other.test:${port}/ || echo failed; curl -s http://wild.test:${port}/; curl -sk https://listed.test:1/ || echo failed; curl -s http://nowhere.test:${port}`;
    const { stdout, stderr } = await command(script);
    // Also for clients that only show a number, and once for each.
    expect(stderr.match(/^mcp-python: Commands may not reach [a-z.]+/gm)).toEqual(
      ['other.test', 'wild.test', 'listed.test', 'nowhere.test'].map((host) => `mcp-python: Commands may not reach ${host}`),
    );
    expect(stdout.split('\n')[0]).toBe(
      `Commands may not reach other.test:${port}: it is not listed in execution.security.network_hosts.`,
    );
    expect(stdout.split('\n').slice(1, 3)).toEqual(['403', 'failed']);
    expect(requests).toEqual([]);
    expect(refusals.map(({ host, port: asked }) => [host, asked])).toEqual([
      ['other.test', port],
      ['other.test', port],
      ['wild.test', port],
      ['listed.test', 1],
      ['nowhere.test', port],
    ]);
  });

  it('is not led to a private address by a listed name, unless that is listed too', async () => {
    const { port, requests, command } = await commandWith((each) => [
      `rebind.test:${each}`,
      `listed.test:${each}`,
      'localhost',
      '*',
    ]);
    const { stdout } = await command(
      `curl -s http://rebind.test:${port}/; curl -s http://listed.test:${port}/; curl -s http://localhost/`,
    );
    expect(stdout.split('\n').map((line) => /its address (\S+) is private/.exec(line)?.[1])).toEqual([
      '10.1.2.3',
      '127.0.0.1',
      undefined,
      undefined,
    ]);
    expect(requests).toEqual([]);
  });

  it('uses those of several addresses that may be', async () => {
    const { port, command } = await commandWith((each) => [`mixed.test:${each}`, `127.0.0.1:${each}`]);
    expect((await command(`curl -s http://mixed.test:${port}/`)).stdout).toBe(`GET / at mixed.test:${port}\n`);
  });

  it('cannot ask for another host behind the same address in the headers', async () => {
    const { port, requests, command } = await commandWith(loopback);
    await command(`curl -s -H 'Host: other.test' -H 'Proxy-Authorization: x' http://listed.test:${port}/`);
    expect(requests[0]?.headers).toMatchObject({ host: `listed.test:${port}` });
    expect(requests[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  it('has no way around: neither the network itself nor the proxy by a private name of the host', async () => {
    const { port, requests, command } = await commandWith(() => ['listed.test:1']);
    const script = `curl -s --noproxy '*' http://127.0.0.1:${port}/; for h in 127.0.0.1 0x7f.1 2130706433 017700000001 [::1] [::ffff:127.0.0.1] localhost 0; do curl -s http://$h:${port}/; done`;
    await command(script, { env: { NO_PROXY: '', no_proxy: '' } });
    expect(requests).toEqual([]);
  });

  it('keeps its exit code, its input, its variables, and no child that it did not start', async () => {
    const { command } = await commandWith(loopback);
    const script = 'cat; echo $OURS; ps -o pid= --ppid $$ | wc -l; wait; exit 7';
    const { stdout, status } = await command(script, { stdin: 'in\n', env: { OURS: 'kept', PATH: '/usr/bin:/bin' } });
    // ps and wc themselves.
    expect({ lines: stdout.split('\n').slice(0, 2), status }).toEqual({ lines: ['in', 'kept'], status: 7 });
    expect(Number(stdout.split('\n')[2])).toBeLessThanOrEqual(2);
  });

  it('speaks SSH through it, as git does', async () => {
    const banner = createTcpServer((socket) => socket.end('SSH-2.0-canary\r\n')).listen(0, '127.0.0.1');
    onTestFinished(() => void banner.close());
    await once(banner, 'listening');
    const { port } = banner.address() as AddressInfo;
    const network = [`listed.test:${port}`, `127.0.0.1:${port}`];
    const { proxy } = await proxyTo(network);
    const script = `eval "set -- $GIT_SSH_COMMAND"; p=\${3#ProxyCommand=}; p=\${p%%%h*}; $p listed.test ${port} </dev/null; $p other.test ${port} </dev/null`;
    const { stdout, stderr, status } = await run({ network }, script, { proxy });
    expect(stdout).toBe('SSH-2.0-canary\r\n');
    expect(stderr).toBe(`Commands may not reach other.test:${port}: it is not listed in execution.security.network_hosts.\n`);
    expect(status).toBe(1);
  });

  it('finds the way out also where it may read little', async () => {
    const { port, requests } = await webServer();
    const network = loopback(port);
    const { proxy } = await proxyTo(network);
    const { stdout } = await run(
      { network, readable: [] },
      `curl -sS http://listed.test:${port}/; ls ${dirname(proxy.socketPath)}`,
      { proxy },
    );
    expect(stdout).toBe(`GET / at listed.test:${port}\n`);
    expect(requests).toHaveLength(1);
  });

  it('passes bytes on in both directions until both have ended', async () => {
    const echo = createTcpServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    onTestFinished(() => void echo.close());
    await once(echo, 'listening');
    const { port } = echo.address() as AddressInfo;
    const network = [`127.0.0.1:${port}`];
    const { proxy } = await proxyTo(network);
    const program = `const s = require('node:net').connect(3128, '127.0.0.1'); s.write('CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n'); let n = -1, all = 0;
      s.on('data', (d) => { all += d.length; if (n < 0) { n = d.length; s.end(Buffer.alloc(5_000_000, 'x')); } }); s.on('end', () => console.log(all - n));`;
    expect((await runProgram({ network }, [process.execPath, '-e', program], { proxy })).stdout).toBe('5000000\n');
  });
});

describe('the proxy', () => {
  /** Says something raw to it and gives back all that it answers. */
  async function say(proxy: NetworkProxy, words: string): Promise<string> {
    const socket = connect(proxy.socketPath);
    socket.end(words);
    return text(socket);
  }

  it('refuses what is no request to a proxy', async () => {
    const { proxy } = await proxyTo(['listed.test']);
    expect(await say(proxy, 'GET / HTTP/1.1\r\nHost: listed.test\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await say(proxy, 'GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(await say(proxy, 'CONNECT listed.test HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await say(proxy, 'CONNECT listed.test:99999 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await say(proxy, 'CONNECT a@listed.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('tells that a name does not exist, and that a host does not answer', async () => {
    const { proxy } = await proxyTo(['gone.test', '127.0.0.1:1']);
    expect(await say(proxy, 'CONNECT gone.test:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 502 The name gone\.test was not found\./,
    );
    expect(await say(proxy, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 502 127\.0\.0\.1:1 could not be reached: ECONNREFUSED\./,
    );
  });

  it('is one for all commands with the same list, and gone with its pool', async () => {
    const pool = createProxyPool();
    const [one, same, other] = await Promise.all([
      pool.get(['a.test', 'b.test']),
      pool.get(['b.test', 'a.test']),
      pool.get(['a.test']),
    ]);
    expect(one.socketPath).toBe(same.socketPath);
    expect(other.socketPath).not.toBe(one.socketPath);
    await expect(pool.get(['no host'])).rejects.toMatchObject({ code: 'invalid_config' });
    await pool[Symbol.asyncDispose]();
    expect(existsSync(dirname(one.socketPath))).toBe(false);
  });

  it('does not keep the program from ending', async () => {
    const module = new URL('../../../src/backends/sandbox/network-proxy.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      ['-e', `import('${module}').then((m) => m.startNetworkProxy(['a.test']).then((p) => console.log(p.socketPath)))`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const folder = dirname((await text(child.stdout)).trim());
    spawnSync('rm', ['-r', folder]);
    expect(folder).toContain('mcp-python-network-');
  });
});
