/** MCP tasks that go on when the server is killed in the middle and started again. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../fixtures/http-client.ts';
import { openSession, stateless } from '../fixtures/mcp-http.ts';
import { type RestartingServer, startRestartingServer } from '../fixtures/restarting-server.ts';
import { CONFORMANCE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';

const CAPABILITIES = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
// biome-ignore lint/suspicious/noExplicitAny: tests look into it by matching
type Answer = any;

/** @param softLimit seconds after which a command goes on as a job */
const options = (softLimit: number) => ({ plugins: [CONFORMANCE_PLUGIN], config: { execution: { soft_limit: softLimit } } });

let server: RestartingServer;
beforeEach(async () => {
  server = await startRestartingServer(options(1));
});
afterEach(() => server[Symbol.asyncDispose]());

async function send(method: string, params: object): Promise<Answer> {
  return (await exchange(server.url, stateless(method, { ...params }, { capabilities: CAPABILITIES }))).json.result;
}
const call = async (name: string, values: object): Promise<string> =>
  (await send('tools/call', { name, arguments: values })).taskId;

async function until(taskId: string, isEnough: (task: Answer) => boolean): Promise<Answer> {
  let task: Answer;
  await eventually(async () => {
    task = await send('tasks/get', { taskId });
    return isEnough(task);
  }, 15_000);
  return task;
}

const reaches = (taskId: string, status: string) => until(taskId, (task) => task.status === status);

async function killAndRestart(): Promise<void> {
  await server.stop('SIGKILL');
  await server.start();
}

describe('after kill -9 and a new start', () => {
  it('a task whose tool may be run again is', async () => {
    const taskId = await call('slow_compute', { seconds: 1.5, label: 'again' });
    await killAndRestart();
    const { result } = await reaches(taskId, 'completed');
    expect(result.content[0].text).toBe('again: done after 1.5 s.');
  });

  it('a command that died with the server has failed, and what is known is told', async () => {
    await server.stop();
    await server.start(options(30));
    const taskId = await call('execute_command', { command: 'echo begun >> runs; sleep 60', timeout: 30 });
    await eventually(() => existsSync(join(server.home.folder, 'runs')), 10_000);
    await killAndRestart();
    const task = await reaches(taskId, 'failed');
    expect(task.result).toBeUndefined();
    expect(task.error).toEqual({
      code: -32603,
      message: expect.stringMatching(/The process that ran it ended.*attempt 1.*Look at what it was to change/s),
      data: { code: 'agent_lost' },
    });
    expect(task.statusMessage).toBe(task.error.message);
    expect(readFileSync(join(server.home.folder, 'runs'), 'utf8')).toBe('begun\n');
  });

  it('a command that had become a job goes on, and the task ends with it', async () => {
    const command = 'echo first; echo begun >> runs; while [ ! -e finish ]; do sleep 0.1; done; echo last';
    const taskId = await call('execute_command', { command, timeout: 60 });
    await until(taskId, ({ statusMessage = '' }) => statusMessage.includes('runs as job'));
    await killAndRestart();
    await call('execute_command', { command: 'echo > finish' });
    const { result } = await reaches(taskId, 'completed');
    expect(result.structuredContent).toMatchObject({ outcome: 'exited', exit_code: 0, stdout: 'first\nlast\n' });
    expect(readFileSync(join(server.home.folder, 'runs'), 'utf8')).toBe('begun\n');
  });

  it('a question still stands, and its answer lets the task go on', async () => {
    const taskId = await call('multi_input', {});
    const accept = (name: string) => ({ action: 'accept', content: { name } });
    // On a busy machine it is a task before it asks.
    await reaches(taskId, 'input_required');
    await send('tasks/update', { taskId, inputResponses: { first: accept('Ann') } });
    await killAndRestart();
    expect(Object.keys((await send('tasks/get', { taskId })).inputRequests)).toEqual(['second']);
    await send('tasks/update', { taskId, inputResponses: { second: accept('Bea') } });
    expect((await reaches(taskId, 'completed')).result.content[0].text).toBe('Ann and Bea');
  });

  it('a session of 2025-11-25 waits for the result of a task that it created before', async () => {
    const session = await openSession(server.url);
    const params = { name: 'slow_compute', arguments: { seconds: 1.5, label: 'session' }, task: {} };
    const { taskId } = (await session.request('tools/call', params)).result.task;
    await killAndRestart();
    expect((await session.request('tasks/result', { taskId })).result.content[0].text).toContain('session: done');
  });
});
