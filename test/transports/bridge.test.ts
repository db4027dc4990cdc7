/** `stdio --connect`: a client on pipes whose server is killed, restarted and replaced behind its back. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SERVER_MARK } from '../../src/backends/process-tree.ts';
import { keysFolder } from '../../src/identity/key-record.ts';
import { openKeyStore } from '../../src/identity/key-store.ts';
import { initialize } from '../fixtures/mcp-http.ts';
import { isRunning } from '../fixtures/processes.ts';
import { type RestartingServer, startRestartingServer } from '../fixtures/restarting-server.ts';
import { CONFORMANCE_PLUGIN, type ProgramOptions, WIRE_PLUGIN } from '../fixtures/server.ts';
import { type StdioClient, startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

const RESTART_PLUGIN = join(import.meta.dirname, '../fixtures/restart-plugin.ts');
const OPTIONS = { plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN, RESTART_PLUGIN], config: { server: { sse_retry_ms: 50 } } };
const META = 'io.modelcontextprotocol/';
const ENVELOPE = { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: {} };

async function startServer(options: ProgramOptions = OPTIONS): Promise<RestartingServer> {
  const server = await startRestartingServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function startBridge({ home }: Pick<RestartingServer, 'home'>, target: string, options: ProgramOptions = {}): StdioClient {
  const client = startStdio({ ...options, home, args: ['--connect', target] });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client;
}

async function open(client: StdioClient, capabilities: object = {}): Promise<StdioClient> {
  await client.request({ ...initialize('2025-11-25', capabilities), id: 'init' });
  client.send({ method: 'notifications/initialized' });
  return client;
}

const call = (id: string | number, name: string, values: object = {}, meta?: object) => ({
  id,
  method: 'tools/call',
  params: { name, arguments: values, ...(meta && { _meta: meta }) },
});
const methods = (client: StdioClient) => client.received.map(({ method }) => method).filter(Boolean);

async function restart(server: RestartingServer): Promise<void> {
  await server.stop();
  await server.start();
}

describe('a bridge to a server at a URL, at a socket, or wherever it runs', () => {
  it.each([
    ['a URL', ({ url }: RestartingServer) => url],
    ['a socket', ({ state }: RestartingServer) => join(state, 'server.sock')],
    ['auto', () => 'auto'],
  ])('given by %s, carries both eras and ends with its input once all is answered', async (_, target) => {
    const server = await startServer();
    const client = startBridge(server, target(server));
    expect((await client.request({ id: 'early', method: 'ping' })).result).toEqual({});
    await open(client);
    expect((await client.request(call(1, 'test_simple_text'))).result.content).toHaveLength(1);
    const { result } = await client.request({ id: 'd', method: 'server/discover', params: { _meta: ENVELOPE } });
    expect(result.supportedVersions).toContain('2026-07-28');
    const stateless = await client.request(call('s', 'wire_count', { steps: 2, delay_ms: 5 }, ENVELOPE));
    expect(stateless.result.content[0].text).toBe('counted to 2');
    client.send(call('last', 'wire_count', { steps: 4, delay_ms: 150 }, { progressToken: 't' }));
    client.child.stdin.end();
    expect((await client.next(({ id }) => id === 'last')).result.content[0].text).toBe('counted to 4');
    expect(await client.exit).toBe(0);
    expect(client.errors).toBe('');
    using database = new DatabaseSync(join(server.state, 'sessions.db'), { readOnly: true });
    expect(database.prepare('SELECT * FROM sessions').all()).toEqual([]);
  });

  it('takes all lines at once', async () => {
    const server = await startServer();
    const client = startBridge(server, 'auto');
    client.send({ ...initialize(), id: 0 }, { method: 'notifications/initialized' }, { id: 1, method: 'ping' });
    client.child.stdin.end();
    expect((await client.next(({ id }) => id === 1)).result).toEqual({});
    expect(await client.exit).toBe(0);
  });

  it('serves itself with auto where no server runs', async () => {
    const server = await startServer();
    await server.stop();
    const client = await open(startBridge(server, 'auto'));
    expect((await client.request({ id: 1, method: 'tools/list' })).result.tools.length).toBeGreaterThan(8);
  });

  it('asks, cancels and reports progress as without it', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, 'auto'), { elicitation: {} });
    client.send(call('asking', 'test_elicitation', { message: 'Who?' }));
    const question = await client.next(({ method }) => method === 'elicitation/create');
    client.send({ id: question.id, result: { action: 'decline' } });
    expect((await client.next(({ id }) => id === 'asking')).result.content[0].text).toContain('action=decline');
    const [started, stopped] = ['started', 'stopped'].map((name) => join(server.home.folder, name)) as [string, string];
    for (const [id, meta] of [
      ['in session', undefined],
      ['alone', ENVELOPE],
    ] as const) {
      client.send(call(id, 'wire_wait', { started, stopped }, meta));
      await eventually(() => existsSync(started), 10_000);
      client.send({ method: 'notifications/cancelled', params: { requestId: id } });
      await eventually(() => existsSync(stopped), 10_000);
      for (const file of [started, stopped]) rmSync(file);
    }
    expect((await client.request({ id: 'after', method: 'ping' })).result).toEqual({});
    expect(client.received.filter(({ id }) => id === 'in session' || id === 'alone')).toEqual([]);
  });

  it('passes big answers on to a client that reads slowly', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, 'auto'));
    client.child.stdout.pause();
    for (let id = 0; id < 8; id++) client.send(call(id, 'wire_big', { characters: 1_000_000 }, { progressToken: id }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.child.stdout.resume();
    for (let id = 0; id < 8; id++) {
      expect((await client.next((message) => message.id === id)).result.content[0].text).toHaveLength(1_000_000);
    }
  });
});

describe('while the server is killed and started again', () => {
  it('a session with its own stream goes on, with nothing missing or doubled', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, server.url));
    const change = async (id: string) => (await client.request(call(id, 'test_trigger_prompt_change'))).result;
    const heard = () => methods(client).filter((method) => method === 'notifications/prompts/list_changed').length;
    await client.request(call('warm', 'test_simple_text'));
    // The stream is there when the first change is heard.
    await eventually(async () => {
      await change(`try-${performance.now()}`);
      return heard() > 0;
    });
    await client.request({ id: 'settled', method: 'ping' });
    const each = (await change('probe')) && heard();
    expect(each).toBeGreaterThan(0);
    await eventually(() => heard() % 2 === 0);
    const before = heard();
    for (let life = 1; life <= 3; life++) {
      await restart(server);
      await change(`life-${life}`);
      await eventually(() => heard() >= before + 2 * life, 10_000);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard()).toBe(before + 6);
    expect(methods(client)).not.toContain('notifications/tools/list_changed');
  });

  it('requests wait for it, and those that do no harm twice are sent again', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, 'auto'));
    const file = (name: string) => join(server.home.folder, name);
    await client.request(call('warm', 'test_simple_text'));
    client.send(
      call('twice', 'restart_idempotent', { file: file('twice'), delay_ms: 1500 }),
      call('once', 'restart_once', { file: file('once'), delay_ms: 60_000 }),
      call('alone-twice', 'restart_idempotent', { file: file('alone-twice'), delay_ms: 1500 }, ENVELOPE),
      call('alone-once', 'restart_once', { file: file('alone-once'), delay_ms: 60_000 }, ENVELOPE),
    );
    await eventually(() => ['twice', 'once', 'alone-twice', 'alone-once'].every((name) => existsSync(file(name))), 10_000);
    await server.stop();
    client.send({ id: 'late', method: 'ping' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.start();
    expect((await client.next(({ id }) => id === 'late')).result).toEqual({});
    for (const id of ['once', 'alone-once']) {
      const { error } = await client.next((message) => message.id === id);
      expect(error).toMatchObject({ code: -32603, data: { code: 'unavailable', outcome: 'unknown', safe_to_retry: false } });
      expect(readFileSync(file(id), 'utf8')).toBe('began\n');
    }
    for (const id of ['twice', 'alone-twice']) {
      expect((await client.next((message) => message.id === id)).result.content[0].text).toBe('restart_idempotent done');
      expect(readFileSync(file(id), 'utf8')).toBe('began\nbegan\n');
    }
  });

  it('what a subscription of MCP 2026-07-28 missed is told, and that it holds only once', async () => {
    const server = await startServer();
    const client = startBridge(server, 'auto');
    const notifications = { toolsListChanged: true, promptsListChanged: true };
    client.send({ id: 'sub', method: 'subscriptions/listen', params: { _meta: ENVELOPE, notifications } });
    const acknowledged = ({ method }: { method?: string }) => method === 'notifications/subscriptions/acknowledged';
    await client.next(acknowledged);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await server.stop(signal);
      await server.start();
      for (const kind of ['tools', 'prompts']) {
        const missed = await client.next(({ method }) => method === `notifications/${kind}/list_changed`);
        expect(missed.params._meta).toEqual({ [`${META}subscriptionId`]: 'sub' });
      }
    }
    await client.request(call('change', 'test_trigger_prompt_change', {}, ENVELOPE));
    await client.next(({ method }) => method === 'notifications/prompts/list_changed');
    expect(client.received.filter(acknowledged)).toEqual([]);
    expect(client.received.filter(({ id }) => id === 'sub')).toEqual([]);
    client.child.stdin.end();
    expect(await client.exit).toBe(0);
  });

  it('many clients all get every answer', async () => {
    const server = await startServer();
    const clients = await Promise.all(Array.from({ length: 8 }, () => open(startBridge(server, 'auto'))));
    const answers = clients.map((client, index) =>
      Promise.all(
        Array.from({ length: 12 }, async (_, number) => {
          await new Promise((resolve) => setTimeout(resolve, number * 120));
          const { result } = await client.request(call(`${index}-${number}`, 'wire_count', { steps: 1, delay_ms: 40 }));
          return result?.content[0].text;
        }),
      ),
    );
    for (let life = 0; life < 2; life++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await restart(server);
    }
    const all = (await Promise.all(answers)).flat();
    expect(all).toEqual(Array(96).fill('counted to 1'));
  }, 40_000);
});

describe('a server that has forgotten the session', () => {
  it('is told it again without a word to the client, who hears that lists may have changed', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, 'auto'));
    const uri = 'test://watched-resource';
    await client.request({ id: 1, method: 'logging/setLevel', params: { level: 'error' } });
    await client.request({ id: 2, method: 'resources/subscribe', params: { uri } });
    await server.stop();
    for (const rest of ['', '-wal', '-shm']) rmSync(join(server.state, `sessions.db${rest}`), { force: true });
    await server.start();
    client.send(call('log', 'wire_log'));
    expect((await client.next(({ id }) => id === 'log')).result.content[0].text).toBe('logged');
    await client.next(({ method }) => method === 'notifications/tools/list_changed');
    await client.next(({ method }) => method === 'notifications/resources/updated');
    // The own stream of the new session is there as soon as an update comes through it.
    await eventually(async () => {
      await client.request(call(`update-${performance.now()}`, 'test_trigger_resource_update'));
      return methods(client).includes('notifications/resources/updated');
    }, 10_000);
    expect(client.received.filter(({ id }) => String(id).startsWith('bridge'))).toEqual([]);
  });
});

describe('a server that stays away', () => {
  it('costs an error that says that nothing was sent, and the bridge lives on', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, server.url, { config: { connect: { wait_seconds: 0.5 } } }));
    await server.stop();
    const { error } = await client.request(call(1, 'test_simple_text'));
    expect(error).toMatchObject({ code: -32603, data: { code: 'unavailable', outcome: 'not_sent', safe_to_retry: true } });
    expect(error.message).toContain(new URL(server.url).host);
    await server.start();
    expect((await client.request(call(2, 'test_simple_text'))).result.content).toHaveLength(1);
  });
});

describe('credentials', () => {
  it('for a URL come from the environment or by reference, and a server that wants one says so', async () => {
    const server = await startServer({ ...OPTIONS, config: { authentication: { required: true } } });
    const { text } = await openKeyStore(keysFolder(server.state)).create({ name: 'bridge', scopes: ['tools:read'] });
    const refused = startBridge(server, server.url);
    expect((await refused.request({ ...initialize(), id: 1 })).error.message).toContain('No credential');
    const named = startBridge(server, server.url, { env: { MCP_PYTHON_API_KEY: text } });
    expect((await named.request({ ...initialize(), id: 1 })).result.serverInfo.name).toBe('mcp-python');
    const config = { connect: { api_key: '${env:BRIDGE_KEY}' } };
    const referred = startBridge(server, server.url, { env: { BRIDGE_KEY: text }, config });
    expect((await referred.request({ ...initialize(), id: 1 })).result.serverInfo.name).toBe('mcp-python');
  });

  it('are taken neither from the address nor written out in the file', async () => {
    const server = await startServer();
    const address = startBridge(server, 'http://me:secret@127.0.0.1:1/mcp');
    expect(await address.exit).toBe(2);
    expect(address.errors).not.toContain('secret');
    const written = startBridge(server, server.url, { config: { connect: { api_key: 'mcpp_written_out' } } });
    expect(await written.exit).toBe(3);
    expect(written.errors).not.toContain('mcpp_written_out');
  });
});

describe('nothing is left behind', () => {
  it('by SIGTERM in the middle of a call', async () => {
    const server = await startServer();
    const client = await open(startBridge(server, 'auto'));
    const [started, stopped] = ['started', 'stopped'].map((name) => join(server.home.folder, name)) as [string, string];
    client.send(call(1, 'wire_wait', { started, stopped }));
    await eventually(() => existsSync(started), 10_000);
    client.child.kill('SIGTERM');
    expect(await client.exit).toBe(0);
    await eventually(() => existsSync(stopped));
  });

  it('by a client whose pipes stay open after its death', async () => {
    const server = await startServer();
    const { spawn } = await import('node:child_process');
    const { PROGRAM } = await import('../fixtures/server.ts');
    const [command, ...first] = PROGRAM;
    const words = [command, ...first, 'stdio', '--connect', 'auto'].map((word) => `'${word}'`).join(' ');
    // The shell is the client; its pipe is held open by this process.
    const shell = spawn('/bin/sh', ['-c', `${words} <&3 & echo $!; sleep 60`], {
      env: server.home.environment,
      cwd: server.home.folder,
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    onTestFinished(() => void shell.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) => shell.stdout?.once('data', (text) => resolve(Number(text))));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(isRunning(pid)).toBe(true);
    shell.kill('SIGKILL');
    await eventually(() => !isRunning(pid), 5000);
  });

  it('by a command that a tool runs: the socket is not for it, and auto then serves itself', async () => {
    const server = await startServer();
    const env = { [SERVER_MARK]: 'x' };
    const denied = startBridge(server, join(server.state, 'server.sock'), { env });
    expect(await denied.exit).toBe(5);
    const alone = await open(startBridge(server, 'auto', { env }));
    expect((await alone.request({ id: 1, method: 'ping' })).result).toEqual({});
    using database = new DatabaseSync(join(server.state, 'sessions.db'), { readOnly: true });
    expect(database.prepare('SELECT * FROM sessions').all()).toEqual([]);
  });
});
