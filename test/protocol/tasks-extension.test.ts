/** The Tasks extension of MCP 2026-07-28 (SEP-2663), beyond what the conformance scenarios look at. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysFolder } from '../../src/identity/key-record.ts';
import { openKeyStore } from '../../src/identity/key-store.ts';
import { exchange, messageOf, type OpenAnswer, open } from '../fixtures/http-client.ts';
import { initialize, openSession, stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer } from '../fixtures/server.ts';
import { startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

const EXTENSION = 'io.modelcontextprotocol/tasks';
const TASKS = { elicitation: {}, extensions: { [EXTENSION]: {} } };
const accept = (content: object) => ({ action: 'accept', content });
// biome-ignore lint/suspicious/noExplicitAny: tests look into it by matching
type Answer = any;

const folder = mkdtempSync(join(tmpdir(), 'mcp-python-mcp-tasks-'));
const rules = [{ verdict: 'ask', command: 'touch', reason: 'touching is delicate' }];
let server: RunningServer;
beforeAll(async () => {
  const config = { state: { directory: folder }, execution: { security: { rules } } };
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN], config });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function send(method: string, params: object, capabilities: object = TASKS, headers: object = {}): Promise<Answer> {
  return (
    await exchange(server.url, stateless(method, params as Record<string, unknown>, { capabilities, headers: { ...headers } }))
  ).json;
}
const call = async (name: string, values: object = {}, more: object = {}) =>
  (await send('tools/call', { name, arguments: values, ...more })).result;
const get = async (taskId: string) => (await send('tasks/get', { taskId })).result;

async function reaches(taskId: string, status: string): Promise<Answer> {
  let task: Answer;
  await eventually(async () => {
    task = await get(taskId);
    return task.status === status;
  }, 10_000);
  return task;
}

const slow = { seconds: 60, label: 'slow' };

describe('a call of a client that declares the extension', () => {
  it('is a task once it takes its time, and the task has its result', async () => {
    const created = await call('execute_command', { command: 'sleep 0.6; echo done' });
    expect(created).toEqual({
      resultType: 'task',
      taskId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'working',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastUpdatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      ttlMs: expect.any(Number),
      pollIntervalMs: expect.any(Number),
      _meta: expect.objectContaining({ 'io.modelcontextprotocol/serverInfo': expect.anything() }),
    });
    const { resultType, result } = await reaches(created.taskId, 'completed');
    expect(resultType).toBe('complete');
    expect(result).toMatchObject({ content: [{ text: 'done' }], structuredContent: { exit_code: 0 } });
  });

  it('is a plain call when it is over at once, and leaves no task behind', async () => {
    const session = await openSession(server.url);
    const count = async () => (await session.request('tasks/list')).result.tasks.length;
    // On a busy machine it may not be quick enough the first time.
    await eventually(async () => {
      const before = await count();
      const result = await call('slow_compute', { seconds: 0, label: 'quick' });
      if (result.resultType === 'task') return false;
      expect(result).toMatchObject({ resultType: 'complete', content: [{ text: 'quick: done after 0 s.' }] });
      expect(await count()).toBe(before);
      return true;
    });
  });

  it('says what is wrong with its arguments, as any call does', async () => {
    expect(await call('execute_command', { comand: 'true' })).toMatchObject({
      resultType: 'complete',
      isError: true,
      content: [{ text: expect.stringContaining('did you mean "command"?') }],
    });
    expect((await send('tools/call', { name: 'execute_comand', arguments: {} })).error.code).toBe(-32602);
  });

  it('is the same task when it is sent again under its idempotency key, and refused for another call', async () => {
    const again = (values: object) =>
      exchange(
        server.url,
        stateless(
          'tools/call',
          { name: 'slow_compute', arguments: values },
          { capabilities: TASKS, meta: { 'mcp-python/idempotency-key': 'once' } },
        ),
      );
    const first = (await again(slow)).json.result;
    expect((await again(slow)).json.result.taskId).toBe(first.taskId);
    expect((await again({ ...slow, seconds: 1 })).json.error.data).toMatchObject({ code: 'conflict' });
    await send('tasks/cancel', { taskId: first.taskId });
  });
});

describe('a call of a client that does not declare it', () => {
  it('is a plain call, however long it takes', async () => {
    const { result } = await send('tools/call', { name: 'execute_command', arguments: { command: 'sleep 0.6; echo done' } }, {});
    expect(result).toMatchObject({ resultType: 'complete', content: [{ text: 'done' }] });
  });

  it('is refused with -32021 where the tool must be a task, and so are the methods of the extension', async () => {
    const data = { requiredCapabilities: { extensions: { [EXTENSION]: {} } } };
    expect((await send('tools/call', { name: 'failing_job', arguments: {} }, {})).error).toMatchObject({ code: -32021, data });
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      expect((await send(method, { taskId: 'any' }, { extensions: {} })).error).toMatchObject({ code: -32021, data });
    }
    const listen = await send('subscriptions/listen', { notifications: { taskIds: ['any'] } }, {});
    expect(listen.error).toMatchObject({ code: -32021, data });
  });
});

describe('a task', () => {
  it('of another principal is not there', async () => {
    const store = openKeyStore(keysFolder(folder));
    const { text } = await store.create({ name: 'other', scopes: ['tools:read', 'tools:execute'] });
    const other = { authorization: `Bearer ${text}` };
    const { taskId } = await call('slow_compute', slow);
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const theirs = (await send(method, { taskId, inputResponses: {} }, TASKS, other)).error;
      const nobodys = (await send(method, { taskId: crypto.randomUUID() }, TASKS, other)).error;
      expect(theirs.code).toBe(-32602);
      expect(theirs.message.replaceAll(taskId, '')).toBe(nobodys.message.replace(/[0-9a-f-]{36}/g, ''));
    }
    const request = stateless(
      'subscriptions/listen',
      { notifications: { taskIds: [taskId] } },
      { capabilities: TASKS, headers: other },
    );
    const stream = await open(server.url, request);
    expect(messageOf(await stream.next()).params.notifications).toEqual({ taskIds: [] });
    stream.break();
    expect((await get(taskId)).status).toBe('working');
    await send('tasks/cancel', { taskId });
  });

  it('that is cancelled ends its command with everything that it started', async () => {
    const mark = 'still-there';
    const { taskId } = await call('execute_command', { command: `sleep 1; (sleep 1; echo > ${mark}) & wait` });
    expect(await send('tasks/cancel', { taskId })).toMatchObject({ result: { resultType: 'complete' } });
    expect(await get(taskId)).toMatchObject({ status: 'cancelled' });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(existsSync(join(server.home.folder, mark))).toBe(false);
  });

  it('that asks waits for leave, and goes on with the answer', async () => {
    const created = await call('execute_command', { command: 'touch asked-for' });
    expect(created).toMatchObject({ resultType: 'task', status: 'input_required' });
    const { inputRequests } = await get(created.taskId);
    const [[key, question]] = Object.entries<Answer>(inputRequests) as [[string, Answer]];
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: expect.stringContaining('delicate') } });
    // Neither an answer to something else nor one that is none changes anything.
    for (const inputResponses of [{ other: accept({}) }, { [key]: { action: 'maybe' } }]) {
      const { result } = await send('tasks/update', { taskId: created.taskId, inputResponses });
      expect(Object.keys(result).sort()).toEqual(['_meta', 'resultType']);
    }
    expect((await get(created.taskId)).status).toBe('input_required');
    expect(existsSync(join(server.home.folder, 'asked-for'))).toBe(false);
    await send('tasks/update', { taskId: created.taskId, inputResponses: { [key]: accept({ decision: 'once' }) } });
    expect((await reaches(created.taskId, 'completed')).result.isError).toBeFalsy();
    expect(existsSync(join(server.home.folder, 'asked-for'))).toBe(true);
  });

  it('whose client cannot be asked completes with the refusal', async () => {
    const capabilities = { extensions: TASKS.extensions };
    const { result } = await send('tools/call', { name: 'confirm_delete', arguments: { filename: 'a' } }, capabilities);
    expect(result).toMatchObject({
      resultType: 'complete',
      isError: true,
      content: [{ text: expect.stringContaining('[unsupported]') }],
    });
  });
});

describe('subscriptions/listen', () => {
  const tasksOf = async (stream: OpenAnswer, until: string) => {
    const told: Answer[] = [];
    while (told.at(-1)?.params.status !== until) told.push(messageOf(await stream.next()));
    return told;
  };

  it('tells how a task is, and every change of it, in the words of tasks/get', async () => {
    const { taskId } = await call('multi_input');
    const listen = { notifications: { taskIds: [taskId, crypto.randomUUID(), 7] } };
    const stream = await open(server.url, stateless('subscriptions/listen', listen, { id: 'sub', capabilities: TASKS }));
    const tag = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
    expect(messageOf(await stream.next())).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { taskIds: [taskId] }, _meta: tag },
    });
    const [asks] = await tasksOf(stream, 'input_required');
    expect(asks.params).toMatchObject({ taskId, inputRequests: { first: {}, second: {} }, _meta: tag });
    const inputResponses = { first: accept({ name: 'Ann' }), second: accept({ name: 'Bea' }) };
    await send('tasks/update', { taskId, inputResponses });
    const told = await tasksOf(stream, 'completed');
    expect(told.every(({ method }) => method === 'notifications/tasks')).toBe(true);
    const { _meta, ...last } = told.at(-1).params;
    const { _meta: ours, resultType, ...now } = await get(taskId);
    expect([_meta, last]).toEqual([tag, now]);
    stream.break();
  });
});

describe('over stdio', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': TASKS,
  };

  it('a task asks, is answered, and tells its end', async () => {
    await using client = startStdio({ plugins: [CONFORMANCE_PLUGIN] });
    let lastId = 0;
    const request = async (method: string, params: object) =>
      (await client.request({ id: ++lastId, method, params: { ...params, _meta: meta } })).result;
    const { taskId } = await request('tools/call', { name: 'confirm_delete', arguments: { filename: 'a' } });
    client.send({ id: 'sub', method: 'subscriptions/listen', params: { notifications: { taskIds: [taskId] }, _meta: meta } });
    await client.next(({ params }) => params?.status === 'input_required');
    await request('tasks/update', { taskId, inputResponses: { confirm: accept({ confirm: true }) } });
    const { params } = await client.next(({ params: told }) => told?.status === 'completed');
    expect(params.result.content[0].text).toBe('a is deleted.');
  });

  it('a call that is cancelled before its client was told of the task leaves nothing running', async () => {
    await using client = startStdio({ plugins: [CONFORMANCE_PLUGIN] });
    const params = { name: 'slow_compute', arguments: slow, _meta: meta };
    client.send({ id: 1, method: 'tools/call', params }, { method: 'notifications/cancelled', params: { requestId: 1 } });
    await client.request({ ...initialize(), id: 2 });
    await eventually(async () => {
      const { tasks } = (await client.request({ id: 3, method: 'tasks/list' })).result;
      return tasks.length === 1 && tasks[0].status === 'cancelled';
    });
    expect(client.received.filter(({ id }) => id === 1)).toEqual([]);
  });

  it('no server runs the task of another that was started elsewhere, though they share their state', async () => {
    await using first = startStdio({});
    const elsewhere = join(first.home.folder, 'elsewhere');
    mkdirSync(elsewhere);
    await using second = startStdio({ home: first.home, config: { execution: { workspace: elsewhere } } });
    for (const [client, place] of [
      [first, first.home.folder],
      [second, elsewhere],
    ] as const) {
      let lastId = 0;
      const request = async (method: string, params: object) =>
        (await client.request({ id: ++lastId, method, params: { ...params, _meta: meta } })).result;
      const { taskId } = await request('tools/call', { name: 'execute_command', arguments: { command: 'sleep 0.4; pwd' } });
      let task: Answer;
      await eventually(async () => {
        task = await request('tasks/get', { taskId });
        return task.status === 'completed';
      });
      expect(task.result.structuredContent.stdout.trim()).toBe(place);
    }
  });
});
