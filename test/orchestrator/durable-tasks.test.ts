import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import type { DurableTask } from '../../src/orchestrator/durable-tasks.ts';
import { type Calls, ended, failure, OTHER, open, reaches, run, stateFolder, task, text } from './durable-fixture.ts';

const local = LOCAL_PRINCIPAL;

describe('a durable task', () => {
  it('is only stored until a process serves, and then run to its end with its result', async () => {
    const folder = stateFolder();
    const writer = open(folder);
    const { id, state } = await writer.submit(task('look', { run: run('get_system_info', { a: 1 }) }));
    expect(state).toBe('queued');
    await writer[Symbol.asyncDispose]();

    const server = open(folder);
    expect((await server.get(id, local)).state).toBe('queued');
    await server.serve();
    const done = await server.ended(id, local, AbortSignal.timeout(10_000));
    expect(done).toMatchObject({ state: 'completed', attempts: 1, result: { structuredContent: { said: '{"a":1}' } } });
    expect(done.endedMs).toBeGreaterThanOrEqual(done.startedMs ?? 0);
  });

  it('is picked up by a server that had nothing to do when another process stores it, and tells that process', async () => {
    const folder = stateFolder();
    const server = open(folder);
    await server.serve();
    const shell = open(folder);
    expect((await ended(shell, await shell.submit(task('look')))).state).toBe('completed');
  });

  it('is run by servers of the same folder only: relative paths mean something else elsewhere', async () => {
    const folder = stateFolder();
    const here = open(folder, undefined, { place: '/here' });
    const elsewhere = open(folder, undefined, { place: '/elsewhere' });
    await elsewhere.serve();
    const created = await here.submit(task('ours'));
    const theirs = await elsewhere.submit(task('theirs'));
    expect((await ended(elsewhere, theirs)).state).toBe('completed');
    expect((await elsewhere.get(created.id, LOCAL_PRINCIPAL)).state).toBe('queued');
    expect(await here.isServed()).toBe(false);
    await here.serve();
    expect((await ended(elsewhere, created)).state).toBe('completed');
  });

  it('is begun at once where somebody waits for it, though the server has its hands full', async () => {
    const calls: Calls = async (called, _, signal) => {
      if (called.tool === 'slow') await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return text('done');
    };
    const service = open(stateFolder(), calls, { capacity: 1 });
    await service.serve();
    const slow = await service.submit(task('slow', { run: run('slow') }));
    await reaches(service, slow, 'running');
    const waiting = await service.submit(task('waiting'));
    const quick = await service.submit(task('quick', { atOnce: true }));
    expect((await ended(service, quick)).state).toBe('completed');
    expect((await service.get(waiting.id, LOCAL_PRINCIPAL)).state).toBe('queued');
    await service.discard(quick.id, LOCAL_PRINCIPAL);
    await expect(service.get(quick.id, LOCAL_PRINCIPAL)).rejects.toMatchObject({ code: 'not_found' });
    await service.discard(waiting.id, LOCAL_PRINCIPAL);
    expect((await service.get(waiting.id, LOCAL_PRINCIPAL)).state).toBe('queued');
  });

  it('belongs to its principal', async () => {
    const service = open(stateFolder());
    const { id } = await service.submit(task('mine'));
    await expect(service.get(id, OTHER)).rejects.toMatchObject({ code: 'not_found' });
    await expect(service.cancel(id, OTHER)).rejects.toMatchObject({ code: 'not_found' });
    expect((await service.list(OTHER, { limit: 10 })).tasks).toEqual([]);
  });

  it('is the same one when it is submitted again under its key', async () => {
    const service = open(stateFolder());
    const first = await service.submit(task('once', { idempotencyKey: 'k' }));
    expect((await service.submit(task('once', { idempotencyKey: 'k' }))).id).toBe(first.id);
    const other = await service.submit({ ...task('once', { idempotencyKey: 'k' }), principal: OTHER });
    expect(other.id).not.toBe(first.id);
  });

  it('fails with the code and the words of its tool, and begins again as often as it may', async () => {
    let calls = 0;
    const service = open(stateFolder(), async () => (++calls < 2 ? failure('timeout', 'Too slow.') : text('fine')));
    await service.serve();
    const once = await ended(service, await service.submit(task('once')));
    expect(once).toMatchObject({ state: 'failed', code: 'timeout', note: 'Too slow.' });
    calls = 0;
    const twice = await ended(service, await service.submit(task('twice', { maxAttempts: 2 })));
    expect(twice).toMatchObject({ state: 'completed', attempts: 2 });
    calls = 0;
    const again = await service.retry(once.id, local);
    expect(again.state).toBe('queued');
  });

  it('does not begin again where that cannot help', async () => {
    const service = open(stateFolder(), async () => {
      throw new Failure('denied', 'No.');
    });
    await service.serve();
    expect(await ended(service, await service.submit(task('refused', { maxAttempts: 5 })))).toMatchObject({
      state: 'failed',
      code: 'denied',
      attempts: 1,
    });
  });

  it('counts a command that ends with another status than 0 as failed where that is asked for', async () => {
    const result = { content: [], structuredContent: { exit_code: 2, stderr: 'a\nmake: no rule\n' } };
    const service = open(stateFolder(), async () => result);
    await service.serve();
    expect((await ended(service, await service.submit(task('plain')))).state).toBe('completed');
    expect(await ended(service, await service.submit(task('strict', { strict: true })))).toMatchObject({
      state: 'failed',
      code: 'exit_status',
      note: 'The command ended with exit code 2. It said: make: no rule',
      result,
    });
  });

  it('keeps the shape of a result that is too large, with its longest texts shortened', async () => {
    const service = open(stateFolder(), async () => text('x'.repeat(6_000_000)));
    await service.serve();
    const { result, note } = await ended(service, await service.submit(task('large')));
    expect(JSON.stringify(result).length).toBeLessThan(4_200_000);
    expect(result).toMatchObject({
      structuredContent: { said: expect.stringMatching(/^x+\n\[\d+ characters were not kept\]\nx+$/) },
    });
    expect(note).toBe('Its result was too large to keep whole.');
  });

  it('tells how far it is while it runs', async () => {
    const gate = Promise.withResolvers<void>();
    const service = open(stateFolder(), async (_run, running) => {
      running.report('half of it');
      await gate.promise;
      return text('all');
    });
    await service.serve();
    const { id } = await reaches(service, await service.submit(task('slow')), 'running');
    expect((await service.get(id, local)).note).toBe('half of it');
    gate.resolve();
  });
});

describe('cancelling', () => {
  const hanging = (_: unknown, __: unknown, signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it('ends a waiting task at once, and one that runs in another process there', async () => {
    const folder = stateFolder();
    const aborted = Promise.withResolvers<void>();
    const server = open(folder, (_run, _task, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      return hanging(_run, _task, signal);
    });
    const shell = open(folder);
    const waiting = await shell.submit(task('waiting'));
    expect((await shell.cancel(waiting.id, local)).state).toBe('cancelled');
    await server.serve();
    const running = await reaches(shell, await shell.submit(task('running')), 'running');
    expect((await shell.cancel(running.id, local)).state).toBe('cancelled');
    await aborted.promise;
    await expect(shell.cancel(running.id, local)).rejects.toMatchObject({ code: 'conflict', details: { state: 'cancelled' } });
    expect((await ended(server, running)).state).toBe('cancelled');
  });

  it('leaves a task cancelled whose call ends well all the same', async () => {
    const gate = Promise.withResolvers<void>();
    const service = open(stateFolder(), async () => {
      await gate.promise;
      return text('too late');
    });
    await service.serve();
    const { id } = await reaches(service, await service.submit(task('deaf')), 'running');
    await service.cancel(id, local);
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { state, result } = await service.get(id, local);
    expect({ state, result }).toEqual({ state: 'cancelled', result: undefined });
  });
});

describe('a server that stops', () => {
  it('gives back what may be run again, and says what is known of the rest', async () => {
    const folder = stateFolder();
    const server = open(
      folder,
      (_run, _task, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await server.serve();
    const again = await server.submit(task('look'));
    const once = await server.submit(task('change', { run: run('write_file') }));
    await Promise.all([reaches(server, again, 'running'), reaches(server, once, 'running')]);
    await server[Symbol.asyncDispose]();

    const next = open(folder);
    expect(await next.get(once.id, local)).toMatchObject({
      state: 'interrupted',
      code: 'agent_lost',
      note: expect.stringContaining('The server was stopped while it ran. (begun 2'),
    });
    await next.serve();
    expect(await ended(next, again)).toMatchObject({ state: 'completed', attempts: 2 });
  });
});

describe('questions of a running task', () => {
  const question = { method: 'elicitation/create', params: { message: 'Really?' } } as const;

  it('make it wait, over a restart, until all are answered, and then it goes on', async () => {
    const folder = stateFolder();
    const asking: Parameters<typeof open>[1] = async (_run, _task, _signal, ask) => {
      const answers = await ask.request({ sure: question, why: question }, { state: { round: 1 } });
      return text(JSON.stringify([answers, ask.state]));
    };
    const first = open(folder, asking);
    await first.serve();
    const asked = await reaches(
      first,
      await first.submit(task('ask', { clientCapabilities: { elicitation: {} } })),
      'input_required',
    );
    expect(asked.questions).toEqual({ sure: question, why: question });
    await first[Symbol.asyncDispose]();

    const second = open(folder, asking);
    await second.serve();
    const half = await second.answer(asked.id, local, { sure: { action: 'accept' }, other: { action: 'accept' } });
    expect(half).toMatchObject({ state: 'input_required', questions: { why: question } });
    await second.answer(asked.id, local, { why: { action: 'decline' } });
    const { state, result, attempts } = await ended(second, asked);
    expect({ state, attempts }).toEqual({ state: 'completed', attempts: 1 });

    const said = JSON.stringify([{ sure: { action: 'accept' }, why: { action: 'decline' } }, { round: 1 }]);
    expect(result).toMatchObject({ structuredContent: { said } });
    await expect(second.answer(asked.id, local, {})).rejects.toMatchObject({ code: 'conflict' });
  });

  it('fail where the client said that it answers none', async () => {
    const service = open(stateFolder(), async (_run, _task, _signal, ask) => {
      await ask.request({ sure: question });
      return text('asked');
    });
    await service.serve();
    expect(await ended(service, await service.submit(task('ask')))).toMatchObject({ state: 'failed', code: 'unsupported' });
  });
});

describe('dependencies', () => {
  it('keep the order, block with the reason when one fails, and let go when it is retried', async () => {
    let broken = true;
    const order: string[] = [];
    const service = open(stateFolder(), async (_run, { title }) => {
      order.push(title);
      return title === 'tests' && broken ? failure('timeout', 'Too slow.') : text('ok');
    });
    const build = await service.submit(task('build'));
    const tests = await service.submit(task('tests', { dependsOn: [build.id], priority: 'critical' }));
    const publish = await service.submit(task('publish', { dependsOn: [build.id, tests.id], priority: 'critical' }));
    expect(publish).toMatchObject({ state: 'blocked', note: 'It waits for "build", "tests".', dependsOn: [build.id, tests.id] });
    await service.serve();
    expect((await ended(service, tests)).state).toBe('failed');
    expect(await service.get(publish.id, local)).toMatchObject({ state: 'blocked', note: '"tests" failed' });
    broken = false;
    await service.retry(tests.id, local);
    expect((await ended(service, publish)).state).toBe('completed');
    expect(order).toEqual(['build', 'tests', 'tests', 'publish']);
  });

  it('are refused when they are not there', async () => {
    const service = open(stateFolder());
    await expect(service.submit(task('lonely', { dependsOn: [crypto.randomUUID()] }))).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await service.list(local, { limit: 10 })).tasks).toEqual([]);
  });
});

describe('who comes first', () => {
  async function orderOf(submit: (service: ReturnType<typeof open>) => Promise<unknown>): Promise<string[]> {
    const order: string[] = [];
    const service = open(
      stateFolder(),
      async (_run, { title }) => {
        order.push(title);
        return text('ok');
      },
      { capacity: 1 },
    );
    await submit(service);
    await service.serve();
    for (let tries = 0; tries < 500; tries++) {
      if ((await service.list(local, { limit: 1, states: ['queued', 'running'] })).tasks.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return order;
  }

  it('is the most urgent, and the earlier one among equals', async () => {
    const titles = ['low', 'medium', 'high', 'critical'] as const;
    const order = await orderOf(async (service) => {
      for (const priority of titles) await service.submit(task(priority, { priority }));
      await service.submit(task('high 2', { priority: 'high' }));
    });
    expect(order).toEqual(['critical', 'high', 'high 2', 'medium', 'low']);
  });

  it('is everybody in turn, however many tasks one principal has', async () => {
    const order = await orderOf(async (service) => {
      for (let count = 0; count < 4; count++) await service.submit({ ...task(`other ${count}`), principal: OTHER });
      await service.submit(task('mine 1'));
      await service.submit(task('mine 2'));
    });
    expect(order.indexOf('mine 2')).toBeLessThan(4);
  });
});

describe('the list', () => {
  it('comes in pages, newest first, also of some states and of one project', async () => {
    const service = open(stateFolder());
    for (let count = 0; count < 5; count++) await service.submit(task(`${count}`));
    const failed = await service.submit(task('cancelled'));
    await service.cancel(failed.id, local);
    const titles = async (options: object) => {
      const found: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await service.list(local, { limit: 2, ...options, ...(cursor !== undefined && { cursor }) });
        found.push(page.tasks.map(({ title }) => title));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return found;
    };
    expect(await titles({})).toEqual([
      ['cancelled', '4'],
      ['3', '2'],
      ['1', '0'],
    ]);
    expect(await titles({ states: ['queued'] })).toEqual([['4', '3'], ['2', '1'], ['0']]);
    expect(await titles({ project: 'none' })).toEqual([[]]);
    await expect(service.list(local, { limit: 2, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('listeners', () => {
  it('hear of every state a task comes to rest in, from whichever process', async () => {
    const folder = stateFolder();
    const [server, shell] = [open(folder), open(folder)];
    const heard: DurableTask[] = [];
    const stop = shell.onChange((changed) => heard.push(changed));
    await server.serve();
    const { id } = await shell.submit(task('look'));
    for (let tries = 0; tries < 300 && heard.at(-1)?.state !== 'completed'; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    stop();
    expect(heard.at(-1)).toMatchObject({ id, state: 'completed', result: { structuredContent: { said: '{}' } } });
  });
});
