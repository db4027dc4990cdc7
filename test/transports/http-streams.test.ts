/** Event streams of sessions: framing, what goes on which stream, and resumption (MCP 2025-11-25, transports). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, messageOf, messagesOf, type OpenAnswer, type ServerSentEvent } from '../fixtures/http-client.ts';
import { openSession, type SessionClient } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const CONFIG = { server: { sse_retry_ms: 70, keep_alive_seconds: 0.2, event_log_events: 20 } };

let server: RunningServer;
let session: SessionClient;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN], config: CONFIG });
  session = await openSession(server.url, '2025-11-25', { elicitation: {}, sampling: {} });
});
afterAll(() => server[Symbol.asyncDispose]());

const call = (name: string, values: object = {}, meta?: object) => ({
  method: 'tools/call',
  params: { name, arguments: values, ...(meta && { _meta: meta }) },
});
const count = (id: number | string, steps: number, delay_ms = 60) => ({
  id,
  ...call('wire_count', { steps, delay_ms }, { progressToken: `token-${id}` }),
});
const progressOf = (events: readonly ServerSentEvent[]) =>
  messagesOf(events)
    .filter(({ method }) => method === 'notifications/progress')
    .map(({ params }) => params.progress);
const responsesOf = (events: readonly ServerSentEvent[], id: number | string) =>
  messagesOf(events).filter((message) => message.id === id && 'result' in message);

async function take(stream: OpenAnswer, many: number): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  while (events.length < many) {
    const event = await stream.next();
    if (!event) throw new Error(`The stream ended after ${JSON.stringify(events)}.`);
    events.push(event);
  }
  return events;
}

describe('an event stream', () => {
  it('has the headers that keep proxies from holding it back', async () => {
    const { status, headers } = await session.send(count(1, 1));
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'mcp-session-id': session.id,
    });
    expect(headers['content-encoding']).toBeUndefined();
  });

  it('starts with an event of an id and no data, then one JSON message an event, the response last', async () => {
    const { events } = await session.send(count(2, 2));
    expect(events[0]).toEqual({ id: expect.stringMatching(/\S/), data: '' });
    for (const event of events.slice(1)) {
      expect(event).toMatchObject({ event: 'message', id: expect.stringMatching(/\S/) });
      expect(messageOf(event).jsonrpc).toBe('2.0');
    }
    expect(progressOf(events)).toEqual([1, 2]);
    expect(messageOf(events.at(-1))).toMatchObject({ id: 2, result: { content: [{ text: 'counted to 2' }] } });
  });

  it('spares clients before 2025-11-25 the empty event, which they cannot read', async () => {
    const old = await openSession(server.url, '2025-06-18');
    const { events } = await old.send(count(1, 1));
    expect(events.every(({ data }) => data !== '')).toBe(true);
    expect(progressOf(events)).toEqual([1]);
  });

  it('gives signs of life while nothing happens', async () => {
    const { text, headers } = await session.send({ id: 3, ...call('wire_count', { steps: 1, delay_ms: 700 }) });
    expect(headers['content-type']).toBe('text/event-stream');
    expect(text).toMatch(/^: ?keep-?alive\n\n/m);
  });

  it('begins early where an answer takes long, so that the client has an id to come back with', async () => {
    const stream = await session.open({ id: 4, ...call('wire_count', { steps: 1, delay_ms: 1000 }) });
    const [primed] = await take(stream, 1);
    stream.break();
    const resumed = await session.listen(primed?.id);
    expect(responsesOf(await resumed.rest(), 4)).toHaveLength(1);
  });

  it('carries line ends, U+2028 and three-byte letters inside one event', async () => {
    const { events } = await session.send(
      { id: 5, ...call('wire_big', { characters: 300_000 }) },
      { accept: 'text/event-stream' },
    );
    const [response] = responsesOf(events, 5);
    // Compared as one: the difference of texts that long would take minutes to find.
    expect(response.result.content[0].text === '世\n\n\n'.repeat(75_000)).toBe(true);
  });

  it('has ids that are unique in the session', async () => {
    const answers = await Promise.all([6, 7, 8].map((id) => session.send(count(id, 3, 10))));
    const ids = answers.flatMap(({ events }) => events.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a message', () => {
  it('goes on the stream of the request it belongs to, and on no other', async () => {
    const own = await session.listen();
    const [first, second] = await Promise.all([session.send(count('a', 3, 30)), session.send(count('b', 3, 30))]);
    const tokens = (events: readonly ServerSentEvent[]) =>
      messagesOf(events).map(({ params, id }) => params?.progressToken ?? id);
    expect(new Set(tokens(first.events))).toEqual(new Set(['token-a', 'a']));
    expect(new Set(tokens(second.events))).toEqual(new Set(['token-b', 'b']));
    await session.send({ id: 9, ...call('test_trigger_tool_change') });
    const events = await take(own, 3);
    expect(messagesOf(events).map(({ method }) => method)).toEqual(Array(2).fill('notifications/tools/list_changed'));
    own.break();
  });

  it('is not sent where the client takes JSON only, except a question, which needs a stream', async () => {
    const silent = await session.send({ ...count('json', 2, 10) }, { accept: 'application/json' });
    expect(silent.headers['content-type']).toBe('application/json');
    const asking = await session.open(
      { id: 'ask', ...call('test_elicitation', { message: 'Who?' }) },
      { accept: 'application/json' },
    );
    expect(asking.headers['content-type']).toBe('text/event-stream');
    const question = messagesOf(await take(asking, 2))[0];
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });
    await session.send({ id: question.id, result: { action: 'accept', content: { username: 'ann', email: 'a@example.org' } } });
    const [response] = responsesOf(await asking.rest(), 'ask');
    expect(response.result.content[0].text).toContain('"username":"ann"');
  });

  it('about progress grows, and none comes after the response', async () => {
    const { events } = await session.send({ id: 10, ...call('wire_restless', {}, { progressToken: 7 }) });
    expect(
      messagesOf(events)
        .map(({ params }) => params?.progressToken)
        .filter(Boolean),
    ).toEqual([7, 7]);
    expect(progressOf(events)).toEqual([1, 2]);
    expect(responsesOf(events, 10)).toHaveLength(1);
  });

  it('about progress is only sent to who asked for it', async () => {
    const { json } = await session.send({ id: 11, ...call('wire_count', { steps: 2, delay_ms: 5 }) });
    expect(json.result.content[0].text).toBe('counted to 2');
  });

  it('is logged from the level on that the session chose', async () => {
    const quiet = await openSession(server.url);
    const levels = async () => {
      const { events } = await quiet.send({ id: 1, ...call('wire_log') }, { accept: 'text/event-stream' });
      return messagesOf(events)
        .map(({ params }) => params?.level)
        .filter(Boolean);
    };
    await quiet.request('logging/setLevel', { level: 'error' });
    expect(await levels()).toEqual(['error', 'critical', 'alert', 'emergency']);
    await quiet.request('logging/setLevel', { level: 'debug' });
    expect(await levels()).toHaveLength(8);
  });

  it('about a resource comes to who subscribed, until it unsubscribes', async () => {
    const watcher = await openSession(server.url);
    const stream = await watcher.listen();
    const uri = 'test://watched-resource';
    const update = () => watcher.request('tools/call', { name: 'test_trigger_resource_update', arguments: {} });
    await update();
    await watcher.request('resources/subscribe', { uri });
    await update();
    await watcher.request('resources/unsubscribe', { uri });
    await update();
    await watcher.request('tools/call', { name: 'test_trigger_prompt_change', arguments: {} });
    const methods = messagesOf(await take(stream, 3)).map(({ method, params }) => params?.uri ?? method);
    expect(methods).toEqual([uri, 'notifications/prompts/list_changed']);
    expect((await watcher.request('resources/subscribe', { uri: 'test://nowhere' })).error.code).toBe(-32002);
    stream.break();
  });
});

describe('resuming', () => {
  it('brings the rest of a call that went on behind a broken connection, everything exactly once', async () => {
    const stream = await session.open(count('broken', 6, 80));
    const before = await take(stream, 3);
    stream.break();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const resumed = await session.listen(before.at(-1)?.id);
    expect(resumed.status).toBe(200);
    const after = await resumed.rest();
    expect(progressOf([...before, ...after])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(responsesOf([...before, ...after], 'broken')).toHaveLength(1);
    const ids = [...before, ...after].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('works again and again', async () => {
    let stream = await session.open(count('often', 6, 60));
    const events = await take(stream, 2);
    for (let times = 0; times < 3; times++) {
      stream.break();
      stream = await session.listen(events.at(-1)?.id);
      events.push(...(await take(stream, 1)));
    }
    events.push(...(await stream.rest()));
    expect(progressOf(events)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(responsesOf(events, 'often')).toHaveLength(1);
  });

  it('brings a response that was ready before the client came back, and then ends', async () => {
    const stream = await session.open(count('ready', 2, 40));
    const [primed] = await take(stream, 1);
    stream.break();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const events = await (await session.listen(primed?.id)).rest();
    expect(progressOf(events)).toEqual([1, 2]);
    expect(responsesOf(events, 'ready')).toHaveLength(1);
  });

  it('brings nothing of other streams', async () => {
    const stream = await session.open(count('mine', 3, 60));
    const [primed] = await take(stream, 1);
    stream.break();
    await session.send(count('other', 2, 20));
    const events = await (await session.listen(primed?.id)).rest();
    const told = messagesOf(events).map(({ params, id }) => params?.progressToken ?? id);
    expect(new Set(told)).toEqual(new Set(['token-mine', 'mine']));
  });

  it('takes the own stream up where it broke, with what came meanwhile', async () => {
    const client = await openSession(server.url);
    const stream = await client.listen();
    const [primed] = await take(stream, 1);
    stream.break();
    await client.request('tools/call', { name: 'test_trigger_prompt_change', arguments: {} });
    const resumed = await client.listen(primed?.id);
    const missed = await take(resumed, 2);
    await client.request('tools/call', { name: 'wire_resources', arguments: {} });
    const live = await take(resumed, 2);
    expect(messagesOf([...missed, ...live]).map(({ method }) => method)).toEqual([
      ...Array(2).fill('notifications/prompts/list_changed'),
      ...Array(2).fill('notifications/resources/list_changed'),
    ]);
    resumed.break();
  });

  it('is told how long to wait when the server itself drops the connection', async () => {
    const dropped = await session.send({ id: 'drop', ...call('test_reconnection') });
    expect(dropped.events).toEqual([{ id: expect.any(String), data: '' }, { retry: '70' }]);
    const events = await (await session.listen(dropped.events[0]?.id)).rest();
    expect(responsesOf(events, 'drop')).toHaveLength(1);
  });

  it('from an id of another session, of nobody, or of the future is 400', async () => {
    const other = await openSession(server.url);
    const foreign = (await other.send(count(1, 1, 10))).events[0]?.id as string;
    const future = foreign.replace(/\d+$/, '999999');
    for (const id of [foreign, future, 'nonsense', '1', '_', '%00']) {
      expect((await session.listen(id)).status, id).toBe(400);
    }
    expect((await other.listen(future)).status).toBe(400);
  });

  it('from an id that the bounded log no longer reaches is 400', async () => {
    const client = await openSession(server.url);
    const { events } = await client.send(count(1, 3, 5));
    expect((await client.listen(events[0]?.id)).status).toBe(200);
    await client.send(count(2, 30, 2));
    expect((await client.listen(events[0]?.id)).status).toBe(400);
  });

  it('is no way around the session: without or with another id it is refused', async () => {
    const { events } = await session.send(count('guarded', 1, 10));
    const headers = { accept: 'text/event-stream', 'last-event-id': events[0]?.id };
    const none = await exchange(server.url, { method: 'GET', headers });
    const unknown = await exchange(server.url, { method: 'GET', headers: { ...headers, 'mcp-session-id': 'x' } });
    expect([none.status, unknown.status]).toEqual([400, 404]);
  });
});

describe('a client that goes away', () => {
  it('does not cancel its call: that takes a notification', async () => {
    const file = join(server.home.folder, 'finished');
    const stream = await session.open({ id: 'away', ...call('wire_finish', { delay_ms: 600, file }) });
    stream.break();
    expect(existsSync(file)).toBe(false);
    await eventually(() => existsSync(file));
  });

  it('can open its own stream again: the new connection takes over from the old', async () => {
    const client = await openSession(server.url);
    const old = await client.listen();
    await take(old, 1);
    const fresh = await client.listen();
    expect(fresh.status).toBe(200);
    expect(await old.next()).toBeUndefined();
    await client.request('tools/call', { name: 'test_trigger_tool_change', arguments: {} });
    expect(messagesOf(await take(fresh, 3))).toHaveLength(2);
    fresh.break();
  });
});

describe('a server that stops', () => {
  it('ends calls that do not end themselves, tells their callers, and closes every stream with a time to come back', async () => {
    await using stopping = await startServer({
      plugins: [WIRE_PLUGIN],
      config: { server: { shutdown_grace_seconds: 0.6, sse_retry_ms: 90 } },
    });
    const client = await openSession(stopping.url);
    const own = await client.listen();
    await take(own, 1);
    const [started, stopped] = ['started', 'stopped'].map((name) => join(stopping.home.folder, name)) as [string, string];
    const waiting = await client.open({ id: 'cut', ...call('wire_wait', { started, stopped }) });
    const quick = await client.open(count('quick', 2, 150));
    await eventually(() => existsSync(started));
    stopping.child.kill('SIGTERM');
    expect(responsesOf(await quick.rest(), 'quick')).toHaveLength(1);
    const [cut] = responsesOf(await waiting.rest(), 'cut');
    expect(cut.result).toMatchObject({ isError: true });
    expect(await own.rest()).toEqual([{ retry: '90' }]);
    expect(await stopping.exit).toBe(0);
    expect(existsSync(stopped)).toBe(true);
  });
});
