/** What every request to the endpoint must pass, asserted on the wire (MCP 2025-11-25, transports, Streamable HTTP). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../fixtures/http-client.ts';
import { initialize, JSON_HEADERS, openSession, post, type SessionClient, stateless } from '../fixtures/mcp-http.ts';
import { type RunningServer, startServer } from '../fixtures/server.ts';

const CONFIG = { server: { max_body_bytes: 65_536, allowed_origins: ['https://app.example'], allowed_hosts: ['mcp.example'] } };
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const DISCOVER = stateless('server/discover');

let server: RunningServer;
let session: SessionClient;
beforeAll(async () => {
  server = await startServer({ config: CONFIG });
  session = await openSession(server.url);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (body: string | object, headers: Record<string, string | undefined> = {}) =>
  exchange(server.url, { headers: { ...JSON_HEADERS, ...session.headers, ...headers } as Record<string, string>, body });

describe('the endpoint', () => {
  it.each(['PUT', 'PATCH', 'TRACE'])('refuses %s with 405 and says what it takes', async (method) => {
    const { status, headers } = await exchange(server.url, { method, headers: session.headers });
    expect(status).toBe(405);
    expect(headers.allow?.split(', ')).toEqual(expect.arrayContaining(['POST', 'GET', 'DELETE']));
  });

  it.each(['/', '/mcp/', '/sse', '/mcpx'])('is nowhere but at /mcp: %s is 404', async (path) => {
    const { status, json } = await exchange(new URL(path, server.url).href, post(initialize()));
    expect(status).toBe(404);
    expect(json.error.message).toContain('/mcp');
  });

  it('is found with a query behind it', async () => {
    const { status } = await exchange(`${server.url}?client=test`, post(initialize()));
    expect(status).toBe(200);
  });

  it('is on loopback only', () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
  });
});

describe('a body', () => {
  it.each([
    ['cut off', '{"jsonrpc":"2.0","id":1,'],
    ['empty', ''],
    ['no JSON at all', '<html>'],
  ])('that is %s is 400 with -32700', async (_, body) => {
    const { status, headers, json } = await send(body);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/json');
    expect(json).toEqual({ jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } });
  });

  it.each([
    ['one request', [PING]],
    ['two requests', [PING, { ...PING, id: 2 }]],
    ['nothing', []],
    ['notifications', [{ jsonrpc: '2.0', method: 'notifications/initialized' }]],
  ])('that is a batch of %s is refused with 400', async (_, batch) => {
    const { status, json } = await send(batch);
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32600);
    expect(json.error.message).toContain('batch');
  });

  it.each([
    ['without "jsonrpc"', { id: 1, method: 'ping' }],
    ['with another "jsonrpc"', { jsonrpc: '1.0', id: 1, method: 'ping' }],
    ['with null as id', { jsonrpc: '2.0', id: null, method: 'ping' }],
    ['with a fraction as id', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
    ['with an object as id', { jsonrpc: '2.0', id: {}, method: 'ping' }],
    ['with a number as method', { jsonrpc: '2.0', id: 1, method: 7 }],
    ['with positional params', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
    ['with neither method nor result', { jsonrpc: '2.0', id: 1 }],
  ])('%s is 400 with -32600', async (_, body) => {
    const { status, json } = await send(body);
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32600);
  });

  it.each(['"text"', '1', 'null', 'true'])('that is the JSON value %s is 400 with -32600', async (body) => {
    const { status, json } = await send(body);
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32600);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', undefined])(
    'of type %s is 415',
    async (type) => {
      const headers = { accept: JSON_HEADERS.accept, ...session.headers, ...(type && { 'content-type': type }) };
      const { status, json } = await exchange(server.url, { headers, body: PING });
      expect(status).toBe(415);
      expect(json.error.message).toContain('application/json');
    },
  );

  it.each(['application/json; charset=utf-8', 'Application/JSON'])('of type %s is read', async (type) => {
    const { status } = await send(PING, { 'content-type': type });
    expect(status).toBe(200);
  });

  it('past the limit is 413, by its declared length and by what comes', async () => {
    const body = JSON.stringify({ ...PING, params: { filler: 'x'.repeat(70_000) } });
    const declared = await send(body, { 'content-length': String(body.length) });
    const chunked = await send(body, { 'transfer-encoding': 'chunked' });
    expect([declared.status, chunked.status]).toEqual([413, 413]);
    expect(declared.json.error.message).toContain('server.max_body_bytes');
    expect((await send(PING)).status).toBe(200);
  });

  it('of exactly one notification is answered with 202 and nothing', async () => {
    const { status, text } = await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect({ status, text }).toEqual({ status: 202, text: '' });
  });

  it('of exactly one response is answered with 202 and nothing, also when nobody asked', async () => {
    const { status, text } = await send({ jsonrpc: '2.0', id: 'server-99', result: {} });
    expect({ status, text }).toEqual({ status: 202, text: '' });
  });
});

describe('the Accept header', () => {
  it.each(['application/json', '*/*', 'application/*', undefined])('may be %s: the answer is then JSON', async (accept) => {
    const headers = { 'content-type': 'application/json', ...session.headers, ...(accept && { accept }) };
    const answer = await exchange(server.url, { headers, body: PING });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it.each(['text/event-stream', 'text/event-stream, application/json'])('of %s gets a stream', async (accept) => {
    const answer = await send(PING, { accept });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(JSON.parse(answer.events.at(-1)?.data ?? '')).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it.each(['text/html', 'image/png'])('of %s is 406', async (accept) => {
    const { status } = await send(PING, { accept });
    expect(status).toBe(406);
  });

  it('of a GET must take event streams', async () => {
    const { status } = await exchange(server.url, { method: 'GET', headers: { ...session.headers, accept: 'application/json' } });
    expect(status).toBe(406);
  });
});

describe('the Origin header', () => {
  const EVIL = ['http://evil.example', 'https://localhost.evil.example', 'null', 'http://127.0.0.1.evil.example', 'file://', ''];

  it.each(EVIL)('of "%s" is 403 on every method and in both eras', async (origin) => {
    const answers = await Promise.all([
      send(PING, { origin }),
      exchange(server.url, { ...post(initialize()), headers: { ...JSON_HEADERS, origin } }),
      exchange(server.url, { ...DISCOVER, headers: { ...DISCOVER.headers, origin } }),
      exchange(server.url, { method: 'GET', headers: { ...session.headers, accept: 'text/event-stream', origin } }),
      exchange(server.url, { method: 'DELETE', headers: { ...session.headers, origin } }),
      exchange(server.url, { method: 'OPTIONS', headers: { origin } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    expect(answers.map(({ headers }) => headers['access-control-allow-origin'])).toEqual(answers.map(() => undefined));
    expect((await session.request('ping')).result).toEqual({});
  });

  it.each(['http://localhost:6274', 'http://127.0.0.1', 'http://[::1]:3000', 'https://app.example'])(
    'of "%s" may read the answer and the session id',
    async (origin) => {
      const { status, headers } = await exchange(server.url, post(initialize(), { origin }));
      expect(status).toBe(200);
      expect(headers['access-control-allow-origin']).toBe(origin);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers.vary).toContain('Origin');
      expect(headers['access-control-expose-headers']?.toLowerCase()).toContain('mcp-session-id');
    },
  );

  it('is answered on a preflight with the headers MCP needs', async () => {
    const wanted = ['content-type', 'mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id'];
    const { status, headers } = await exchange(server.url, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:6274', 'access-control-request-method': 'POST' },
    });
    expect(status).toBe(204);
    const allowed = headers['access-control-allow-headers']?.toLowerCase().split(', ');
    expect(allowed).toEqual(expect.arrayContaining(wanted));
    expect(headers['access-control-allow-methods']).toContain('DELETE');
  });
});

describe('the Host header', () => {
  it.each(['evil.example', 'evil.example:8001', 'localhost.evil.example', '0.0.0.0', '169.254.169.254'])(
    'of "%s" is 403',
    async (host) => {
      const { status, json } = await send(PING, { host });
      expect(status).toBe(403);
      expect(json.error.message).toContain('Host');
    },
  );

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8001', '[::1]', '[::1]:8001', 'mcp.example', 'mcp.example:443'])(
    'of "%s" is ours',
    async (host) => {
      expect((await send(PING, { host })).status).toBe(200);
    },
  );
});

describe('answers', () => {
  it('keep the id as it came, text or number', async () => {
    for (const id of ['text', '', 0, -1, 2 ** 53 - 1]) {
      expect((await send({ ...PING, id })).json).toEqual({ jsonrpc: '2.0', id, result: {} });
    }
  });

  it('to methods that do not exist are -32601', async () => {
    for (const method of ['no/such', 'constructor', '__proto__', 'toString']) {
      const { error } = await session.request(method);
      expect(error.code).toBe(-32601);
    }
  });

  it('are not cut short by letters of several bytes', async () => {
    const { json } = await send({ jsonrpc: '2.0', id: '世界🌍', method: 'tools/call', params: { name: '世界🌍' } });
    expect(json.id).toBe('世界🌍');
    expect(json.error.message).toContain('世界🌍');
  });
});
