import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createProxy, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, BackendJobs, ExecRequest, HeldObject, JobRequest, Judge } from '../../src/backends/backend.ts';
import { createHostAgentBackend } from '../../src/backends/host-agent/host-agent-backend.ts';
import { Failure } from '../../src/errors.ts';
import { eventually, processesWith } from '../backends/watching.ts';
import { createHome } from '../fixtures/server.ts';
import { clientOf, type RunningAgent, startAgent, surroundingsOf, temporaryFolder } from './running-agent.ts';

const ALLOW: Judge = { admit: async () => {}, conceals: () => false };
const { signal } = new AbortController();

let agent: RunningAgent;
let client: Backend;
let request: Omit<ExecRequest, 'command'>;
beforeAll(async () => {
  agent = await startAgent();
  client = clientOf(agent);
  const { workspace, environment } = await surroundingsOf(client);
  request = { cwd: workspace, env: environment, timeoutMs: 20_000, maxOutputBytes: 100_000 };
}, 40_000);
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await agent?.[Symbol.asyncDispose]();
});

const scriptOf = (script: string): ExecRequest => ({ ...request, command: { kind: 'script', script } });
const inside = (name: string) => join(agent.workspace, name);

describe('commands through the host agent', () => {
  it('end with what they had written when their caller cancels, and with all they started', async () => {
    const word = `cancelled-${randomUUID()}`;
    const abort = new AbortController();
    const result = await client.exec(scriptOf(`: ${word}; echo begun; setsid sleep 60 & sleep 60`), {
      signal: abort.signal,
      onOutput: () => abort.abort(),
    });
    expect(result).toMatchObject({ outcome: 'cancelled' });
    expect(Buffer.from(result.stdout.head).toString()).toBe('begun\n');
    expect(await eventually(() => processesWith(word).length === 0)).toBe(true);
  });

  it('end at their time limit', async () => {
    expect(await client.exec({ ...scriptOf('sleep 60'), timeoutMs: 200 }, { signal })).toMatchObject({ outcome: 'timeout' });
  });

  it('read their input and write bytes as they are', async () => {
    const stdin = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const { stdout } = await client.exec({ ...scriptOf('cat'), stdin }, { signal });
    expect(Buffer.from(stdout.head)).toEqual(stdin);
  });

  it('are refused as the agent refuses them', async () => {
    await expect(client.exec(scriptOf('sudo id'), { signal })).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('files through the host agent', () => {
  const denied = new Failure('denied', 'Not this one.');
  /** Refuses what is there under one name, and remembers what it was asked about. */
  function judgeBut(name: string): Judge & { readonly asked: HeldObject[] } {
    const asked: HeldObject[] = [];
    return {
      asked,
      async admit(object) {
        asked.push(object);
        if (object.realPath.endsWith(name)) throw denied;
      },
      conceals: ({ realPath }) => realPath.endsWith(name),
    };
  }

  it('are judged here by what was opened there, whatever their name', async () => {
    writeFileSync(inside('secret.txt'), 'secret');
    symlinkSync('secret.txt', inside('harmless.txt'));
    const judge = judgeBut('secret.txt');
    await expect(client.files.open(inside('harmless.txt'), judge)).rejects.toBe(denied);
    expect(judge.asked).toEqual([expect.objectContaining({ realPath: inside('secret.txt'), kind: 'file', names: 1 })]);
    await expect(client.files.write(inside('harmless.txt'), Buffer.from('x'), { createParents: false }, judge)).rejects.toBe(
      denied,
    );
    expect(readFileSync(inside('secret.txt'), 'utf8')).toBe('secret');
  });

  it('are not named nor searched where the judge conceals them', async () => {
    mkdirSync(inside('folder'));
    for (const name of ['shown.md', 'hidden.md']) writeFileSync(join(inside('folder'), name), 'needle\n');
    const judge = judgeBut('hidden.md');
    const { entries } = await client.files.list(inside('folder'), { hidden: true, limit: 10 }, judge);
    expect(entries.map(({ path }) => path)).toEqual([join(inside('folder'), 'shown.md')]);
    const wanted = {
      directory: inside('folder'),
      content: 'needle',
      caseSensitive: true,
      hidden: true,
      respectIgnores: false,
      limit: 10,
    };
    expect((await client.files.search(wanted, signal, judge)).matches).toEqual([{ path: 'shown.md', line: 1, text: 'needle' }]);
  });

  it('say what is wrong with a path only where it may be used', async () => {
    const judge = judgeBut('missing.txt');
    await expect(client.files.open(inside('missing.txt'), judge)).rejects.toBe(denied);
    await expect(client.files.open(inside('other.txt'), ALLOW)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('stay what was opened, in pieces of any size', async () => {
    const large = Buffer.alloc(9_000_000, 'abc');
    await client.files.write(inside('large'), large, { createParents: false }, ALLOW);
    await using file = await client.files.open(inside('large'), ALLOW);
    await client.files.write(inside('large'), Buffer.from('new'), { createParents: false }, ALLOW);
    expect(Buffer.compare(Buffer.from(await file.read(0, 20_000_000)), large)).toBe(0);
    expect(readFileSync(inside('large'), 'utf8')).toBe('new');
  });

  it('are written once, and only over the version that was seen', async () => {
    const { version } = await client.files.write(inside('versioned'), Buffer.from('1'), { createParents: false }, ALLOW);
    writeFileSync(inside('versioned'), 'by somebody else');
    const options = { createParents: false, ifVersion: version };
    await expect(client.files.write(inside('versioned'), Buffer.from('2'), options, ALLOW)).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(readFileSync(inside('versioned'), 'utf8')).toBe('by somebody else');
  });
});

describe('jobs through the host agent', () => {
  const label = { command: 'x', principal: 'key:abc', principalName: 'ci', session: 's1', task: 't1', tool: 'execute_command' };
  const jobOf = (script: string, more: Partial<JobRequest> = {}): JobRequest => ({
    ...{ ...scriptOf(script), terminal: false, openInput: false, attached: false, label },
    ...more,
  });
  const jobsOf = async (machine: Backend): Promise<BackendJobs> => {
    const jobs = await machine.jobs?.();
    if (!jobs) throw new Error('There are no jobs.');
    return jobs;
  };

  it('outlive the client, and are found by the next one with all that is known of them', async () => {
    const first = clientOf(agent);
    const { id } = await (await jobsOf(first)).start(jobOf('echo one; sleep 0.5; echo two; exit 7'));
    await first[Symbol.asyncDispose]();
    const jobs = await jobsOf(client);
    expect(await jobs.untilEnd(id)).toBe(true);
    expect(await jobs.get(id)).toMatchObject({ label, end: { outcome: 'exited', exitCode: 7 } });
    expect(Buffer.from(await jobs.read(id, 'stdout', 0, 100)).toString()).toBe('one\ntwo\n');
    expect((await jobs.list()).map((job) => job.id)).toContain(id);
    expect([await jobs.claimEnd(id), await jobs.claimEnd(id)]).toEqual([true, false]);
    await jobs.remove(id);
    await expect(jobs.get(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are fed, and tell at once that something changed', async () => {
    const jobs = await jobsOf(client);
    const { id } = await jobs.start(jobOf('read line; echo "heard $line"; sleep 60', { openInput: true }));
    using watch = jobs.watch(id);
    expect(await jobs.write(id, Buffer.from('hello\n'), signal)).toBe(6);
    const startedMs = performance.now();
    while ((await jobs.get(id)).bytes.stdout === 0) await watch.changed(10_000);
    expect(performance.now() - startedMs).toBeLessThan(8000);
    await jobs.signal(id, 'TERM');
    while (!(await jobs.get(id)).end) await watch.changed(10_000);
    expect(await jobs.get(id)).toMatchObject({ end: { signal: 'SIGTERM' } });
    await expect(jobs.signal(id, 'TERM')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('end with their client while they are attached, and go on when they were let go', async () => {
    const bound = `bound-${randomUUID()}`;
    const free = `free-${randomUUID()}`;
    const other = clientOf(agent);
    const jobs = await jobsOf(other);
    await jobs.start(jobOf(`: ${bound}; sleep 60`, { attached: true }));
    const { id } = await jobs.start(jobOf(`: ${free}; sleep 60`, { attached: true }));
    await jobs.detach(id);
    await other[Symbol.asyncDispose]();
    expect(await eventually(() => processesWith(`: ${bound}`).length === 0, 8000)).toBe(true);
    expect(processesWith(`: ${free}`).length).toBeGreaterThan(0);
    await (await jobsOf(client)).cancel(id);
    expect(await eventually(() => processesWith(`: ${free}`).length === 0, 8000)).toBe(true);
  });

  it('outlive kill -9 of the agent', async () => {
    using home = createHome();
    const first = await startAgent({}, { home });
    let id: string;
    {
      await using machine = clientOf(first);
      ({ id } = await (await jobsOf(machine)).start(jobOf('echo begun; sleep 1; echo ended', { cwd: first.workspace })));
      first.program.child.kill('SIGKILL');
      await first.program.exit;
    }
    await using second = await startAgent({}, { home });
    await using machine = clientOf(second);
    const jobs = await jobsOf(machine);
    expect(await jobs.untilEnd(id)).toBe(true);
    expect(Buffer.from(await jobs.read(id, 'stdout', 0, 100)).toString()).toBe('begun\nended\n');
  }, 40_000);
});

describe('a client whose agent is not as it should be', () => {
  const place = temporaryFolder();
  afterAll(() => place[Symbol.dispose]());

  it('says that there is none, and that nothing was run', async () => {
    await using machine = createHostAgentBackend({ name: 'host_agent:none', socketPath: join(place.folder, 'none.sock') });
    const running = machine.exec(scriptOf('true'), { signal });
    await expect(running).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'not_run' } });
    expect(await machine.health()).toMatchObject({
      ok: false,
      message: expect.stringContaining('host_agent:none cannot be reached'),
    });
  }, 20_000);

  it('waits for one that is being started', async () => {
    using home = createHome();
    await using machine = createHostAgentBackend({ name: 'host_agent:soon', socketPath: join(home.folder, 'agent.sock') });
    const looking = machine.info();
    looking.catch(() => {});
    await using _ = await startAgent({}, { home });
    expect((await looking).platform).toBe(process.platform);
  }, 20_000);

  it('says which versions do not fit', async () => {
    const socketPath = join(place.folder, 'newer.sock');
    const server: Server = createServer((_, response) => {
      response.end(JSON.stringify({ value: { protocol: 2, version: '9.0.0', users: [], jobs: true, maxBodyBytes: 1 } }));
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    await using machine = createHostAgentBackend({ name: 'host_agent:newer', socketPath });
    await expect(surroundingsOf(machine)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('mcp-python 9.0.0'),
    });
    server.closeAllConnections();
    server.close();
  });

  describe('when the connection breaks', () => {
    /** Between client and agent; it can cut every connection, and go away. */
    async function startCutter(name: string) {
      const path = join(place.folder, name);
      const sockets = new Set<Socket>();
      const proxy = createProxy((from) => {
        const to = connect(agent.socket);
        for (const socket of [from, to]) {
          sockets.add(socket);
          socket.on('error', () => {});
        }
        from.pipe(to);
        to.pipe(from);
        to.on('close', () => from.destroy());
        from.on('close', () => to.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(path, resolve));
      return {
        path,
        cut: () => {
          for (const socket of sockets) socket.destroy();
        },
        close: () => proxy.close(),
      };
    }

    it('asks what became of a command, and says that it was ended', async () => {
      const cutter = await startCutter('cut.sock');
      await using machine = createHostAgentBackend({ name: 'host_agent:cut', socketPath: cutter.path });
      const running = machine.exec(scriptOf('echo x >>cut.txt; sleep 60'), { signal });
      running.catch(() => {});
      expect(await eventually(() => existsSync(inside('cut.txt')), 5000)).toBe(true);
      cutter.cut();
      await expect(running).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'ended' } });
      expect(readFileSync(inside('cut.txt'), 'utf8')).toBe('x\n');
      cutter.close();
    }, 20_000);

    it('says that nobody knows where the agent cannot be asked any more', async () => {
      const cutter = await startCutter('gone.sock');
      await using machine = createHostAgentBackend({ name: 'host_agent:gone', socketPath: cutter.path });
      const running = machine.exec(scriptOf('echo x >>gone.txt; sleep 60'), { signal });
      running.catch(() => {});
      expect(await eventually(() => existsSync(inside('gone.txt')), 5000)).toBe(true);
      cutter.close();
      cutter.cut();
      await expect(running).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'unknown' } });
    }, 20_000);
  });
});
