/** Sessions that go on when the server is killed and started again. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exchange, messagesOf, type OpenAnswer, type ServerSentEvent } from '../fixtures/http-client.ts';
import { openSession, type SessionClient } from '../fixtures/mcp-http.ts';
import { type RestartingServer, startRestartingServer } from '../fixtures/restarting-server.ts';
import { CONFORMANCE_PLUGIN, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const RESTART_PLUGIN = join(import.meta.dirname, '../fixtures/restart-plugin.ts');
const OPTIONS = { plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN, RESTART_PLUGIN] };

let server: RestartingServer;
beforeAll(async () => {
  server = await startRestartingServer(OPTIONS);
});
afterAll(() => server[Symbol.asyncDispose]());

const call = (name: string, values: object = {}, meta?: object) => ({
  method: 'tools/call',
  params: { name, arguments: values, ...(meta && { _meta: meta }) },
});
const changePrompts = (session: SessionClient) => session.request('tools/call', call('test_trigger_prompt_change').params);

async function restart(options?: Parameters<RestartingServer['start']>[0]): Promise<void> {
  await server.stop();
  await server.start(options);
}

async function take(stream: OpenAnswer, many: number): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  while (events.length < many) {
    const event = await stream.next();
    if (!event) throw new Error(`The stream ended after ${JSON.stringify(events)}.`);
    events.push(event);
  }
  return events;
}

const methodsOf = (events: readonly ServerSentEvent[]) => messagesOf(events).map(({ method }) => method);

describe('after kill -9 and a new start a session', () => {
  let session: SessionClient;
  beforeEach(async () => {
    session = await openSession(server.url);
  });

  it('answers as if nothing had happened', async () => {
    await restart();
    expect((await session.request('ping')).result).toEqual({});
    expect((await session.request('tools/call', call('test_simple_text').params)).result.content).toHaveLength(1);
    expect((await session.end()).status).toBe(204);
    expect((await session.send({ id: 1, method: 'ping' })).status).toBe(404);
  });

  it('keeps the log level and the subscriptions of its client', async () => {
    const uri = 'test://watched-resource';
    await session.request('logging/setLevel', { level: 'error' });
    await session.request('resources/subscribe', { uri });
    await restart();
    const { events } = await session.send({ id: 1, ...call('wire_log') }, { accept: 'text/event-stream' });
    const levels = messagesOf(events).map(({ params }) => params?.level);
    expect(levels.filter(Boolean)).toEqual(['error', 'critical', 'alert', 'emergency']);
    const stream = await session.listen();
    await session.request('tools/call', call('test_trigger_resource_update').params);
    const [told] = messagesOf(await take(stream, 2));
    expect(told).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
    stream.break();
  });

  it('keeps its revision, also when the new server offers an older one', async () => {
    await restart({ ...OPTIONS, config: { server: { version: '2025-06-18' } } });
    expect((await session.request('ping')).result).toEqual({});
    expect((await openSession(server.url)).id).not.toBe(session.id);
    await restart(OPTIONS);
    expect((await session.request('ping')).result).toEqual({});
  });

  it('ends once for good', async () => {
    await session.end();
    await restart();
    expect((await session.send({ id: 1, method: 'ping' })).status).toBe(404);
  });

  it('is known to many requests at once', async () => {
    await restart();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => session.send({ id, method: 'ping' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('cannot be guessed, and nothing can be made up in its place', async () => {
    await restart();
    const almost = `${session.id.slice(0, -1)}${session.id.endsWith('0') ? '1' : '0'}`;
    for (const id of [almost, session.id.toUpperCase(), "' OR 1=1 --", '%', '']) {
      const headers = { ...session.headers, 'mcp-session-id': id };
      const { status } = await exchange(server.url, {
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body: { jsonrpc: '2.0', id: 1, method: 'ping' },
      });
      expect(status, id).toBe(404);
    }
  });
});

describe('an event stream that the death of the server broke', () => {
  it('is resumed with everything exactly once, and ids go on', async () => {
    const session = await openSession(server.url);
    let stream = await session.listen();
    const events = await take(stream, 1);
    for (let life = 0; life < 3; life++) {
      await changePrompts(session);
      events.push(...(await take(stream, 1)));
      // The rest of this life is not read by anyone before the server dies.
      await server.stop();
      await server.start();
      stream = await session.listen(events.at(-1)?.id);
      events.push(...(await take(stream, 1)));
      await changePrompts(session);
      events.push(...(await take(stream, 2)));
    }
    stream.break();
    expect(methodsOf(events)).toEqual(Array(12).fill('notifications/prompts/list_changed'));
    const ids = events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('loses and doubles nothing, at whatever moment the server dies', async () => {
    const session = await openSession(server.url);
    let stream = await session.listen();
    const events = await take(stream, 1);
    let acknowledged = 0;
    let uncertain = 0;
    for (let life = 0; life < 4; life++) {
      const dying = new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60)).then(() => server.stop());
      const reading = stream.rest();
      for (let alive = true; alive; ) {
        const answer = await changePrompts(session).catch(() => undefined);
        alive = answer !== undefined;
        if (alive) acknowledged++;
        else uncertain++;
      }
      await dying;
      events.push(...(await reading));
      await server.start();
      stream = await session.listen(events.at(-1)?.id);
    }
    await changePrompts(session);
    acknowledged++;
    await session.end();
    events.push(...(await stream.rest()));
    // Each call changes the list twice, and the stream tells when to come back as it ends.
    const heard = methodsOf(events).length;
    expect(heard).toBeGreaterThanOrEqual(2 * acknowledged);
    expect(heard).toBeLessThanOrEqual(2 * (acknowledged + uncertain));
    expect(acknowledged).toBeGreaterThan(4);
    const sequences = events.flatMap(({ id }) => (id === undefined ? [] : Number(id.split('_').at(-1))));
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
  });

  it('brings what was ready before the server died and the client had not read', async () => {
    const session = await openSession(server.url);
    const stream = await session.open({ id: 'long', ...call('wire_count', { steps: 4, delay_ms: 30 }, { progressToken: 1 }) });
    const [primed] = await take(stream, 1);
    stream.break();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await restart();
    const events = await (await session.listen(primed?.id)).rest();
    const progress = messagesOf(events).flatMap(({ params }) => params?.progress ?? []);
    expect(progress).toEqual([1, 2, 3, 4]);
    expect(messagesOf(events).at(-1)).toMatchObject({ id: 'long', result: { content: [{ text: 'counted to 4' }] } });
  });

  it.each([
    ['restart_once', false],
    ['restart_idempotent', true],
  ])('ends a call of %s with an error that says whether to try again', async (tool, safe) => {
    const session = await openSession(server.url);
    const file = join(server.home.folder, `began-${tool}`);
    const stream = await session.open({ id: 7, ...call(tool, { file, delay_ms: 60_000 }) });
    const [primed] = await take(stream, 1);
    await eventually(() => existsSync(file));
    await restart();
    const events = await (await session.listen(primed?.id)).rest();
    const [response, ...more] = messagesOf(events);
    expect(more).toEqual([]);
    expect(response).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: {
        code: -32603,
        message: expect.stringContaining('outcome is unknown'),
        data: { code: 'unavailable', outcome: 'unknown', safe_to_retry: safe },
      },
    });
    await restart();
    const again = await (await session.listen(primed?.id)).rest();
    expect(again).toEqual(events);
    expect(readFileSync(file, 'utf8')).toBe('began\n');
  });

  it('is refused from where the log no longer reaches', async () => {
    await restart({ ...OPTIONS, config: { server: { event_log_events: 16 } } });
    const session = await openSession(server.url);
    const { events } = await session.send({ id: 1, ...call('wire_count', { steps: 3, delay_ms: 2 }, { progressToken: 1 }) });
    await session.send({ id: 2, ...call('wire_count', { steps: 40, delay_ms: 1 }, { progressToken: 2 }) });
    await restart(OPTIONS);
    expect((await session.listen(events[0]?.id)).status).toBe(400);
  });
});

describe('a client that was away while the server restarted', () => {
  it('hears that tools are gone or new', async () => {
    const session = await openSession(server.url);
    const stream = await session.listen();
    const [primed] = await take(stream, 1);
    await restart({ ...OPTIONS, config: { tools: { disabled: ['search_files'] } } });
    const resumed = await session.listen(primed?.id);
    expect(methodsOf(await take(resumed, 1))).toEqual(['notifications/tools/list_changed']);
    resumed.break();
    await restart(OPTIONS);
  });

  it('hears once of a change that came while nobody had asked for its session', async () => {
    const uri = 'test://watched-resource';
    const away = await openSession(server.url);
    await away.request('resources/subscribe', { uri });
    const stream = await away.listen();
    const [primed] = await take(stream, 1);
    await restart();
    const other = await openSession(server.url);
    for (let times = 0; times < 3; times++) await other.request('tools/call', call('test_trigger_resource_update').params);
    const resumed = await away.listen(primed?.id);
    await changePrompts(other);
    expect(methodsOf(await take(resumed, 2))).toEqual(['notifications/resources/updated', 'notifications/prompts/list_changed']);
    resumed.break();
  });
});

describe('the store of sessions', () => {
  const rows = (table: string) => {
    using database = new DatabaseSync(join(server.state, 'sessions.db'), { readOnly: true });
    return database.prepare(`SELECT * FROM ${table}`).all();
  };

  it('is readable by its owner only', () => {
    expect(statSync(join(server.state, 'sessions.db')).mode & 0o777).toBe(0o600);
    expect(statSync(server.state).mode & 0o777).toBe(0o700);
  });

  it('is not written by calls that are answered as JSON', async () => {
    const session = await openSession(server.url);
    const size = () => statSync(join(server.state, 'sessions.db-wal')).size;
    const before = [size(), rows('events').length, rows('streams').length];
    for (let id = 0; id < 50; id++) {
      const { headers } = await session.send({ id, ...call('test_simple_text') });
      expect(headers['content-type']).toBe('application/json');
    }
    expect([size(), rows('events').length, rows('streams').length]).toEqual(before);
  });

  it('keeps nothing of a session that was ended while a call ran', async () => {
    const session = await openSession(server.url);
    const stream = await session.open({ id: 1, ...call('wire_count', { steps: 20, delay_ms: 30 }, { progressToken: 1 }) });
    await take(stream, 2);
    await session.end();
    await stream.rest();
    await new Promise((resolve) => setTimeout(resolve, 700));
    for (const table of ['streams', 'events']) {
      expect(rows(table).filter((row) => row.session === session.id)).toEqual([]);
    }
    expect(rows('sessions').filter((row) => row.id === session.id)).toEqual([]);
  });

  it('holds no more sessions than allowed, and none that has been idle for too long', async () => {
    const many = [];
    for (let count = 0; count < 6; count++) many.push(await openSession(server.url));
    await restart({ ...OPTIONS, config: { server: { max_sessions: 4 } } });
    const statuses = await Promise.all(many.map(async (each) => (await each.send({ id: 1, method: 'ping' })).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    await server.stop();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await server.start({ ...OPTIONS, config: { server: { session_idle_seconds: 0.5 } } });
    expect((await (many.at(-1) as SessionClient).send({ id: 1, method: 'ping' })).status).toBe(404);
    expect(rows('sessions')).toEqual([]);
    await restart(OPTIONS);
  });

  it('that cannot be used costs the survival of sessions, not the server', async () => {
    await server.stop();
    const path = join(server.state, 'sessions.db');
    for (const rest of ['-wal', '-shm']) rmSync(`${path}${rest}`, { force: true });
    writeFileSync(path, 'this is no database, but long enough to be looked at as if it were one'.repeat(99));
    await server.start();
    const session = await openSession(server.url);
    expect((await session.request('ping')).result).toEqual({});
    expect(server.errors).toContain('Sessions do not survive');
  });
});
