/** What goes over stdin and stdout, line by line (MCP 2025-11-25 and 2026-07-28, transports, stdio). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialize, stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, WIRE_PLUGIN } from '../fixtures/server.ts';
import { type StdioClient, startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

const PLUGINS = { plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN] };
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const PING = { id: 'ping', method: 'ping' };
const call = (id: string | number, name: string, values: object = {}, meta?: object) => ({
  id,
  method: 'tools/call',
  params: { name, arguments: values, ...(meta && { _meta: meta }) },
});
/** A request of MCP 2026-07-28; stdio has no headers. */
const modern = (id: string | number, method: string, params: Record<string, unknown> = {}, meta?: object) =>
  stateless(method, params, { id, ...(meta && { meta }) }).body as { id: string | number; method: string; params: object };

async function startSession(capabilities: object = {}): Promise<StdioClient> {
  const client = startStdio(PLUGINS);
  await client.request({ ...initialize('2025-11-25', capabilities), id: 'init' });
  client.send({ method: 'notifications/initialized' });
  return client;
}

/** Paths for a tool to say that it started and that it stopped. */
const marks = (client: StdioClient, name: string) =>
  ['started', 'stopped'].map((what) => join(client.home.folder, `${name}-${what}`)) as [string, string];

describe('framing', () => {
  it('passes over a message that is too long, says so, and goes on', async () => {
    await using client = await startSession();
    client.write(`${'x'.repeat(5_000_000)}\n`);
    await client.request(PING);
    expect(client.lines.map((line) => JSON.parse(line).error?.message).filter(Boolean)).toEqual([
      expect.stringContaining('server.max_body_bytes'),
    ]);
  });

  it('is one JSON message a line, whatever is in it', async () => {
    await using client = await startSession();
    const { result } = await client.request(call(1, 'wire_big', { characters: 300_000 }));
    // Compared as one: the difference of texts that long would take minutes to find.
    expect(result.content[0].text === '世\n\n\n'.repeat(75_000)).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    expect(client.lines.map((line) => JSON.parse(line).jsonrpc)).toEqual(client.lines.map(() => '2.0'));
  });

  it('does not depend on how the bytes come: in pieces, several at once, with CR, with empty lines', async () => {
    await using client = startStdio();
    const line = (id: string) => JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' });
    client.write(line('one').slice(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.write(`${line('one').slice(9)}\n\n  \n${line('two')}\r\n${line('three')}\n`);
    for (const id of ['one', 'two', 'three']) await client.next((message) => message.id === id);
  });

  it('keeps letters whole that come in two pieces', async () => {
    await using client = startStdio();
    const bytes = Buffer.from('{"jsonrpc":"2.0","id":"世","method":"ping"}\n');
    client.child.stdin.write(bytes.subarray(0, 23));
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.child.stdin.write(bytes.subarray(23));
    expect((await client.next(() => true)).id).toBe('世');
  });

  it('survives lines that are no messages, and says what is wrong with them', async () => {
    await using client = startStdio();
    const wrong = [
      '{"jsonrpc":',
      '[]',
      `[${JSON.stringify({ jsonrpc: '2.0', ...PING })}]`,
      '1',
      '{"jsonrpc":"2.0","id":null,"method":"ping"}',
    ];
    const codes = [];
    for (const line of wrong) {
      client.write(`${line}\n`);
      codes.push((await client.next(({ id }) => id === null)).error.code);
    }
    expect(codes).toEqual([-32700, -32600, -32600, -32600, -32600]);
    expect((await client.request(PING)).result).toEqual({});
  });

  it('waits for a client that reads slowly, and loses nothing', async () => {
    await using client = await startSession();
    client.child.stdout.pause();
    const ids = Array.from({ length: 12 }, (_, index) => `big-${index}`);
    for (const id of ids) client.send(call(id, 'wire_big', { characters: 1_000_000 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.child.stdout.resume();
    for (const id of ids) {
      const { result } = await client.next((message) => message.id === id);
      expect(result.content[0].text).toHaveLength(1_000_000);
    }
    expect((await client.request(PING)).result).toEqual({});
  });
});

describe('the session', () => {
  it('is opened once; before that only ping and MCP 2026-07-28 are answered', async () => {
    await using client = startStdio();
    expect((await client.request(PING)).result).toEqual({});
    expect((await client.request({ id: 1, method: 'tools/list' })).error.message).toContain('initialize');
    expect((await client.request({ ...initialize(), id: 2 })).result.protocolVersion).toBe('2025-11-25');
    expect((await client.request({ id: 3, method: 'tools/list' })).result.tools.length).toBeGreaterThan(8);
    expect((await client.request({ ...initialize(), id: 4 })).error.code).toBe(-32600);
    expect((await client.request(PING)).result).toEqual({});
  });

  it('carries questions to the client and its answers back', async () => {
    await using client = await startSession({ elicitation: {} });
    client.send(call('asking', 'test_elicitation', { message: 'Who?' }));
    const question = await client.next(({ method }) => method === 'elicitation/create');
    client.send({ id: question.id, result: { action: 'decline' } });
    const { result } = await client.next(({ id }) => id === 'asking');
    expect(result.content[0].text).toContain('action=decline');
  });

  it('withdraws a question when the call that asked is cancelled', async () => {
    await using client = await startSession({ elicitation: {} });
    client.send(call('asking', 'test_elicitation', { message: 'Who?' }));
    const question = await client.next(({ method }) => method === 'elicitation/create');
    client.send({ method: 'notifications/cancelled', params: { requestId: 'asking' } });
    const withdrawn = await client.next(({ method }) => method === 'notifications/cancelled');
    expect(withdrawn.params.requestId).toBe(question.id);
  });

  it('hears of changes in the lists, and of progress where it gave a token', async () => {
    await using client = await startSession();
    client.send(call(1, 'test_trigger_tool_change'));
    await client.next(({ method }) => method === 'notifications/tools/list_changed');
    client.send(call(2, 'wire_count', { steps: 2, delay_ms: 5 }, { progressToken: 'p' }));
    await client.next(({ id }) => id === 2);
    const progress = client.received.filter(({ method }) => method === 'notifications/progress');
    expect(progress.map(({ params }) => [params.progressToken, params.progress])).toEqual([
      ['p', 1],
      ['p', 2],
    ]);
  });

  it('answers quick requests while a slow one runs', async () => {
    await using client = await startSession();
    client.send(call('slow', 'wire_count', { steps: 1, delay_ms: 400 }));
    await client.request(PING);
    expect(client.received.some(({ id }) => id === 'slow')).toBe(false);
    await client.next(({ id }) => id === 'slow');
  });
});

describe('both eras', () => {
  it('interleave on one pair of pipes', async () => {
    await using client = startStdio(PLUGINS);
    const discovered = await client.request(modern('d', 'server/discover'));
    expect(discovered.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: expect.arrayContaining(['2026-07-28']),
    });
    await client.request({ ...initialize('2025-06-18'), id: 'init' });
    client.send(call('old', 'test_simple_text'), modern('new', 'tools/call', { name: 'test_simple_text', arguments: {} }));
    const [old, fresh] = [await client.next(({ id }) => id === 'old'), await client.next(({ id }) => id === 'new')];
    expect(old.result).not.toHaveProperty('resultType');
    expect(fresh.result).toMatchObject({ resultType: 'complete', content: old.result.content });
  });

  it('refuse what the newer one no longer has, and metadata that is not whole', async () => {
    await using client = startStdio();
    expect((await client.request(modern(1, 'ping'))).error.code).toBe(-32601);
    expect((await client.request(modern(2, 'tools/list', { _meta: {} }))).error.code).toBe(-32602);
    const future = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    expect((await client.request(modern(3, 'tools/list', {}, future))).error.code).toBe(-32022);
  });

  it('never send a request to a client of MCP 2026-07-28: it gets input_required', async () => {
    await using client = startStdio(PLUGINS);
    const asking = { name: 'test_elicitation', arguments: { message: 'Who?' } };
    const request = stateless('tools/call', asking, { id: 1, capabilities: { elicitation: {} } }).body as {
      id: number;
      method: string;
    };
    expect((await client.request(request)).result).toMatchObject({ resultType: 'input_required' });
    expect(client.received).toEqual([]);
  });

  it('tell each subscription its own', async () => {
    await using client = startStdio(PLUGINS);
    client.send(
      modern('tools', 'subscriptions/listen', { notifications: { toolsListChanged: true } }),
      modern('prompts', 'subscriptions/listen', { notifications: { promptsListChanged: true } }),
    );
    const told = (id: string, method: string) =>
      client.next((message) => message.method === method && message.params._meta[SUBSCRIPTION] === id);
    await told('tools', 'notifications/subscriptions/acknowledged');
    await told('prompts', 'notifications/subscriptions/acknowledged');
    client.send(modern(1, 'tools/call', { name: 'test_trigger_tool_change', arguments: {} }));
    await told('tools', 'notifications/tools/list_changed');
    client.send({ method: 'notifications/cancelled', params: { requestId: 'tools' } });
    client.send(modern(2, 'tools/call', { name: 'test_trigger_tool_change', arguments: {} }));
    client.send(modern(3, 'tools/call', { name: 'test_trigger_prompt_change', arguments: {} }));
    await told('prompts', 'notifications/prompts/list_changed');
    await client.next(({ id }) => id === 3);
    const fromTools = client.received.filter(({ params }) => params?._meta?.[SUBSCRIPTION] === 'tools');
    expect(fromTools.map(({ method }) => method)).toEqual(['notifications/tools/list_changed']);
  });
});

describe('cancelling', () => {
  it.each([
    ['a session', (id: string, values: object) => call(id, 'wire_wait', values)],
    ['MCP 2026-07-28', (id: string, values: object) => modern(id, 'tools/call', { name: 'wire_wait', arguments: values })],
  ])('in %s stops the call, and nothing more is said about it', async (_, waiting) => {
    await using client = await startSession();
    const [started, stopped] = marks(client, 'cancelled');
    client.send(waiting('long', { started, stopped }));
    await eventually(() => existsSync(started));
    client.send({ method: 'notifications/cancelled', params: { requestId: 'long', reason: 'test' } });
    await eventually(() => existsSync(stopped), 1000);
    await client.request(PING);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.received).toEqual([]);
  });

  it('what is unknown or makes no sense is ignored', async () => {
    await using client = await startSession();
    for (const params of [{ requestId: 'nobody' }, { requestId: null }, {}])
      client.send({ method: 'notifications/cancelled', params });
    await client.request(PING);
    expect(client.received).toEqual([]);
  });
});

describe('the end', () => {
  it('of the input ends the server with 0, and what still runs is stopped', async () => {
    await using client = await startSession();
    const [started, stopped] = marks(client, 'end');
    client.send(call('long', 'wire_wait', { started, stopped }));
    await eventually(() => existsSync(started));
    client.child.stdin.end();
    expect(await client.exit).toBe(0);
    expect(existsSync(stopped)).toBe(true);
  });

  it('of the input leaves time for answers that are nearly there', async () => {
    await using client = await startSession();
    client.send(call('quick', 'wire_count', { steps: 1, delay_ms: 150 }));
    client.child.stdin.end();
    expect((await client.next(({ id }) => id === 'quick')).result.content[0].text).toBe('counted to 1');
    expect(await client.exit).toBe(0);
  });

  it('of the output ends the server too', async () => {
    await using client = await startSession();
    const [started, stopped] = marks(client, 'output');
    client.send(call('long', 'wire_wait', { started, stopped }));
    await eventually(() => existsSync(started));
    client.child.stdout.destroy();
    client.send(PING);
    await client.exit;
    expect(existsSync(stopped)).toBe(true);
  });

  it('by SIGTERM tells the callers of running calls', async () => {
    await using client = await startSession();
    const [started, stopped] = marks(client, 'signal');
    client.send(call('long', 'wire_wait', { started, stopped }));
    await eventually(() => existsSync(started));
    client.child.kill('SIGTERM');
    expect((await client.next(({ id }) => id === 'long')).result.isError).toBe(true);
    expect(await client.exit).toBe(0);
  });
});
