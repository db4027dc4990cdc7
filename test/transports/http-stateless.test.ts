/** MCP 2026-07-28 over HTTP, request by request, beside sessions on the same URL. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, messagesOf, open } from '../fixtures/http-client.ts';
import { initialize, openSession, post, type StatelessRequest, stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const META = 'io.modelcontextprotocol/';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN] });
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (method: string, params: Readonly<Record<string, unknown>> = {}, options: StatelessRequest = {}) =>
  exchange(server.url, stateless(method, params, options));
const callTool = (name: string, values: object = {}, options: StatelessRequest = {}) =>
  send('tools/call', { name, arguments: values }, options);

describe('server/discover', () => {
  it('works without anything before it', async () => {
    const { status, headers, json } = await send('server/discover');
    expect(status).toBe(200);
    expect(headers['mcp-session-id']).toBeUndefined();
    expect(json.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
      capabilities: { tools: { listChanged: true } },
      instructions: expect.any(String),
      _meta: { [`${META}serverInfo`]: { name: 'mcp-python' } },
    });
  });

  it('ignores what belongs to sessions', async () => {
    const headers = { 'mcp-session-id': 'of-old', 'last-event-id': '1' };
    const answer = await send('server/discover', {}, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers['mcp-session-id']).toBeUndefined();
  });
});

describe('the metadata of a request', () => {
  it.each([
    ['no _meta', { params: {} }],
    ['no params', {}],
    ['a _meta that is no object', { params: { _meta: 'x' } }],
    ['no protocolVersion', { params: { _meta: { [`${META}clientCapabilities`]: {} } } }],
    ['no clientCapabilities', { params: { _meta: { [`${META}protocolVersion`]: '2026-07-28' } } }],
    [
      'capabilities that are no object',
      { params: { _meta: { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: [] } } },
    ],
  ])('with %s is 400 and -32602 with the id', async (_, rest) => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
    const { status, json } = await exchange(server.url, post({ id: 'meta', method: 'tools/list', ...rest }, headers));
    expect(status).toBe(400);
    expect(json).toMatchObject({ id: 'meta', error: { code: -32602 } });
  });

  it('of a revision we do not speak is 400 and -32022, with those we do', async () => {
    const version = '2027-01-01';
    const meta = { [`${META}protocolVersion`]: version };
    const { status, json } = await send('tools/list', {}, { meta, headers: { 'mcp-protocol-version': version } });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({
      code: -32022,
      data: { requested: version, supported: expect.arrayContaining(['2026-07-28', '2025-11-25']) },
    });
  });

  it('of a revision with sessions is 400 and -32022 too', async () => {
    const meta = { [`${META}protocolVersion`]: '2025-11-25' };
    const { status, json } = await send('tools/list', {}, { meta, headers: { 'mcp-protocol-version': '2025-11-25' } });
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32022);
  });

  it('may leave out who the client is', async () => {
    expect((await send('tools/list')).status).toBe(200);
  });
});

describe('the headers that mirror a request', () => {
  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])('must be there: without %s it is 400 and -32020', async (name) => {
    const { status, json } = await callTool('test_simple_text', {}, { id: 'h', without: [name] });
    expect(status).toBe(400);
    expect(json).toMatchObject({ id: 'h', error: { code: -32020 } });
  });

  it.each([
    ['mcp-protocol-version', '2025-11-25'],
    ['mcp-method', 'tools/list'],
    ['mcp-method', 'TOOLS/CALL'],
    ['mcp-name', 'test_image_content'],
    ['mcp-name', ''],
    ['mcp-name', '=?base64?dGVzdF9pbWFnZV9jb250ZW50?='],
    ['mcp-name', '=?base64?!?='],
    ['mcp-name', '=?base64?gICA?='],
  ])('must agree with the body: %s of "%s" is 400 and -32020', async (name, value) => {
    const { status, json } = await callTool('test_simple_text', {}, { headers: { [name]: value } });
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32020);
  });

  it('may come in any case of the name, and in Base64', async () => {
    const encoded = `=?base64?${Buffer.from('test_simple_text').toString('base64')}?=`;
    const request = stateless('tools/call', { name: 'test_simple_text', arguments: {} }, { without: ['mcp-name', 'mcp-method'] });
    const headers = { ...request.headers, 'MCP-METHOD': 'tools/call', 'mCP-nAME': encoded };
    expect((await exchange(server.url, { ...request, headers })).status).toBe(200);
  });

  it('twice with different values agree with nothing', async () => {
    const { status } = await callTool(
      'test_simple_text',
      {},
      { headers: { 'mcp-name': ['test_simple_text', 'test_image_content'] } },
    );
    expect(status).toBe(400);
  });

  it('name the URI of a resource and the name of a prompt', async () => {
    const uri = 'test://static-text';
    expect((await send('resources/read', { uri })).status).toBe(200);
    expect((await send('resources/read', { uri }, { headers: { 'mcp-name': 'test://static-binary' } })).status).toBe(400);
    expect((await send('prompts/get', { name: 'test_simple_prompt' }, { without: ['mcp-name'] })).status).toBe(400);
  });

  const VALUES = { region: 'Zürich', size: 42, urgent: false, place: { zone: ' b ' } };
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
  const MIRRORED = {
    'mcp-param-region': base64('Zürich'),
    'mcp-param-size': '42',
    'mcp-param-urgent': 'false',
    'mcp-param-zone': base64(' b '),
  };

  it('repeat the arguments a tool marks, nested ones too', async () => {
    const { status, json } = await callTool('test_mirrored_headers', VALUES, { headers: MIRRORED });
    expect(status).toBe(200);
    expect(JSON.parse(json.result.content[0].text)).toEqual(VALUES);
  });

  it.each([
    ['mcp-param-region', 'Bern'],
    ['mcp-param-region', undefined],
    ['mcp-param-size', '43'],
    ['mcp-param-size', 'forty-two'],
    ['mcp-param-urgent', 'False'],
    ['mcp-param-zone', undefined],
  ])('refuse the call with 400 and -32020 when %s is %s', async (name, value) => {
    const headers: Record<string, string> = { ...MIRRORED, [name]: value ?? '' };
    if (value === undefined) delete headers[name];
    const { status, json } = await callTool('test_mirrored_headers', VALUES, { headers });
    expect(status).toBe(400);
    expect(json.error.code).toBe(-32020);
  });

  it('compare numbers as numbers', async () => {
    const { status } = await callTool('test_mirrored_headers', { size: 42 }, { headers: { 'mcp-param-size': '42.0' } });
    expect(status).toBe(200);
  });

  it('are not expected for arguments that are null or not given, and not taken for them', async () => {
    expect((await callTool('test_mirrored_headers', { region: null })).status).toBe(200);
    expect((await callTool('test_mirrored_headers', {}, { headers: { 'mcp-param-region': 'Bern' } })).status).toBe(400);
    expect((await callTool('test_mirrored_headers', {}, { headers: { 'mcp-param-unknown': 'x' } })).status).toBe(200);
  });
});

describe('a method', () => {
  it.each([
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'roots/list',
    'no/such',
    'toString',
  ])('%s does not exist: 404 and -32601 with the id', async (method) => {
    const { status, json } = await send(method, {}, { id: 'gone' });
    expect(status).toBe(404);
    expect(json).toMatchObject({ id: 'gone', error: { code: -32601 } });
  });

  it('whose parameters are wrong is -32602, and an unknown resource names its URI', async () => {
    expect((await callTool('no_such_tool')).json.error.code).toBe(-32602);
    const { json } = await send('resources/read', { uri: 'test://nowhere' });
    expect(json.error).toMatchObject({ code: -32602, data: { uri: 'test://nowhere' } });
  });

  it.each(['GET', 'DELETE'])('of HTTP named %s is 405', async (method) => {
    const headers = { accept: 'text/event-stream', 'mcp-protocol-version': '2026-07-28' };
    const { status, headers: told } = await exchange(server.url, { method, headers });
    expect(status).toBe(405);
    expect(told.allow).toContain('POST');
  });

  it('cannot be answered by the client: a response is 400, a notification 202', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28' };
    expect((await exchange(server.url, post({ id: 1, result: {} }, headers))).status).toBe(400);
    const { status, text } = await exchange(server.url, post({ method: 'notifications/initialized' }, headers));
    expect({ status, text }).toEqual({ status: 202, text: '' });
  });

  it.each([
    ['tools/list', {}, 'public'],
    ['prompts/list', {}, 'public'],
    ['resources/list', {}, 'public'],
    ['resources/templates/list', {}, 'public'],
    ['resources/read', { uri: 'test://static-text' }, 'private'],
    ['server/discover', {}, 'public'],
  ])('%s says how long and by whom its result may be kept', async (method, params, cacheScope) => {
    const { json } = await send(method, params);
    expect(json.result).toMatchObject({ resultType: 'complete', ttlMs: expect.any(Number), cacheScope });
    expect(json.result.ttlMs).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ['tools/call', { name: 'test_simple_text', arguments: {} }],
    ['tools/call', { name: 'test_error_handling', arguments: {} }],
    ['prompts/get', { name: 'test_simple_prompt' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'test_simple_prompt' }, argument: { name: 'x', value: '' } }],
  ])('%s of %o has a resultType or is an error', async (method, params) => {
    const { json } = await send(method, params);
    if (json.error) expect(json.error.code).toBe(-32602);
    else expect(json.result.resultType).toBe('complete');
  });

  it('tools/list is the same for everybody, every time', async () => {
    const [first, second] = await Promise.all([send('tools/list'), send('tools/list', {}, { capabilities: { sampling: {} } })]);
    expect(second.json.result).toEqual(first.json.result);
  });
});

describe('while a call runs', () => {
  it('progress comes on its stream when there is a token, without event ids, the response last', async () => {
    const { headers, events } = await callTool('wire_count', { steps: 3, delay_ms: 20 }, { meta: { progressToken: 'p' } });
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    expect(events.every(({ id }) => id === undefined)).toBe(true);
    const messages = messagesOf(events);
    expect(messages.map(({ params }) => params?.progress)).toEqual([1, 2, 3, undefined]);
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('logs come only to who asks for them, from that level on', async () => {
    const none = await callTool('wire_log');
    expect(none.headers['content-type']).toBe('application/json');
    const { events } = await callTool('wire_log', {}, { meta: { [`${META}logLevel`]: 'critical' } });
    const levels = messagesOf(events).map(({ method, params }) => method && params.level);
    expect(levels).toEqual(['critical', 'alert', 'emergency', undefined]);
  });

  it('closing the response cancels it within a second', async () => {
    const path = (name: string) => join(server.home.folder, `disconnect-${name}`);
    const [started, stopped] = [path('started'), path('stopped')];
    const controller = new AbortController();
    const { headers, body } = stateless('tools/call', { name: 'wire_wait', arguments: { started, stopped } });
    const gone = fetch(server.url, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: JSON.stringify(body),
      signal: controller.signal,
    }).catch(() => {});
    await eventually(() => existsSync(started));
    controller.abort();
    await gone;
    await eventually(() => existsSync(stopped), 1000);
  });

  it('closing the response cancels it also once events have come', async () => {
    const path = (name: string) => join(server.home.folder, `late-disconnect-${name}`);
    const [started, stopped] = [path('started'), path('stopped')];
    const stream = await open(server.url, stateless('tools/call', { name: 'wire_wait', arguments: { started, stopped } }));
    expect(stream.headers['content-type']).toBe('text/event-stream');
    stream.break();
    await eventually(() => existsSync(stopped), 1000);
  });

  it('nothing of it waits for a client that comes back', async () => {
    const headers = { accept: 'text/event-stream', 'last-event-id': '1', 'mcp-protocol-version': '2026-07-28' };
    expect((await exchange(server.url, { method: 'GET', headers })).status).toBe(405);
  });
});

describe('both eras on one URL', () => {
  it('interleave: what one client opens means nothing to the other', async () => {
    const session = await openSession(server.url);
    const [legacy, modern, again] = await Promise.all([
      session.request('tools/call', { name: 'test_simple_text', arguments: {} }),
      callTool('test_simple_text'),
      exchange(server.url, post(initialize())),
    ]);
    expect(legacy.result).not.toHaveProperty('resultType');
    expect(modern.json.result.resultType).toBe('complete');
    expect(modern.json.result.content).toEqual(legacy.result.content);
    expect(again.json.result.protocolVersion).toBe('2025-11-25');
  });

  it('serves a 2026 request that carries the id of a living session, and the session stays as it was', async () => {
    const session = await openSession(server.url);
    const { json } = await callTool('test_simple_text', {}, { headers: { 'mcp-session-id': session.id } });
    expect(json.result.resultType).toBe('complete');
    expect((await session.request('ping')).result).toEqual({});
  });
});
