import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, PROGRAM, programArguments } from '../fixtures/server.ts';
import { run, temporaryFile } from './run-program.ts';

const here = (command: string) => spawnSync(command, ['--version']).status === 0;
const execute = promisify(execFile);
const user = process.getuid?.() === 0 ? 'nobody' : String(process.getuid?.());

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-units-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function install(role: string, host_agent: object, ...flags: string[]): Promise<string> {
  const directory = mkdtempSync(join(folder, 'units-'));
  const config = temporaryFile('config.json', JSON.stringify({ host_agent }));
  const { status, stderr } = await run([
    'service',
    'install',
    role,
    '--directory',
    directory,
    '--no-start',
    '--config',
    config,
    ...flags,
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return directory;
}

describe('service print', () => {
  it('prints units and writes nothing', async () => {
    const { status, stdout } = await run(['service', 'print', 'serve']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^# mcp-python\.socket\n\[Unit\]/);
    expect(stdout).toContain('ExecStart=');
    const json = JSON.parse((await run(['service', 'print', 'serve', '--json'])).stdout);
    expect(json.units.map(({ name }: { name: string }) => name)).toEqual(['mcp-python.socket', 'mcp-python.service']);
  });

  it('says that nobody was named for the host agent to run commands as', async () => {
    const config = temporaryFile('config.json', '{}');
    const { status, stderr } = await run(['service', 'print', 'host-agent', '--config', config]);
    expect(status).toBe(3);
    expect(stderr).toContain('host_agent.users');
  });

  it('gives the service what the configuration and the options ask for, and no more', async () => {
    const config = temporaryFile(
      'config.json',
      JSON.stringify({
        host_agent: { users: [user], workspace: '/srv/app', socket_group: 'operators', tls: { key_file: '/etc/k.pem' } },
      }),
    );
    const flags = ['--credential', 'token:/etc/token', '--writable', '/var/cache/app', '--config', config];
    const { stdout } = await run(['service', 'print', 'host-agent', ...flags]);
    for (const line of [
      'ReadWritePaths=-/srv/app',
      'ReadWritePaths=-/var/cache/app',
      'LoadCredential=token:/etc/token',
      'LoadCredential=tls.key:/etc/k.pem',
      'SocketGroup=operators',
      'PrivateNetwork=yes',
      'ExecReload=/bin/kill -HUP $MAINPID',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
    const served = await run(['service', 'print', 'serve', '--network', '10.0.0.0/8']);
    expect(served.stdout).toContain('IPAddressAllow=localhost 10.0.0.0/8');
    expect(served.stdout).not.toContain('PrivateNetwork');
  });

  it('refuses what is no role, credential or address', async () => {
    expect((await run(['service', 'print', 'database'])).status).toBe(2);
    expect((await run(['service', 'print', 'serve', '--credential', 'token'])).status).toBe(2);
    expect((await run(['service', 'print', 'serve', '--network', 'a b'])).status).toBe(2);
  });
});

describe('service install and uninstall', () => {
  it('write units once, and take just these away', async () => {
    const directory = await install('host-agent', { users: [user] });
    expect(readdirSync(directory).sort()).toEqual(['mcp-python-host-agent.service', 'mcp-python-host-agent.socket']);
    writeFileSync(join(directory, 'other.service'), '');
    const config = temporaryFile('config.json', JSON.stringify({ host_agent: { users: [user] } }));
    const again = await run(['service', 'install', 'host-agent', '--directory', directory, '--no-start', '--config', config]);
    expect(again.status).toBe(0);
    const removed = await run(['service', 'uninstall', 'host-agent', '--directory', directory]);
    expect(removed.stdout.match(/^removed /gm)).toHaveLength(2);
    expect(readdirSync(directory)).toEqual(['other.service']);
    expect((await run(['service', 'uninstall', 'host-agent', '--directory', directory])).status).toBe(6);
  });
});

describe.runIf(here('systemd-analyze'))('the units, as systemd sees them (skipped where it is not installed)', () => {
  const EXPOSURE = { serve: 2.5, 'host-agent': 3.5 } as const;
  const SERVICE = { serve: 'mcp-python', 'host-agent': 'mcp-python-host-agent' } as const;

  it.each(['serve', 'host-agent'] as const)('are valid and hardened: %s', async (role) => {
    const directory = await install(role, { users: [user] });
    const units = readdirSync(directory).map((name) => join(directory, name));
    const verified = await execute('systemd-analyze', ['verify', '--man=no', ...units], {
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${directory}:` },
    });
    expect(verified.stderr.split('\n').filter((line) => line.includes('mcp-python'))).toEqual([]);
    const service = join(directory, `${SERVICE[role]}.service`);
    const { stdout } = await execute('systemd-analyze', ['security', '--offline=true', '--no-pager', service]);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeLessThanOrEqual(EXPOSURE[role]);
  });

  it.each(['serve', 'host-agent'] as const)('are valid for the service manager of a user: %s', async (role) => {
    const directory = await install(role, {}, '--user');
    const text = readFileSync(join(directory, `${SERVICE[role]}.service`), 'utf8');
    expect(text).not.toMatch(/^(?:DynamicUser|CapabilityBoundingSet|ProtectSystem)=/m);
    const units = readdirSync(directory).map((name) => join(directory, name));
    const verified = await execute('systemd-analyze', ['verify', '--user', '--man=no', ...units]).catch((thrown) => thrown);
    expect(
      String(verified.stderr)
        .split('\n')
        .filter((line) => /mcp-python.*(?:Unknown|invalid|Failed to parse)/.test(line)),
    ).toEqual([]);
  });
});

describe.runIf(here('systemd-socket-activate') && here('perl'))(
  'as systemd starts them (skipped where it is not installed)',
  () => {
    /** What is told to systemd, as it comes. */
    function serviceManager(path: string): { readonly lines: string[]; stop(): void } {
      const script =
        'use Socket; $|=1; socket(my $s, PF_UNIX, SOCK_DGRAM, 0); bind($s, sockaddr_un($ARGV[0])) or die; print "listening\\n"; while (1) { my $m = ""; recv($s, $m, 4096, 0); $m =~ s/\\n/ /g; print "$m\\n"; }';
      const child = spawn('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines: string[] = [];
      createInterface(child.stdout).on('line', (line) => lines.push(line));
      return { lines, stop: () => child.kill('SIGKILL') };
    }

    const get = (options: object) =>
      new Promise<number>((resolve, reject) => {
        const asking = request({ ...options, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        asking.on('error', reject);
        asking.end();
      });

    it('the host agent takes over the socket, says that it is ready, feeds the watchdog and reloads', async () => {
      using home = createHome();
      const socket = join(home.folder, 'a.sock');
      const notify = join(home.folder, 'notify');
      const manager = serviceManager(notify);
      await expect.poll(() => manager.lines[0], { timeout: 5000 }).toBe('listening');
      mkdirSync(join(home.folder, 'work'));
      const users = process.getuid?.() === 0 ? ['root'] : [];
      const config = { host_agent: { users, workspace: join(home.folder, 'work') } };
      const passed = [`NOTIFY_SOCKET=${notify}`, 'WATCHDOG_USEC=600000'].flatMap((variable) => ['-E', variable]);
      const kept = Object.keys(home.environment).flatMap((name) => ['-E', name]);
      const args = ['-l', socket, ...passed, ...kept, ...PROGRAM, ...programArguments(home, 'host-agent', { config })];
      const child = spawn('systemd-socket-activate', args, { cwd: home.folder, env: { ...home.environment }, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      try {
        await expect.poll(() => readdirSync(home.folder), { timeout: 5000 }).toContain('a.sock');
        // It is started by who comes first, who waits for it.
        expect(await get({ socketPath: socket, path: '/health' })).toBe(200);
        await expect.poll(() => manager.lines.join('\n'), { timeout: 8000 }).toMatch(/READY=1.*Runs commands as/);
        await expect
          .poll(() => manager.lines.filter((line) => line.includes('WATCHDOG=1')).length, { timeout: 8000 })
          .toBeGreaterThan(1);
        const before = manager.lines.length;
        child.kill('SIGHUP');
        await expect.poll(() => manager.lines.slice(before).join('\n'), { timeout: 8000 }).toMatch(/RELOADING=1[\s\S]*READY=1/);
        expect(await get({ socketPath: socket, path: '/capabilities' })).toBe(200);
        child.kill('SIGTERM');
        await ended;
        expect(manager.lines.join('\n')).toContain('STOPPING=1');
        // The socket is systemd's to take away.
        expect(readdirSync(home.folder)).toContain('a.sock');
      } finally {
        child.kill('SIGKILL');
        manager.stop();
      }
    }, 40_000);

    it('serve takes over the port, and refuses one that reaches further than the configuration says', async () => {
      using home = createHome();
      const started = (address: string) => {
        const kept = Object.keys(home.environment).flatMap((name) => ['-E', name]);
        const args = ['-l', address, ...kept, ...PROGRAM, ...programArguments(home, 'serve', {})];
        return spawn('systemd-socket-activate', args, {
          cwd: home.folder,
          env: { ...home.environment },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      };
      const port = 20_000 + (process.pid % 20_000);
      const child = started(`127.0.0.1:${port}`);
      try {
        const status = () => get({ host: '127.0.0.1', port, path: '/mcp', method: 'OPTIONS' }).catch(() => 0);
        await expect.poll(status, { timeout: 15_000 }).toBe(204);
        const [url] = await new Promise<string[]>((resolve) =>
          createInterface(child.stdout).once('line', (line) => resolve([line])),
        );
        expect(url).toBe(`http://127.0.0.1:${port}/mcp`);
      } finally {
        child.kill('SIGKILL');
      }
      const exposed = started(`0.0.0.0:${port + 1}`);
      let errors = '';
      exposed.stderr.on('data', (text) => {
        errors += text;
      });
      const ended = new Promise((resolve) => exposed.once('exit', resolve));
      const knock = () => get({ host: '127.0.0.1', port: port + 1, path: '/mcp', method: 'OPTIONS' }).catch(() => 0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      void knock();
      expect(await ended).toBe(3);
      expect(errors).toContain('not on this machine only');
    }, 40_000);
  },
);
