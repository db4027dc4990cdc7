/** Who may come in over HTTP, what they may do there, and how often: API keys at the real server. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { keysFolder } from '../../src/identity/key-record.ts';
import { type KeyTerms, openKeyStore } from '../../src/identity/key-store.ts';
import type { Scope } from '../../src/identity/principal.ts';
import { exchange, type HttpAnswer, messageOf, messagesOf, open } from '../fixtures/http-client.ts';
import { initialize, JSON_HEADERS, openSession, post, stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const PLUGINS = [CONFORMANCE_PLUGIN, WIRE_PLUGIN];
const FAILED_ATTEMPTS = 20;

const folder = mkdtempSync(join(tmpdir(), 'mcp-python-authentication-'));
const store = openKeyStore(keysFolder(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let lastKey = 0;

/** A new key, as the headers that carry it. */
async function newKey(scopes: readonly Scope[] = ['tools:read'], terms: Partial<KeyTerms> = {}) {
  const { key, text } = await store.create({ name: `key-${++lastKey}`, scopes, ...terms });
  return { name: key.name, id: key.id, text, headers: { authorization: `Bearer ${text}` } };
}

type Key = Awaited<ReturnType<typeof newKey>>;

/** A server that uses the keys of this file, and knows nothing of the sessions of those before. */
function start(authentication: object = {}, server: object = {}): Promise<RunningServer> {
  for (const name of readdirSync(folder).filter((each) => each.startsWith('sessions.db'))) rmSync(join(folder, name));
  return startServer({ plugins: PLUGINS, config: { state: { directory: folder }, authentication, server } });
}

const CALL_COMMAND = { name: 'execute_command', arguments: { command: 'echo ran > ran' } };
const READ_TOOL = { name: 'check_command_exists', arguments: { command: 'sh' } };
const call = (params: object, id: string | number = 1) => ({ id, method: 'tools/call', params });

function expectChallenge({ status, headers, json }: HttpAnswer, error?: string) {
  expect(status).toBe(401);
  expect(headers['www-authenticate']).toMatch(/^Bearer realm="mcp-python"/);
  if (error === undefined) expect(headers['www-authenticate']).not.toContain('error');
  else expect(headers['www-authenticate']).toMatch(new RegExp(`error="invalid_token", error_description="[^"]*${error}[^"]*"`));
  expect(json).toEqual({ jsonrpc: '2.0', id: null, error: { code: -32600, message: expect.stringMatching(/\w+ \w+/) } });
}

describe('on loopback, where no key is asked for', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('a client without a credential is the local principal, who may do everything', async () => {
    const session = await openSession(server.url);
    expect((await session.request('tools/call', CALL_COMMAND)).result.isError).toBeUndefined();
    expect((await session.request('resources/read', { uri: 'config://effective' })).result.contents).toHaveLength(1);
  });

  it('a credential that is sent must be good all the same', async () => {
    const { text } = await newKey();
    const wrong = `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
    for (const [headers, error] of [
      [{ authorization: `Bearer ${wrong}` }, 'checksum'],
      [{ 'x-api-key': wrong }, 'checksum'],
      [{ 'x-api-key': '' }, 'not an API key'],
      [{ authorization: 'Bearer' }, 'must be .Bearer.'],
      [{ authorization: 'Basic bWU6cGFzcw==' }, 'must be .Bearer.'],
      [{ authorization: text }, 'must be .Bearer.'],
    ] as const) {
      expectChallenge(await exchange(server.url, post(initialize(), headers)), error);
    }
  });

  it('GET and DELETE look at it too', async () => {
    const session = await openSession(server.url);
    const headers = { ...session.headers, accept: 'text/event-stream', 'x-api-key': 'wrong' };
    expectChallenge(await exchange(server.url, { method: 'GET', headers }), 'not an API key');
    expectChallenge(await exchange(server.url, { method: 'DELETE', headers }), 'not an API key');
    expect(await session.request('ping')).toMatchObject({ result: {} });
  });

  it.each(['authorization', 'x-api-key'])('a good key in %s names its holder', async (name) => {
    const key = await newKey();
    const credential = { [name]: name === 'authorization' ? `bearer  ${key.text}` : key.text };
    const session = await openSession(server.url, '2025-11-25', {}, credential);
    await session.request('tools/call', READ_TOOL);
    const { result } = await session.request('resources/read', { uri: 'tasks://all' });
    expect(JSON.parse(result.contents[0].text).tasks).toEqual([expect.objectContaining({ principal: `key:${key.id}` })]);
  });

  it('two credentials in one request are one too many', async () => {
    const { text } = await newKey();
    const both = await exchange(server.url, post(initialize(), { authorization: `Bearer ${text}`, 'x-api-key': text }));
    const twice = await exchange(server.url, post(initialize(), { authorization: [`Bearer ${text}`, 'Bearer other'] as never }));
    for (const { status, headers } of [both, twice]) {
      expect(status).toBe(400);
      expect(headers['www-authenticate']).toContain('error="invalid_request"');
    }
  });

  it.each(['api_key', 'access_token', 'X-API-Key', 'whatever'])('a key in the address, as %s, is refused', async (name) => {
    const { text, headers } = await newKey();
    for (const credential of [{}, headers]) {
      const answer = await exchange(`${server.url}?a=1&${name}=${text}`, post(initialize(), credential));
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('header');
      expect(answer.text).not.toContain(text);
    }
  });

  it('an expired key is refused with the reason, a revoked one from the next request on', async () => {
    const expired = await newKey(['admin'], { expiresMs: Date.now() - 1000 });
    expectChallenge(await exchange(server.url, post(initialize(), expired.headers)), 'expired at 2');
    const key = await newKey(['admin']);
    const session = await openSession(server.url, '2025-11-25', {}, key.headers);
    expect(await session.request('ping')).toMatchObject({ result: {} });
    await store.revoke(key.id);
    expectChallenge(await session.send({ id: 1, method: 'ping' }), 'revoked');
  });

  it('pages are told which headers they may send, and may read the challenge, without a credential', async () => {
    const headers = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
    const { status, headers: told } = await exchange(server.url, { method: 'OPTIONS', headers });
    expect(status).toBe(204);
    expect(told['access-control-allow-headers']).toMatch(/Authorization, X-API-Key/);
    expect(told['access-control-expose-headers']).toContain('WWW-Authenticate');
    const refused = await exchange(server.url, post(initialize(), { origin: 'http://localhost:3000', 'x-api-key': 'wrong' }));
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe('http://localhost:3000');
  });
});

describe('where a key is asked for', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start({ required: true });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ['POST', post(initialize())],
    ['POST in the 2026 era', stateless('server/discover')],
    ['GET', { method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': 'x' } }],
    ['DELETE', { method: 'DELETE', headers: { 'mcp-session-id': 'x' } }],
    ['a method that does not exist', { method: 'PUT' }],
    ['a body that is no JSON', { headers: JSON_HEADERS, body: '{' }],
  ] as const)('%s without one is 401 with a challenge that names no error', async (_, request) => {
    expectChallenge(await exchange(server.url, request));
  });

  it('is refused before the body is read', async () => {
    const answer = await open(server.url, { headers: { ...JSON_HEADERS, 'content-length': '4000000' } });
    expect(answer.status).toBe(401);
    answer.break();
  });

  it('a preflight needs none', async () => {
    expect((await exchange(server.url, { method: 'OPTIONS', headers: { origin: 'http://localhost' } })).status).toBe(204);
  });

  it('a key opens both eras', async () => {
    const { headers } = await newKey();
    expect((await exchange(server.url, post(initialize(), headers))).status).toBe(200);
    expect((await exchange(server.url, stateless('server/discover', {}, { headers }))).status).toBe(200);
  });
});

describe('scopes', () => {
  let server: RunningServer;
  const keys = {} as Record<Scope, Key>;
  beforeAll(async () => {
    server = await start();
    for (const scope of ['tools:read', 'tools:execute', 'admin'] as const) keys[scope] = await newKey([scope]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** One request in each era, as the holder of a key. */
  async function inBothEras(method: string, params: Record<string, unknown>, { headers }: Key): Promise<HttpAnswer[]> {
    const session = await openSession(server.url, '2025-11-25', {}, headers);
    return [
      await session.send({ id: 7, method, params }),
      await exchange(server.url, stateless(method, params, { id: 7, headers })),
    ];
  }

  it.each([
    ['tools/call', READ_TOOL, 'tools:execute', 'tools:read'],
    ['tools/call', CALL_COMMAND, 'tools:read', 'tools:execute'],
    ['resources/read', { uri: 'agents://status' }, 'tools:execute', 'tools:read'],
    ['resources/read', { uri: 'config://effective' }, 'tools:read', 'admin'],
    ['resources/subscribe', { uri: 'config://effective' }, 'tools:read', 'admin'],
  ] as const)('%s of %o is 403 for %s, and says that it takes %s', async (method, params, has, needs) => {
    for (const { status, headers, json } of await inBothEras(method, params, keys[has])) {
      expect(status).toBe(403);
      const scopes = /^Bearer .*error="insufficient_scope".* scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1];
      // What it has as well, so that nothing is lost by asking for these.
      expect(scopes?.split(' ').sort()).toEqual([has, needs].sort());
      expect(json).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32600, message: expect.stringContaining(needs) } });
    }
    expect(existsSync(join(server.home.folder, 'ran'))).toBe(false);
  });

  it.each([
    ['tools/call', READ_TOOL, 'tools:read'],
    ['tools/call', { name: 'execute_command', arguments: { command: 'true' } }, 'tools:execute'],
    ['tools/call', { name: 'execute_command', arguments: { command: 'true' } }, 'admin'],
    ['tools/call', READ_TOOL, 'admin'],
    ['resources/read', { uri: 'tasks://all' }, 'tools:read'],
    ['resources/read', { uri: 'config://effective' }, 'admin'],
    ['resources/list', {}, 'tools:execute'],
    ['prompts/list', {}, 'tools:read'],
  ] as const)('%s of %o is answered for %s', async (method, params, has) => {
    for (const { status, text } of await inBothEras(method, params, keys[has])) {
      expect(status).toBe(200);
      expect(text).toContain('"result"');
      expect(text).not.toContain('"isError":true');
    }
  });

  it('are not asked for what does not exist', async () => {
    for (const { json } of await inBothEras('tools/call', { name: 'no_such_tool' }, keys['tools:read'])) {
      expect(json.error).toMatchObject({ code: -32602, message: expect.stringContaining('no_such_tool') });
    }
  });

  it('change no list: everybody is told the same, and of a resource no more than before', async () => {
    const lists = await Promise.all(
      [keys['tools:read'], keys.admin].map(async ({ headers }) => {
        const methods = ['tools/list', 'resources/list', 'prompts/list'];
        return Promise.all(methods.map(async (method) => (await exchange(server.url, stateless(method, {}, { headers }))).text));
      }),
    );
    expect(lists[0]).toEqual(lists[1]);
    expect(lists[0]?.[1]).not.toContain('"scope"');
  });
});

describe('what belongs to somebody', () => {
  let server: RunningServer;
  let ann: Key;
  let ben: Key;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    [ann, ben] = [await newKey(['admin']), await newKey(['admin'])];
  });

  it('a session is 404 for every other credential, and for none', async () => {
    const hers = await openSession(server.url, '2025-11-25', {}, ann.headers);
    const local = await openSession(server.url);
    for (const [session, credentials] of [
      [hers, [ben.headers, {}]],
      [local, [ann.headers, ben.headers]],
    ] as const) {
      const { authorization: _, ...own } = session.headers as Record<string, string>;
      for (const credential of credentials) {
        const headers = { ...own, ...credential };
        expect((await exchange(server.url, post({ id: 1, method: 'ping' }, headers))).status).toBe(404);
        expect((await exchange(server.url, post({ method: 'notifications/initialized' }, headers))).status).toBe(404);
        expect((await exchange(server.url, post(initialize(), headers))).status).toBe(404);
        const get = { method: 'GET', headers: { ...headers, accept: 'text/event-stream' } };
        expect((await exchange(server.url, get)).status).toBe(404);
        expect((await exchange(server.url, { method: 'DELETE', headers })).status).toBe(404);
      }
      expect(await session.request('ping')).toMatchObject({ result: {} });
    }
  });

  it('a broken stream is resumed by its owner only', async () => {
    const session = await openSession(server.url, '2025-11-25', {}, ann.headers);
    const stream = await session.open(
      call({ name: 'wire_count', arguments: { steps: 3, delay_ms: 100 }, _meta: { progressToken: 1 } }),
    );
    const first = await stream.next();
    stream.break();
    const lastEventId = first?.id ?? '';
    const theirs = { ...session.headers, ...ben.headers, accept: 'text/event-stream', 'last-event-id': lastEventId };
    expect((await exchange(server.url, { method: 'GET', headers: theirs })).status).toBe(404);
    // Nor through a session of one's own.
    const other = await openSession(server.url, '2025-11-25', {}, ben.headers);
    expect((await other.listen(lastEventId)).status).toBe(400);
    const messages = messagesOf(await (await session.listen(lastEventId)).rest());
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { content: [{ text: 'counted to 3' }] } });
  });

  it('tasks are shown to their owner only', async () => {
    const names = async ({ headers }: Pick<Key, 'headers'>) => {
      const { json } = await exchange(server.url, stateless('resources/read', { uri: 'tasks://all' }, { headers }));
      return JSON.parse(json.result.contents[0].text).tasks.map(({ tool }: { tool: string }) => tool);
    };
    await exchange(server.url, stateless('tools/call', READ_TOOL, { headers: ann.headers }));
    await exchange(server.url, stateless('tools/call', { name: 'get_system_info', arguments: {} }, { headers: ben.headers }));
    expect(await names(ann)).toEqual(['check_command_exists']);
    expect(await names(ben)).toEqual(['get_system_info']);
    expect(await names({ headers: {} as Key['headers'] })).not.toContain('get_system_info');
  });

  it('a call is cancelled by its owner only', async () => {
    const session = await openSession(server.url, '2025-11-25', {}, ann.headers);
    const other = await openSession(server.url, '2025-11-25', {}, ben.headers);
    const [started, stopped] = [join(server.home.folder, 'c-started'), join(server.home.folder, 'c-stopped')];
    const waiting = session.send(call({ name: 'wire_wait', arguments: { started, stopped } }, 'wait'));
    await eventually(() => existsSync(started));
    const cancel = { method: 'notifications/cancelled', params: { requestId: 'wait' } };
    await other.send(cancel);
    await exchange(server.url, post(cancel, { ...session.headers, ...ben.headers }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(existsSync(stopped)).toBe(false);
    await session.send(cancel);
    await eventually(() => existsSync(stopped));
    await waiting;
  });

  it('what a call of several rounds remembers is good for its principal only', async () => {
    const params = { name: 'test_input_required_result_elicitation', arguments: {} };
    const capabilities = { elicitation: { form: {} } };
    const first = await exchange(server.url, stateless('tools/call', params, { capabilities, headers: ann.headers }));
    const { requestState, inputRequests } = first.json.result;
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: { name: 'Ann' } }]),
    );
    const next = (headers: object) =>
      exchange(
        server.url,
        stateless('tools/call', { ...params, requestState, inputResponses }, { capabilities, headers: { ...headers } }),
      );
    expect((await next(ben.headers)).json.error.message).toContain('somebody else');
    expect((await next({})).json.error.message).toContain('somebody else');
    expect((await next(ann.headers)).json.result.resultType).toBe('complete');
  });
});

describe('a credential that ends', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ['is revoked', 'revoke'],
    ['expires', 'expire'],
  ] as const)('when it %s, takes its streams and running calls with it, and nobody else’s', async (_, how) => {
    const key = await newKey(['admin'], how === 'expire' ? { expiresMs: Date.now() + 1500 } : {});
    const other = await newKey(['admin']);
    const session = await openSession(server.url, '2025-11-25', {}, key.headers);
    const theirs = await openSession(server.url, '2025-11-25', {}, other.headers);
    const [own, othersOwn] = [await session.listen(), await theirs.listen()];
    const subscription = { notifications: { toolsListChanged: true } };
    const listening = await open(server.url, stateless('subscriptions/listen', subscription, { headers: key.headers }));
    const files = ['a', 'b', 'c'].map((name) => ({
      started: join(server.home.folder, `${how}-${name}-started`),
      stopped: join(server.home.folder, `${how}-${name}-stopped`),
    }));
    const wait = (index: number) => ({ name: 'wire_wait', arguments: files[index] as object });
    const gone = () => undefined;
    const inSession = session.send(call(wait(0))).catch(gone);
    const alone = exchange(server.url, stateless('tools/call', wait(1), { headers: key.headers })).catch(gone);
    const othersCall = theirs.open(call(wait(2), 'wait'));
    await eventually(() => files.every(({ started }) => existsSync(started)));

    if (how === 'revoke') await store.revoke(key.name);
    await eventually(() => existsSync(files[0]?.stopped ?? '') && existsSync(files[1]?.stopped ?? ''));
    await Promise.all([own.rest(), listening.rest(), inSession, alone]);
    expect((await session.send({ id: 2, method: 'ping' })).status).toBe(401);
    expect(existsSync(files[2]?.stopped ?? '')).toBe(false);
    expect(await theirs.request('ping')).toMatchObject({ result: {} });
    await theirs.end();
    await Promise.all([othersOwn.rest(), othersCall.then((answer) => answer.rest())]);
  });

  it('leaves a session that is idle behind nobody', async () => {
    const key = await newKey(['admin']);
    const session = await openSession(server.url, '2025-11-25', {}, key.headers);
    await store.revoke(key.name);
    const again = await store.create({ name: key.name, scopes: ['admin'] });
    const headers = { ...session.headers, authorization: `Bearer ${again.text}` };
    expect((await exchange(server.url, post({ id: 1, method: 'ping' }, headers))).status).toBe(404);
  });
});

describe('limits', () => {
  it('of requests a minute are each key’s own; one more is 429 with the time to wait', async () => {
    await using server = await start({ requests_per_minute: 5 });
    const [few, more, other] = [await newKey(), await newKey(['tools:read'], { requestsPerMinute: 8 }), await newKey()];
    const statuses = async ({ headers }: Key, count: number) => {
      const answers = await Promise.all(
        Array.from({ length: count }, () => exchange(server.url, stateless('server/discover', {}, { headers }))),
      );
      return answers;
    };
    const answers = await statuses(few, 7);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const refused = answers.find(({ status }) => status === 429) as HttpAnswer;
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(refused.json).toMatchObject({ jsonrpc: '2.0', error: { message: expect.stringContaining('5 requests a minute') } });
    expect((await statuses(more, 9)).filter(({ status }) => status === 200)).toHaveLength(8);
    expect((await statuses(other, 1))[0]?.status).toBe(200);
    // Nor is the local principal limited.
    const local = await Promise.all(Array.from({ length: 20 }, () => exchange(server.url, stateless('server/discover'))));
    expect(local.every(({ status }) => status === 200)).toBe(true);
  });

  it('of requests at once let answers and cancellations through, and do not count open streams', async () => {
    await using server = await start({ concurrent_requests: 2 });
    const key = await newKey(['admin']);
    const session = await openSession(server.url, '2025-11-25', { elicitation: { form: {} } }, key.headers);
    const own = await session.listen();
    const subscription = { notifications: { toolsListChanged: true } };
    const listening = await open(server.url, stateless('subscriptions/listen', subscription, { headers: key.headers }));
    expect([own.status, listening.status]).toEqual([200, 200]);

    const [started, stopped] = [join(server.home.folder, 'l-started'), join(server.home.folder, 'l-stopped')];
    const waiting = session.send(call({ name: 'wire_wait', arguments: { started, stopped } }, 'wait'));
    const asking = await session.open(call({ name: 'test_elicitation', arguments: { message: 'Who?' } }, 'ask'));
    let question = await asking.next();
    while (!question?.data) question = await asking.next();
    await eventually(() => existsSync(started));

    const busy = await session.send({ id: 3, method: 'ping' });
    expect(busy.status).toBe(429);
    expect(busy.headers['retry-after']).toBe('1');
    expect(busy.json).toMatchObject({ id: 3, error: { message: expect.stringContaining('2 requests') } });
    expect((await exchange(server.url, stateless('server/discover', {}, { headers: key.headers }))).status).toBe(429);
    // A third stream is one too many, of either kind.
    expect((await exchange(server.url, stateless('subscriptions/listen', subscription, { headers: key.headers }))).status).toBe(
      429,
    );
    const another = await exchange(server.url, { method: 'GET', headers: { ...session.headers, accept: 'text/event-stream' } });
    expect(another.status).toBe(429);

    const answer = { id: messageOf(question).id, result: { action: 'accept', content: { response: 'Ann' } } };
    expect((await session.send(answer)).status).toBe(202);
    expect(messagesOf(await asking.rest()).at(-1)).toMatchObject({ id: 'ask', result: {} });
    expect((await session.send({ method: 'notifications/cancelled', params: { requestId: 'wait' } })).status).toBe(202);
    await waiting;
    expect((await session.send({ id: 4, method: 'ping' })).status).toBe(200);
    listening.break();
    await eventually(async () => {
      const next = await open(server.url, stateless('subscriptions/listen', subscription, { headers: key.headers }));
      next.break();
      return next.status === 200;
    });
  });

  it('of sessions: whoever has the most gives way', async () => {
    await using server = await start({}, { max_sessions: 4 });
    const [ann, ben] = [await newKey(), await newKey()];
    const one = await openSession(server.url, '2025-11-25', {}, ann.headers);
    const many = [];
    for (let count = 0; count < 6; count++) many.push(await openSession(server.url, '2025-11-25', {}, ben.headers));
    const statuses = await Promise.all(many.map(async (session) => (await session.send({ id: 1, method: 'ping' })).status));
    expect(statuses).toEqual([404, 404, 404, 200, 200, 200]);
    expect((await one.send({ id: 1, method: 'ping' })).status).toBe(200);
  });

  it('of bad credentials from one address; good ones pass all the same', async () => {
    await using server = await start();
    const { headers } = await newKey();
    const attempt = () => exchange(server.url, post(initialize(), { 'x-api-key': 'wrong' }));
    for (let count = 0; count < FAILED_ATTEMPTS; count++) expect((await attempt()).status).toBe(401);
    const limited = await attempt();
    expect(limited.status).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(30);
    expect(limited.json.error.message).toContain('bad credential');
    expect((await exchange(server.url, post(initialize(), headers))).status).toBe(200);
    expect((await exchange(server.url, post(initialize()))).status).toBe(200);
  });
});

describe('who is turned away', () => {
  it('is in the audit log, without the credential, and not more often than bears reading', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcp-python-authentication-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { key, text } = await openKeyStore(keysFolder(directory)).create({
      name: 'ci',
      scopes: ['tools:read'],
      requestsPerMinute: 4,
    });
    await using server = await startServer({ config: { state: { directory }, authentication: { required: true } } });
    const headers = { 'x-api-key': text };
    await exchange(server.url, post(initialize()));
    for (let count = 0; count < FAILED_ATTEMPTS + 10; count++) {
      await exchange(server.url, post(initialize(), { authorization: `Bearer ${text}x` }));
    }
    for (let count = 0; count < 10; count++) await exchange(server.url, stateless('tools/call', CALL_COMMAND, { headers }));
    const entries = () =>
      readdirSync(join(directory, 'audit'))
        .filter((name) => name.endsWith('.jsonl'))
        .flatMap((name) =>
          readFileSync(join(directory, 'audit', name), 'utf8')
            .trimEnd()
            .split('\n'),
        )
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'access');
    await eventually(() => entries().some(({ what, principal }) => what === 'limited' && principal));
    const of = (what: string, principal?: string) =>
      entries().filter((entry) => entry.what === what && entry.principal === principal);
    expect(of('refused')).toHaveLength(1 + FAILED_ATTEMPTS);
    expect(of('refused')[0]).toMatchObject({ address: expect.stringContaining('127.0.0.1'), reason: 'No credential was sent.' });
    expect(of('limited')).toHaveLength(1);
    expect(of('forbidden', `key:${key.id}`)).toHaveLength(4);
    expect(of('limited', `key:${key.id}`)).toHaveLength(1);
    expect(JSON.stringify(entries())).not.toContain(text.slice(14, 40));
  });
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

describe('beyond loopback', () => {
  const exposed = (directory: string) =>
    startServer({ plugins: PLUGINS, config: { state: { directory }, server: { mcp_http_host: '0.0.0.0' } } });

  it('does not start without a key that could be used, and says how to make one', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'mcp-python-authentication-'));
    onTestFinished(() => rmSync(empty, { recursive: true, force: true }));
    await expect(exposed(empty)).rejects.toThrow(/ended with 3: .*no API key.*mcp-python keys create/s);
    await openKeyStore(keysFolder(empty)).create({ name: 'old', scopes: ['admin'], expiresMs: Date.now() - 1 });
    await expect(exposed(empty)).rejects.toThrow(/ended with 3/);
  });

  it('asks everybody for one, and warns that nothing is encrypted', async () => {
    const { headers } = await newKey();
    await using server = await exposed(folder);
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    expectChallenge(await exchange(url, post(initialize())));
    expect((await exchange(url, post(initialize(), headers))).status).toBe(200);
    await eventually(() => server.errors.includes('unencrypted'));
  });

  it.skipIf(outside === undefined)(
    'answers under every address of the machine (skipped where it has none), and to no name',
    async () => {
      const { headers } = await newKey();
      await using server = await exposed(folder);
      const url = server.url.replace('0.0.0.0', outside ?? '');
      expect((await exchange(url, post(initialize(), headers))).status).toBe(200);
      const rebound = await exchange(url, post(initialize(), { ...headers, host: 'rebound.example' }));
      expect(rebound.status).toBe(403);
      expect(rebound.text).toContain('server.allowed_hosts');
    },
  );
});
