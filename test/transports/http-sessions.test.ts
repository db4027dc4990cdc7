/** Sessions on the wire: MCP 2024-11-05 to 2025-11-25 over Streamable HTTP. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, messagesOf } from '../fixtures/http-client.ts';
import { initialize, openSession, post, type SessionClient } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, MANY_TOOLS_PLUGIN, type RunningServer, startServer, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const PING = { id: 'ping', method: 'ping' };

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN] });
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (message: object, headers: Record<string, string> = {}) => exchange(server.url, post(message, headers));
const call = (name: string, values: object = {}, meta?: object) => ({
  method: 'tools/call',
  params: { name, arguments: values, ...(meta && { _meta: meta }) },
});

describe('initialize', () => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2026-07-28', '2025-11-25'],
    ['1999-01-01', '2025-11-25'],
    ['2099-01-01', '2025-11-25'],
    ['', '2025-11-25'],
  ])('of revision "%s" settles on %s', async (asked, settled) => {
    const { status, json } = await send(initialize(asked));
    expect(status).toBe(200);
    expect(json.result.protocolVersion).toBe(settled);
  });

  it('tells who we are, what we can and how to use it', async () => {
    const { json } = await send(initialize());
    expect(json).toEqual({
      jsonrpc: '2.0',
      id: 'init',
      result: {
        protocolVersion: '2025-11-25',
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
          tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
        },
        serverInfo: { name: 'mcp-python', title: expect.any(String), version: expect.any(String) },
        instructions: expect.stringMatching(/\w{4}/),
      },
    });
  });

  it('needs no version header, and takes another than ours', async () => {
    const { status } = await send(initialize(), { 'mcp-protocol-version': '2099-01-01' });
    expect(status).toBe(200);
  });

  it.each([
    [{}, 'protocolVersion'],
    [{ protocolVersion: 20251125, capabilities: {} }, 'protocolVersion'],
    [{ protocolVersion: '2025-11-25', capabilities: [] }, 'capabilities'],
  ])('with the params %o is -32602 and opens nothing', async (params, named) => {
    const { status, json, headers } = await send({ id: 1, method: 'initialize', params });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: -32602, message: expect.stringContaining(named) });
    expect(headers['mcp-session-id']).toBeUndefined();
  });

  it('a second time in the same session is 400', async () => {
    const session = await openSession(server.url);
    const { status, json } = await session.send(initialize());
    expect(status).toBe(400);
    expect(json).toMatchObject({ id: 'init', error: { code: -32600 } });
    expect((await session.request('ping')).result).toEqual({});
  });
});

describe('the session id', () => {
  it('is visible ASCII and never the same', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await openSession(server.url)).id));
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{16,}$/);
  });

  it.each(['POST', 'GET', 'DELETE'])('that is missing on %s is 400', async (method) => {
    const { status, json } =
      method === 'POST' ? await send(PING) : await exchange(server.url, { method, headers: { accept: 'text/event-stream' } });
    expect(status).toBe(400);
    expect(json.error.message).toContain('Mcp-Session-Id');
  });

  it.each(['POST', 'GET', 'DELETE'])('that nobody was given is 404 on %s', async (method) => {
    const headers = { 'mcp-session-id': '6f1e0a2c-0000-4000-8000-000000000000' };
    const { status } =
      method === 'POST'
        ? await send(PING, headers)
        : await exchange(server.url, { method, headers: { accept: 'text/event-stream', ...headers } });
    expect(status).toBe(404);
  });

  it('is 404 after DELETE, for everything', async () => {
    const session = await openSession(server.url);
    const ended = await session.end();
    expect(ended).toMatchObject({ status: 204, text: '' });
    const statuses = [(await session.send(PING)).status, (await session.listen()).status, (await session.end()).status];
    expect(statuses).toEqual([404, 404, 404]);
  });

  it('of one client says nothing about the other sessions', async () => {
    const [first, second] = await Promise.all([openSession(server.url), openSession(server.url)]);
    await first.end();
    expect((await second.request('ping')).result).toEqual({});
  });

  it('that ends stops what runs in it', async () => {
    const session = await openSession(server.url);
    const [started, stopped] = files('ended');
    const running = session.open({ id: 1, ...call('wire_wait', { started, stopped }) });
    await eventually(() => existsSync(started));
    await session.end();
    await eventually(() => existsSync(stopped));
    expect(messagesOf(await (await running).rest())).toEqual([]);
  });
});

describe('the MCP-Protocol-Version header', () => {
  let session: SessionClient;
  beforeAll(async () => {
    session = await openSession(server.url, '2025-06-18');
  });

  it('may be missing', async () => {
    expect((await send(PING, { 'mcp-session-id': session.id })).status).toBe(200);
  });

  it.each(['2099-01-01', '2025-11-25', 'latest', ''])('of "%s" in a session of 2025-06-18 is 400', async (version) => {
    const { status, json } = await session.send(PING, { 'mcp-protocol-version': version });
    expect(status).toBe(400);
    expect(json.error.message).toContain(version);
  });
});

describe('a request in a session', () => {
  let session: SessionClient;
  beforeAll(async () => {
    session = await openSession(server.url);
  });

  it('to an unknown tool is -32602, and names the nearest', async () => {
    const { error } = await session.request('tools/call', { name: 'test_simple_tex', arguments: {} });
    expect(error).toMatchObject({ code: -32602, message: expect.stringContaining('test_simple_text') });
  });

  it('with arguments that do not fit is a tool error the model can read', async () => {
    const { result } = await session.request('tools/call', { name: 'wire_count', arguments: { steps: 'many' } });
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toMatch(/steps/);
  });

  it.each(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'])(
    'for %s has a stable order, no cursor at the end, and -32602 for a cursor that is not ours',
    async (method) => {
      const [first, second] = [await session.request(method), await session.request(method)];
      expect(second.result).toEqual(first.result);
      expect(first.result).not.toHaveProperty('nextCursor');
      expect((await session.request(method, { cursor: 'bogus' })).error.code).toBe(-32602);
    },
  );

  it('for a resource that is not there is -32002 with its URI', async () => {
    const { error } = await session.request('resources/read', { uri: 'test://nowhere' });
    expect(error).toMatchObject({ code: -32002, data: { uri: 'test://nowhere' } });
  });

  it.each(['test://template/../data', 'test://template//data', 'test://template/a/b/data', 'test://template/%E0%A4%A/data'])(
    'for the resource %s finds no template',
    async (uri) => {
      expect((await session.request('resources/read', { uri })).error.code).toBe(-32002);
    },
  );

  it('for a completion gives what starts with the typed text', async () => {
    const complete = (value: string) =>
      session.request('completion/complete', {
        ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
        argument: { name: 'arg1', value },
        context: { arguments: { arg2: 'x' } },
      });
    expect((await complete('par')).result.completion).toEqual({
      values: ['paris', 'park', 'party'],
      total: 3,
      hasMore: false,
    });
    expect((await complete('part')).result.completion.values).toEqual(['party']);
    const { result } = await session.request('completion/complete', {
      ref: { type: 'ref/resource', uri: 'test://template/{id}/data' },
      argument: { name: 'id', value: 'b' },
    });
    expect(result.completion.values).toEqual(['beta']);
  });

  it('for a completion gives at most 100 values, and says how many there are', async () => {
    const { result } = await session.request('completion/complete', {
      ref: { type: 'ref/prompt', name: 'wire_prompt' },
      argument: { name: 'number', value: '' },
    });
    expect(result.completion).toMatchObject({ total: 150, hasMore: true });
    expect(result.completion.values).toHaveLength(100);
  });

  it('for a list longer than a page gets every entry once, in the same order each time', async () => {
    await using many = await startServer({ plugins: [MANY_TOOLS_PLUGIN] });
    const client = await openSession(many.url);
    const walk = async () => {
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const { result } = await client.request('tools/list', cursor ? { cursor } : {});
        names.push(...result.tools.map(({ name }: { name: string }) => name));
        cursor = result.nextCursor;
      } while (cursor);
      return names;
    };
    const names = await walk();
    expect(names.length).toBeGreaterThan(450);
    expect(new Set(names).size).toBe(names.length);
    expect(await walk()).toEqual(names);
  });

  it('for a level that does not exist is -32602', async () => {
    expect((await session.request('logging/setLevel', { level: 'loud' })).error.code).toBe(-32602);
  });

  it('with the id of one that still runs is refused, and the first goes on', async () => {
    const first = session.send({ id: 'same', ...call('wire_count', { steps: 1, delay_ms: 300 }) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await session.send({ id: 'same', method: 'ping' });
    expect(second.json.error.code).toBe(-32600);
    expect(messagesOf((await first).events).at(-1).result.content[0].text).toBe('counted to 1');
  });
});

describe('cancelling', () => {
  it('stops the call, and nothing is said about it any more', async () => {
    const session = await openSession(server.url);
    const [started, stopped] = files('cancelled');
    const running = session.open({ id: 'long', ...call('wire_wait', { started, stopped }) });
    await eventually(() => existsSync(started));
    const { status } = await session.send({ method: 'notifications/cancelled', params: { requestId: 'long', reason: 'test' } });
    expect(status).toBe(202);
    await eventually(() => existsSync(stopped));
    expect(messagesOf(await (await running).rest())).toEqual([]);
  });

  it.each([{ requestId: 'never-sent' }, { requestId: 'init' }, { requestId: null }, { requestId: {} }, {}])(
    '%o is ignored',
    async (params) => {
      const session = await openSession(server.url);
      expect((await session.send({ method: 'notifications/cancelled', params })).status).toBe(202);
      expect((await session.request('ping')).result).toEqual({});
    },
  );

  it('in another session does nothing', async () => {
    const [session, other] = await Promise.all([openSession(server.url), openSession(server.url)]);
    const running = session.send({ id: 1, ...call('wire_count', { steps: 1, delay_ms: 200 }) });
    await other.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
    expect((await running).json.result.content[0].text).toBe('counted to 1');
  });
});

describe('sessions that nobody uses', () => {
  it('end after the idle time', async () => {
    await using short = await startServer({ config: { server: { session_idle_seconds: 0.2 } } });
    const session = await openSession(short.url);
    expect((await session.request('ping')).result).toEqual({});
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await session.send(PING)).status).toBe(404);
  });

  it('live on while a stream of theirs is open', async () => {
    await using short = await startServer({ config: { server: { session_idle_seconds: 0.2 } } });
    const session = await openSession(short.url);
    const stream = await session.listen();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await session.request('ping')).result).toEqual({});
    stream.break();
  });

  it('make room for new ones, the longest idle first', async () => {
    await using small = await startServer({ config: { server: { max_sessions: 2 } } });
    const first = await openSession(small.url);
    const second = await openSession(small.url);
    await first.request('ping');
    const third = await openSession(small.url);
    const statuses = await Promise.all([first, second, third].map(async (each) => (await each.send(PING)).status));
    expect(statuses).toEqual([200, 404, 200]);
  });

  it('are not ended while they work: one more is then 503 with a time to come back', async () => {
    await using small = await startServer({ plugins: [WIRE_PLUGIN], config: { server: { max_sessions: 1 } } });
    const session = await openSession(small.url);
    const running = session.send({ id: 1, ...call('wire_count', { steps: 1, delay_ms: 400 }) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const refused = await exchange(small.url, post(initialize()));
    expect(refused.status).toBe(503);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(messagesOf((await running).events).at(-1).result.content[0].text).toBe('counted to 1');
  });
});

let fileNumber = 0;

/** Two paths in the server's home, for a tool to say that it started and that it stopped. */
function files(name: string): [string, string] {
  const path = join(server.home.folder, `${name}-${++fileNumber}`);
  return [`${path}-started`, `${path}-stopped`];
}
