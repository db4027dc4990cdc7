/** Jobs as clients see them: through the real program, which is killed meanwhile. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StdioClient, startStdio } from '../fixtures/stdio-client.ts';
import { eventually } from '../fixtures/waiting.ts';

// Not in the temporary folder: commands in a sandbox have one of their own.
let base: string;
beforeAll(() => {
  base = mkdtempSync(join(homedir(), '.mcp-python-test-'));
  mkdirSync(join(base, 'work'));
});
afterAll(() => rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

interface Answer {
  readonly structured: Record<string, unknown> & { readonly job?: Record<string, unknown> };
  readonly text: string;
  readonly isError: boolean;
}

interface Server extends AsyncDisposable {
  readonly client: StdioClient;
  call(tool: string, values: object): Promise<Answer>;
}

async function start(execution: object = {}): Promise<Server> {
  const client = startStdio({
    config: {
      state: { directory: join(base, 'state') },
      execution: { workspace: join(base, 'work'), soft_limit: 1, ...execution },
    },
  });
  await client.request({
    id: 'initialize',
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  });
  client.send({ method: 'notifications/initialized' });
  let last = 0;
  return {
    client,
    async call(name, values) {
      const id = `call-${++last}`;
      const { result } = await client.request({ id, method: 'tools/call', params: { name, arguments: values } });
      return { structured: result.structuredContent, text: result.content[0].text, isError: result.isError === true };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function kill({ client }: Server): Promise<void> {
  client.child.kill('SIGKILL');
  await client.exit;
}

/** Events of the audit log, oldest first. */
function audited(event: string): Record<string, unknown>[] {
  const folder = join(base, 'state', 'audit');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));
}

describe('a job', () => {
  it('goes on when its server is killed, and is read, fed and ended through another', async () => {
    await using first = await start();
    const script = 'echo begun; read -r line; echo "got $line"; sleep 60';
    const started = await first.call('execute_command', { command: script, background: true });
    expect(started.structured).toMatchObject({ outcome: 'running', exit_code: null });
    const job_id = started.structured.job_id as string;
    expect(started.text).toContain(job_id);
    await kill(first);

    await using second = await start();
    const listed = await second.call('manage_job', { operation: 'list' });
    expect(listed.structured).toMatchObject({ jobs: [{ job_id, state: 'running', command: script, stdin_open: true }] });
    const read = await second.call('manage_job', { operation: 'read', job_id });
    expect(read.structured).toMatchObject({ stdout: 'begun\n', stdout_next_offset: 6 });
    await second.call('manage_job', { operation: 'write', job_id, input: 'over there\n' });
    const waited = await second.call('manage_job', { operation: 'wait', job_id, pattern: '^got', offset: 6 });
    expect(waited.structured).toMatchObject({
      stdout: 'got over there\n',
      matched: { stream: 'stdout', line: 'got over there' },
    });
    await second.call('manage_job', { operation: 'signal', job_id, signal: 'SIGTERM' });
    const ended = await second.call('manage_job', { operation: 'wait', job_id, tail: 1 });
    expect(ended.structured).toMatchObject({ job: { state: 'exited', signal: 'SIGTERM' }, stdout: 'got over there\n' });
    expect(ended.text).toContain('exited by SIGTERM');
    const ends = audited('command_end').filter(({ stdout_bytes }) => stdout_bytes === 21);
    expect(ends).toMatchObject([{ outcome: 'exited', signal: 'SIGTERM', tool: 'execute_command' }]);
  });

  it('is held to its time limit when no server lives, and its end is told by the next one', async () => {
    await using first = await start();
    const file = join(base, 'work', 'ticks');
    const command = `while :; do echo tick >>ticks; sleep 0.05; done`;
    const { structured } = await first.call('execute_command', { command, background: true, timeout: 1.5 });
    await kill(first);
    await eventually(() => existsSync(file));
    await eventually(async () => {
      const before = readFileSync(file).byteLength;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return readFileSync(file).byteLength === before;
    }, 10_000);
    const tools = new Set(audited('command_end').map(({ outcome }) => outcome));
    expect(tools).not.toContain('timeout');
    await using second = await start();
    const status = await second.call('manage_job', { operation: 'status', job_id: structured.job_id });
    expect(status.structured).toMatchObject({ job: { state: 'timeout', signal: 'SIGTERM' } });
    expect(audited('command_end').filter(({ outcome }) => outcome === 'timeout')).toHaveLength(1);
  });

  it('is what a command becomes that passes the soft limit', async () => {
    await using server = await start();
    const { structured, text } = await server.call('execute_command', {
      command: 'echo so far; sleep 2; echo done; exit 4',
      timeout: 20,
    });
    expect(structured).toMatchObject({ outcome: 'running', stdout: 'so far\n', exit_code: null });
    expect(text).toContain('still running as job');
    const { job_id } = structured;
    let status: Answer;
    do status = await server.call('manage_job', { operation: 'wait', job_id, offset: 7 });
    while (status.structured.job?.state === 'running');
    expect(status.structured).toMatchObject({ stdout: 'done\n', job: { state: 'exited', exit_code: 4 } });
  });

  it('goes on without its server once its caller knows of it, and not before', async () => {
    await using first = await start();
    const told = await first.call('execute_command', { command: 'echo so far; sleep 61', timeout: 90 });
    await kill(first);
    await using second = await start({ soft_limit: 50 });
    const { job_id } = told.structured;
    const running = (await second.call('manage_job', { operation: 'status', job_id })).structured.job;
    expect(running).toMatchObject({ state: 'running' });
    await second.call('manage_job', { operation: 'signal', job_id, signal: 'KILL' });
    const lost = second.call('execute_command', { command: 'touch started; sleep 62', timeout: 90 }).catch(() => {});
    await eventually(() => existsSync(join(base, 'work', 'started')));
    await kill(second);
    await lost;
    await using third = await start();
    await eventually(async () => {
      const { jobs } = (await third.call('manage_job', { operation: 'list' })).structured as { jobs: Record<string, unknown>[] };
      return jobs[0]?.command === 'touch started; sleep 62' && jobs[0].state === 'cancelled';
    });
  });

  it('is none of a command that ends before, or that was given less time', async () => {
    await using server = await start();
    const before = (await server.call('manage_job', { operation: 'list' })).structured.jobs;
    const quick = await server.call('execute_command', { command: 'echo quick; exit 3', timeout: 20 });
    expect(quick.structured).toMatchObject({ outcome: 'exited', exit_code: 3, stdout: 'quick\n' });
    expect(quick.structured.job_id).toBeUndefined();
    const late = await server.call('execute_command', { command: 'echo begun; sleep 20', timeout: 0.5 });
    expect(late).toMatchObject({ isError: true, text: expect.stringContaining('begun') });
    expect((await server.call('manage_job', { operation: 'list' })).structured.jobs).toEqual(before);
  });

  it('talks in a terminal', async () => {
    await using server = await start();
    const { structured } = await server.call('execute_command', {
      command: `printf 'name? '; read -r name; test -t 0 && echo "hello $name"; exit 5`,
      pty: true,
      background: true,
    });
    const { job_id } = structured;
    expect((await server.call('manage_job', { operation: 'wait', job_id, pattern: 'name\\?' })).structured.matched).toBeDefined();
    await server.call('manage_job', { operation: 'write', job_id, input: 'Anna\n' });
    let ended: Answer;
    do ended = await server.call('manage_job', { operation: 'wait', job_id });
    while (ended.structured.job?.state === 'running');
    expect(ended.structured).toMatchObject({ job: { exit_code: 5, pty: true, stdin_open: false } });
    expect(ended.structured.stdout).toContain('hello Anna\n');
    const foreground = await server.call('execute_command', { command: 'test -t 1 && echo terminal', pty: true });
    expect(foreground.structured).toMatchObject({ outcome: 'exited', exit_code: 0, stdout: 'terminal\n' });
  });

  it('is asked for in the right words', async () => {
    await using server = await start();
    const refused = async (values: object) => (await server.call('manage_job', values)).text;
    expect(await refused({ operation: 'status' })).toContain('needs job_id');
    expect(await refused({ operation: 'status', job_id: '../state' })).toContain('[not_found]');
    expect(await refused({ operation: 'read', job_id: '00000000-0000-4000-8000-000000000000' })).toContain('[not_found]');
    const { structured } = await server.call('execute_command', { command: 'sleep 30', background: true, stdin: '' });
    const { job_id } = structured;
    expect(await refused({ operation: 'write', job_id })).toContain('needs `input`');
    expect(await refused({ operation: 'write', job_id, input: 'x' })).toContain('[conflict]');
    expect(await refused({ operation: 'signal', job_id, signal: 'NOPE' })).toContain('[invalid_input]');
    await server.call('manage_job', { operation: 'signal', job_id, signal: 'KILL' });
  });
});
