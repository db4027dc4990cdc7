/** Tasks of MCP 2025-11-25 (basic/utilities/tasks). */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageOf } from '../fixtures/http-client.ts';
import { initialize, openSession, type SessionClient } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer } from '../fixtures/server.ts';
import { startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

const RELATED = 'io.modelcontextprotocol/related-task';
const accept = (content: object) => ({ action: 'accept', content });
// biome-ignore lint/suspicious/noExplicitAny: tests look into it by matching
type Answer = any;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN] });
});
afterAll(() => server[Symbol.asyncDispose]());

const slow = (seconds: number) => ({ name: 'slow_compute', arguments: { seconds, label: 'slow' } });
const callOf = (name: string, values: object = {}) => ({ name, arguments: values });
const create = (session: SessionClient, params: object, task: unknown = {}) => session.request('tools/call', { ...params, task });

describe('what a client is told of tasks', () => {
  const toldTo = async (version: string) => {
    await using client = startStdio({ plugins: [CONFORMANCE_PLUGIN] });
    const { capabilities } = (await client.request(initialize(version) as Answer)).result;
    const { tools } = (await client.request({ id: 1, method: 'tools/list' })).result;
    const executions = tools.filter(({ execution }: Answer) => execution);
    return { capabilities, executions: executions.map(({ name, execution }: Answer) => [name, execution.taskSupport]) };
  };

  it('is in the capabilities and in tools/list', async () => {
    const { capabilities, executions } = await toldTo('2025-11-25');
    expect(capabilities.tasks).toEqual({ list: {}, cancel: {}, requests: { tools: { call: {} } } });
    expect(executions).toContainEqual(['execute_command', 'optional']);
    expect(executions).toContainEqual(['failing_job', 'required']);
    expect(executions).toHaveLength(7);
  });

  it.each(['2025-06-18', '2025-03-26', '2024-11-05'])(
    'is nothing in %s, where calls and methods are as ever',
    async (version) => {
      const { capabilities, executions } = await toldTo(version);
      expect(capabilities.tasks).toBeUndefined();
      expect(executions).toEqual([]);
      const session = await openSession(server.url, version);
      expect((await create(session, callOf('greet', { name: 'Ann' }))).result.content[0].text).toBe('Hello, Ann!');
      expect((await session.request('tools/call', slow(0))).result.content[0].text).toContain('done');
      for (const method of ['tasks/get', 'tasks/list', 'tasks/result', 'tasks/cancel']) {
        expect((await session.request(method, { taskId: 'any' })).error.code).toBe(-32601);
      }
    },
  );
});

describe('a call that is to be a task', () => {
  let session: SessionClient;
  beforeAll(async () => {
    session = await openSession(server.url);
  });

  it('is one at once, and tasks/result waits for its result', async () => {
    const { task } = (await create(session, slow(0.5), { ttl: 60_000.5 })).result;
    expect(task).toEqual({
      taskId: expect.any(String),
      status: 'working',
      createdAt: expect.any(String),
      lastUpdatedAt: expect.any(String),
      ttl: 60_001,
      pollInterval: expect.any(Number),
    });
    const { taskId } = task;
    const { result } = await session.request('tasks/result', { taskId });
    expect(result).toMatchObject({ content: [{ text: 'slow: done after 0.5 s.' }], _meta: { [RELATED]: { taskId } } });
    expect((await session.request('tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'completed' });
    expect((await session.request('tasks/list')).result.tasks).toContainEqual(
      expect.objectContaining({ taskId, status: 'completed' }),
    );
    // Who was not there in time gets it too.
    expect((await session.request('tasks/result', { taskId })).result).toEqual(result);
  });

  it('must agree with what the tool says', async () => {
    expect((await create(session, callOf('greet', { name: 'Ann' }))).error.code).toBe(-32601);
    expect((await session.request('tools/call', callOf('failing_job'))).error.code).toBe(-32601);
    expect((await create(session, slow(0), 7)).error.code).toBe(-32602);
    expect((await create(session, callOf('no_such_tool'))).error.code).toBe(-32602);
    expect((await session.request('tools/call', slow(0))).result.content[0].text).toContain('done');
  });

  it('has failed when its tool says so, and gives the result that says it', async () => {
    const { taskId } = (await create(session, callOf('failing_job'))).result.task;
    const { result } = await session.request('tasks/result', { taskId });
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('The job failed.') }] });
    expect((await session.request('tasks/get', { taskId })).result.status).toBe('failed');
  });

  it('ends when it is cancelled, whoever waits for its result, and only once', async () => {
    const { taskId } = (await create(session, slow(60))).result.task;
    const waiting = session.request('tasks/result', { taskId });
    expect((await session.request('tasks/cancel', { taskId })).result).toMatchObject({ taskId, status: 'cancelled' });
    expect((await waiting).error).toMatchObject({ data: { code: 'cancelled' } });
    expect((await session.request('tasks/cancel', { taskId })).error.code).toBe(-32602);
  });

  it('goes on when its session ends, and another session of the same client finds it', async () => {
    const passing = await openSession(server.url);
    const { taskId } = (await create(passing, slow(0.5))).result.task;
    await passing.end();
    expect((await session.request('tasks/result', { taskId })).result.content[0].text).toContain('done');
  });

  it('is told of on the stream of its session, and of no other', async () => {
    const own = await openSession(server.url);
    const [stream, others] = await Promise.all([own.listen(), session.listen()]);
    const { taskId } = (await create(own, slow(0.2))).result.task;
    let status = '';
    while (status !== 'completed') {
      const event = await stream.next();
      if (!event?.data) continue;
      const { method, params } = messageOf(event);
      expect([method, params.taskId]).toEqual(['notifications/tasks/status', taskId]);
      status = params.status;
      expect(['working', 'completed']).toContain(status);
    }
    others.break();
    expect((await others.rest()).filter(({ data }) => data)).toEqual([]);
    stream.break();
  });

  it('refuses ids and cursors that it does not know', async () => {
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      for (const taskId of [crypto.randomUUID(), '', 7, undefined]) {
        expect((await session.request(method, { taskId })).error.code).toBe(-32602);
      }
    }
    expect((await session.request('tasks/list', { cursor: 'mine' })).error.code).toBe(-32602);
  });
});

describe('a task with questions', () => {
  it('asks over stdio when its client waits for the result, with the task it belongs to', async () => {
    await using client = startStdio({ plugins: [CONFORMANCE_PLUGIN] });
    await client.request(initialize('2025-11-25', { elicitation: {} }) as Answer);
    const params = { ...callOf('confirm_delete', { filename: 'a' }), task: {} };
    const { taskId } = (await client.request({ id: 1, method: 'tools/call', params })).result.task;
    await client.next(({ method, params: told }) => method === 'notifications/tasks/status' && told.status === 'input_required');
    client.send({ id: 2, method: 'tasks/result', params: { taskId } });
    const question = await client.next(({ method }) => method === 'elicitation/create');
    expect(question.params._meta).toEqual({ [RELATED]: { taskId } });
    client.send({ id: question.id, result: accept({ confirm: true }) });
    const { result } = await client.next(({ id }) => id === 2);
    expect(result.content[0].text).toBe('a is deleted.');
  });

  it('asks what other tools ask before there is a task', async () => {
    await using client = startStdio({ plugins: [CONFORMANCE_PLUGIN] });
    await client.request(initialize('2025-11-25', { elicitation: {} }) as Answer);
    const params = { ...callOf('test_tool_with_task'), task: {} };
    const { taskId } = (await client.request({ id: 1, method: 'tools/call', params })).result.task;
    client.send({ id: 2, method: 'tasks/result', params: { taskId } });
    const question = await client.next(({ method }) => method === 'elicitation/create');
    client.send({ id: question.id, result: accept({ name: 'Ann' }) });
    expect((await client.next(({ id }) => id === 2)).result.content[0].text).toBe('Hello, Ann!');
  });

  it('is led to its end over HTTP by the SDK, which knows nothing of ours', async () => {
    const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const field = Object.keys((params as Answer).requestedSchema.properties)[0] as string;
      return { action: 'accept' as const, content: { [field]: params.message.includes('first') ? 'Ann' : 'Bea' } };
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)) as Answer);
    try {
      await client.listTools();
      const seen: string[] = [];
      const stream = client.experimental.tasks.callToolStream(callOf('multi_input') as Answer, CallToolResultSchema, {
        task: {},
      });
      let last: Answer;
      for await (const message of stream) {
        seen.push(message.type);
        last = message;
      }
      expect(seen[0]).toBe('taskCreated');
      expect(last).toMatchObject({ type: 'result', result: { content: [{ text: 'Ann and Bea' }] } });
    } finally {
      await client.close();
    }
  });

  it('stays when its client goes away, and may be answered through another session', async () => {
    const passing = await openSession(server.url, '2025-11-25', { elicitation: {} });
    const { taskId } = (await create(passing, callOf('confirm_delete', { filename: 'a' }))).result.task;
    await passing.end();
    const deaf = await openSession(server.url);
    await eventually(async () => (await deaf.request('tasks/get', { taskId })).result.status === 'input_required');
    // Who cannot be asked waits for the answer of somebody else.
    const waiting = deaf.request('tasks/result', { taskId });
    const session = await openSession(server.url, '2025-11-25', { elicitation: {} });
    const stream = await session.open({ id: 1, method: 'tasks/result', params: { taskId } });
    let question: Answer;
    while (question?.method !== 'elicitation/create') {
      const event = await stream.next();
      if (event?.data) question = messageOf(event);
    }
    await session.send({ id: question.id, result: { action: 'decline' } });
    expect((await waiting).result.content[0].text).toBe('a is kept.');
    stream.break();
  });
});
