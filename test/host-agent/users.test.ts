import { chmodSync, chownSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, ExecRequest, Judge } from '../../src/backends/backend.ts';
import { eventually, processesWith } from '../backends/watching.ts';
import { clientOf, type RunningAgent, startAgent, surroundingsOf } from './running-agent.ts';

const NOBODY = 65_534;
const ALLOW: Judge = { admit: async () => {}, conceals: () => false };
const { signal } = new AbortController();

/** The program must be readable by others, which a checkout in a private home is not. */
const canRun =
  process.getuid?.() === 0 &&
  process.platform === 'linux' &&
  (statSync(join(import.meta.dirname, '../..')).mode & 0o005) === 0o005;

describe.runIf(canRun)('a host agent as root, for another user (skipped for others than root)', () => {
  let agent: RunningAgent;
  let client: Backend;
  let request: Omit<ExecRequest, 'command'>;

  beforeAll(async () => {
    agent = await startAgent({ users: ['nobody', 'root'] });
    chmodSync(agent.home.folder, 0o755);
    chownSync(agent.workspace, NOBODY, NOBODY);
    client = clientOf(agent);
    const { workspace, environment } = await surroundingsOf(client);
    request = { cwd: workspace, env: environment, timeoutMs: 20_000, maxOutputBytes: 10_000 };
  }, 40_000);
  // Where the jobs of users without a home are.
  const jobsOfAll = '/var/lib/mcp-python-jobs';
  const hadJobs = existsSync(jobsOfAll);
  afterAll(async () => {
    if (!hadJobs) rmSync(jobsOfAll, { recursive: true, force: true });
    await client?.[Symbol.asyncDispose]();
    await agent?.[Symbol.asyncDispose]();
  });

  async function run(script: string, machine = client): Promise<string> {
    const { stdout } = await machine.exec({ ...request, command: { kind: 'script', script } }, { signal });
    return Buffer.from(stdout.head).toString();
  }

  it('runs commands as that user, never as root unless that is named', async () => {
    expect(await run('id -u; grep -E "^(CapPrm|CapEff|NoNewPrivs)" /proc/self/status')).toBe(
      `${NOBODY}\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n`,
    );
    await using asRoot = clientOf(agent, 'root');
    const { environment } = await surroundingsOf(asRoot);
    const { stdout } = await asRoot.exec(
      { ...request, env: environment, command: { kind: 'argv', argv: ['id', '-u'] } },
      { signal },
    );
    expect(Buffer.from(stdout.head).toString()).toBe('0\n');
  });

  it('gives them a PATH without folders that are only for root', async () => {
    expect((await run('echo "$PATH $HOME $USER"')).trim()).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /nonexistent nobody',
    );
  });

  it('makes files that belong to that user, and reads no others', async () => {
    const path = join(agent.workspace, 'made.txt');
    await client.files.write(path, Buffer.from('made'), { createParents: true }, ALLOW);
    expect(statSync(path).uid).toBe(NOBODY);
    expect(readFileSync(path, 'utf8')).toBe('made');
    const secret = join(agent.workspace, 'of-root');
    writeFileSync(secret, 'secret', { mode: 0o600 });
    await expect(client.files.open(secret, ALLOW)).rejects.toMatchObject({ code: 'denied' });
    await using file = await client.files.open(path, ALLOW);
    expect(Buffer.from(await file.read(1, 2)).toString()).toBe('ad');
  });

  it('judges what was opened, in the process of the agent', async () => {
    await expect(client.files.open(join(agent.home.folder, 'config-host-agent.json'), ALLOW)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('belongs to mcp-python'),
    });
    const { entries } = await client.files.list(agent.home.folder, { hidden: true, limit: 100 }, ALLOW);
    expect(entries.map(({ path }) => path)).not.toContain(join(agent.home.folder, 'config-host-agent.json'));
  });

  it('ends what that user runs when its caller cancels', async () => {
    const word = `as-nobody-${process.pid}`;
    const abort = new AbortController();
    const running = client.exec(
      { ...request, command: { kind: 'script', script: `: ${word}; echo begun; setsid sleep 60 & sleep 60` } },
      { signal: abort.signal, onOutput: () => abort.abort() },
    );
    expect(await running).toMatchObject({ outcome: 'cancelled' });
    expect(await eventually(() => processesWith(word).length === 0, 5000)).toBe(true);
  });

  it('has jobs of that user', async () => {
    const jobs = await client.jobs?.();
    if (!jobs) throw new Error('no jobs');
    const label = { command: 'id', principal: 'local', principalName: 'local', task: 'a', tool: 'test' };
    const job = await jobs.start({
      ...{ ...request, command: { kind: 'script', script: 'id -u' }, label },
      ...{ terminal: false, openInput: false, attached: false },
    });
    expect(await jobs.untilEnd(job.id)).toBe(true);
    expect(Buffer.from(await jobs.read(job.id, 'stdout', 0, 100)).toString()).toBe(`${NOBODY}\n`);
    expect((await jobs.get(job.id)).label).toEqual(label);
    await jobs.remove(job.id);
  });

  it('starts the process of the user again when it was killed, and says what is not known', async () => {
    const word = `killed-${process.pid}`;
    const running = client.exec({ ...request, command: { kind: 'script', script: `: ${word}; sleep 60` } }, { signal });
    running.catch(() => {});
    expect(await eventually(() => processesWith(word).length > 0, 5000)).toBe(true);
    const [worker] = processesWith('host-agent-user').filter((pid) => statSync(`/proc/${pid}`).uid === NOBODY);
    process.kill(worker as number, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'unknown' } });
    expect(await run('echo again')).toBe('again\n');
    expect(await eventually(() => processesWith(word).length === 0, 5000)).toBe(true);
  });

  it('leaves nothing of that user behind when it is killed', async () => {
    await using other = await startAgent({ users: ['nobody'] });
    chmodSync(other.home.folder, 0o755);
    chownSync(other.workspace, NOBODY, NOBODY);
    await using machine = clientOf(other);
    const { workspace, environment } = await surroundingsOf(machine);
    const word = `left-${process.pid}`;
    const running = machine.exec(
      {
        ...request,
        cwd: workspace,
        env: environment,
        command: { kind: 'script', script: `: ${word}; setsid sleep 60 & sleep 60` },
      },
      { signal },
    );
    running.catch(() => {});
    expect(await eventually(() => processesWith(word).length > 0, 5000)).toBe(true);
    other.program.child.kill('SIGKILL');
    expect(await eventually(() => processesWith(word).length === 0, 8000)).toBe(true);
    await expect(running).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'unknown' } });
  }, 40_000);
});

describe('the process of a user', () => {
  it('is nothing that people start', async () => {
    const { run } = await import('../cli/run-program.ts');
    expect((await run(['host-agent-user'])).status).toBe(2);
  });
});
