import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/orchestrator/pool.ts';
import { type StdioClient, startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

const PLUGIN = join(import.meta.dirname, '../fixtures/deadly-plugin.ts');
const folder = mkdtempSync(join(tmpdir(), 'mcp-python-agents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let client: StdioClient;
let last = 0;

async function start(orchestrator: object = {}): Promise<void> {
  client = startStdio({ plugins: [PLUGIN], config: { orchestrator: { health_check_interval: 1, ...orchestrator } } });
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } };
  await client.request({ id: ++last, method: 'initialize', params });
}

async function call(name: string, values: object = {}) {
  const { result } = await client.request({ id: ++last, method: 'tools/call', params: { name, arguments: values } });
  return result;
}

async function status(): Promise<{ agents: AgentStatus[]; queued: number }> {
  const { result } = await client.request({ id: ++last, method: 'resources/read', params: { uri: 'agents://status' } });
  return JSON.parse(result.contents[0].text);
}

const newFile = () => join(folder, `runs-${++last}`);
const runs = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
const told = async (name: string) => (await call(name)).structuredContent.told as string;

beforeEach(() => start());
afterEach(() => client[Symbol.asyncDispose]());

describe('an agent', () => {
  it('is started with the first call, and not before', async () => {
    expect((await status()).agents).toEqual([]);
    await told('which_agent');
    const { agents } = await status();
    expect(agents).toMatchObject([{ id: 'agent-1', state: 'ready', calls: 1, running: 0, restarts: 0 }]);
  });

  it('has its state told with lag and heap after a check', async () => {
    await told('which_agent');
    await eventually(async () => (await status()).agents[0]?.health !== undefined);
    const [agent] = (await status()).agents;
    expect(agent?.health?.heapUsedBytes).toBeGreaterThan(1_000_000);
    expect(agent?.health?.eventLoopLagMs).toBeGreaterThanOrEqual(0);
  });

  it('that prints does so on stderr: stdout is for the protocol', async () => {
    expect((await call('print')).structuredContent).toEqual({ told: 'told' });
    await eventually(() => client.errors.includes('printed') && client.errors.includes('written'));
    expect(client.lines.filter((line) => !line.startsWith('{'))).toEqual([]);
  });

  it.each(['crash', 'exit', 'heap', 'spin'])('that dies (%s) is replaced, and its call is told as lost', async (how) => {
    await client[Symbol.asyncDispose]();
    await start({ agent_heap: '64MiB' });
    const file = newFile();
    const result = await call('die', { file, how });
    expect(result.isError).toBe(true);
    expect(result._meta['mcp-python/failure']).toMatchObject({ code: 'agent_lost' });
    expect(runs(file)).toBe(1);
    expect(await told('which_agent')).toMatch(/^\d+$/);
    const { agents } = await status();
    expect(agents.reduce((sum, { restarts }) => sum + restarts, 0)).toBe(1);
    expect(agents.find(({ restarts }) => restarts === 1)?.lastEnd).toBeTruthy();
  });

  it('that dies of an idempotent call has it run again, three times in all', async () => {
    const file = newFile();
    const result = await call('die_harmlessly', { file, how: 'exit' });
    expect(result._meta['mcp-python/failure']).toMatchObject({ code: 'agent_lost', details: { attempts: 3 } });
    expect(runs(file)).toBe(3);
  });

  it('that hangs keeps no other call from its answer', async () => {
    const hanging = call('die', { file: newFile(), how: 'spin' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => told('which_agent')));
    expect(answers).toHaveLength(10);
    expect((await hanging).isError).toBe(true);
  });

  it('takes its commands with it', async () => {
    await client[Symbol.asyncDispose]();
    await start({ agent_count: 1, max_agents: 1 });
    await told('which_agent');
    const beats = join(client.home.folder, 'beats');
    const beating = call('execute_command', { command: 'while :; do echo beat >> beats; sleep 0.05; done', timeout: 40 });
    await eventually(() => existsSync(beats));
    await call('die', { file: newFile(), how: 'exit' });
    expect((await beating)._meta['mcp-python/failure']).toMatchObject({ code: 'agent_lost' });
    await eventually(async () => {
      const before = statSync(beats).size;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return statSync(beats).size === before;
    });
  });

  it('whose call does not heed its cancellation is replaced once it has nothing else to do', async () => {
    const file = newFile();
    const id = ++last;
    client.send({ id, method: 'tools/call', params: { name: 'deaf', arguments: { file } } });
    await eventually(() => runs(file) === 1);
    client.send({ method: 'notifications/cancelled', params: { requestId: id } });
    await eventually(async () => (await status()).agents.some(({ restarts }) => restarts === 1), 15_000);
  });
});

describe('the pool', () => {
  it('has several agents share what comes at once', async () => {
    const file = newFile();
    const ids = Array.from({ length: 6 }, () => ++last);
    const send = (id: number) => client.send({ id, method: 'tools/call', params: { name: 'linger', arguments: { file } } });
    // Two at once: a second agent is wanted.
    for (const id of ids.slice(0, 2)) send(id);
    await eventually(async () => (await status()).agents.filter(({ state }) => state === 'ready').length === 2);
    for (const id of ids.slice(2)) send(id);
    await eventually(async () => {
      const loads = (await status()).agents.map(({ running }) => running);
      return loads.filter((load) => load > 1).length > 1 && loads.reduce((sum, load) => sum + load) === 6;
    });
    for (const requestId of ids) client.send({ method: 'notifications/cancelled', params: { requestId } });
    await eventually(async () => (await status()).agents.every(({ running }) => running === 0));
  });

  it('grows past its count when calls wait, and shrinks when there is nothing to do', async () => {
    await client[Symbol.asyncDispose]();
    await start({ agent_count: 1, max_agents: 3, max_concurrent_tasks: 1, agent_idle_time: 1 });
    const file = newFile();
    const ids = Array.from({ length: 4 }, () => ++last);
    for (const id of ids) client.send({ id, method: 'tools/call', params: { name: 'linger', arguments: { file } } });
    await eventually(async () => {
      const { agents, queued } = await status();
      return agents.length === 3 && queued === 1;
    });
    for (const requestId of ids) client.send({ method: 'notifications/cancelled', params: { requestId } });
    await eventually(async () => (await status()).agents.length === 1, 20_000);
  });
});

describe('what a call wishes for in its _meta', () => {
  const submit = async (file: string, meta: object) => {
    const params = { name: 'count', arguments: { file }, _meta: meta };
    return client.request({ id: ++last, method: 'tools/call', params });
  };

  it('is to run once under its idempotency key, whichever agent would have run it again', async () => {
    const file = newFile();
    const meta = { 'mcp-python/idempotency-key': 'deploy-7' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => submit(file, meta)));
    expect(answers.map(({ result }) => result.isError ?? false)).toEqual(Array(5).fill(false));
    expect(runs(file)).toBe(1);
  });

  it.each([{ 'mcp-python/priority': 'soon' }, { 'mcp-python/idempotency-key': '' }])(
    'is refused when it makes no sense: %j',
    async (meta) => {
      const { error } = await submit(newFile(), meta);
      expect(error).toMatchObject({ code: -32602 });
    },
  );
});
