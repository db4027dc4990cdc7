import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { run, temporaryFolder } from './run-program.ts';

let server: RunningServer;
const agents = (...args: string[]) => run(['agents', ...args], { env: server.home.environment });
const listed = async () => JSON.parse((await agents('ls', '--json')).stdout).agents as { id: string; restarts: number }[];

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('agents', () => {
  it('without a server says so, and how to start one', async () => {
    const { status, stdout, stderr } = await run(['agents', 'ls'], { env: { XDG_STATE_HOME: temporaryFolder() } });
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toContain('mcp-python serve');
  });

  it('are none until there is work', async () => {
    const { status, stdout, stderr } = await agents('ls');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('No agent is started yet');
  });

  it('scale to so many, and each is shown with its load, restarts, lag and heap', async () => {
    expect((await agents('scale', '3')).status).toBe(0);
    await eventually(async () => (await listed()).length === 3, 10_000);
    const { stdout } = await agents('ls');
    expect(stdout.split('\n')[0]).toMatch(/AGENT +STATE +LOAD +CALLS +FAILED +RESTARTS +LAG +HEAP +LAST END/);
    expect(stdout.match(/^agent-\d/gm)).toHaveLength(3);
  });

  it('restart one by its name', async () => {
    expect((await agents('restart', 'agent-2')).status).toBe(0);
    expect((await listed()).find(({ id }) => id === 'agent-2')?.restarts).toBe(1);
  });

  it('drain one by its name', async () => {
    expect((await agents('drain', 'agent-3')).status).toBe(0);
    await eventually(async () => (await listed()).every(({ id }) => id !== 'agent-3'), 10_000);
  });

  it.each([
    [['restart', 'agent-77'], 6, 'agent-77'],
    [['scale', '1000'], 2, 'orchestrator.max_agents'],
    [['scale', 'many'], 2, '1 to 8'],
  ])('%j is refused with the reason', async (args, status, words) => {
    const ended = await agents(...args);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain(words);
  });
});
