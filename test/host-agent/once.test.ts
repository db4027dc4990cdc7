import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, processesWith } from '../backends/watching.ts';
import { createHome } from '../fixtures/server.ts';
import { ask, failureOf, keyed, type RunningAgent, script, startAgent, stdoutOf } from './running-agent.ts';

let agent: RunningAgent;
beforeAll(async () => {
  agent = await startAgent({ replay_window: 60 });
}, 30_000);
afterAll(async () => agent?.[Symbol.asyncDispose]());

const lines = (name: string) => readFileSync(join(agent.workspace, name), 'utf8').split('\n').filter(Boolean).length;

describe('a request with a key', () => {
  it('is carried out once, and every repeat gets the outcome of the first', async () => {
    const body = script('echo x >>once.txt; echo told; exit 4');
    const headers = keyed();
    const first = await ask(agent, '/execute', { body, headers });
    const again = await Promise.all([1, 2, 3].map(() => ask(agent, '/execute', { body, headers })));
    for (const each of again) {
      expect(each.frames.at(-1)).toEqual(first.frames.at(-1));
      expect(each.headers['idempotency-repeated']).toBe('true');
    }
    expect(stdoutOf(first)).toBe('told\n');
    expect(lines('once.txt')).toBe(1);
  });

  it('is waited for by repeats that come while it runs', async () => {
    const body = script('echo x >>slow.txt; sleep 0.5; echo end');
    const headers = keyed();
    const all = await Promise.all([1, 2, 3, 4].map(() => ask(agent, '/execute', { body, headers })));
    expect(all.map(stdoutOf)).toEqual(['end\n', 'end\n', 'end\n', 'end\n']);
    expect(lines('slow.txt')).toBe(1);
  });

  it('gets its refusal again, and is not decided on anew', async () => {
    const body = script('sudo id');
    const headers = keyed();
    const first = await ask(agent, '/execute', { body, headers });
    const again = await ask(agent, '/execute', { body, headers });
    expect([first.status, again.status]).toEqual([403, 403]);
    expect(again.headers['idempotency-repeated']).toBe('true');
  });

  it('cannot be another request, nor one at another place or as another user', async () => {
    const headers = keyed();
    await ask(agent, '/execute', { body: script('true'), headers });
    const other = await ask(agent, '/execute', { body: script('touch other.txt'), headers });
    expect({ status: other.status, code: failureOf(other).code }).toEqual({ status: 409, code: 'conflict' });
    const path = join(agent.workspace, 'other.txt');
    const write = { path, realPath: path, data: '', createParents: false };
    expect((await ask(agent, '/files/write', { body: write, headers })).status).toBe(409);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['without a key', {}],
    ['with a key that is no UUID', keyed('1')],
    ['without a time', { 'idempotency-key': randomUUID() }],
    ['from long ago, as a replayed one is', keyed(randomUUID(), Date.now() - 600_000)],
    ['from the future', keyed(randomUUID(), Date.now() + 600_000)],
  ])('is refused %s', async (_, headers) => {
    const answer = await ask(agent, '/execute', { body: script('touch refused.txt'), headers });
    expect({ status: answer.status, code: failureOf(answer).code }).toEqual({ status: 400, code: 'invalid_input' });
    expect(existsSync(join(agent.workspace, 'refused.txt'))).toBe(false);
  });
});

describe('a request with a key, after kill -9 of the agent', () => {
  it('keeps its outcome, or is said to have an unknown one; it is never carried out twice', async () => {
    using home = createHome();
    const done = keyed();
    const underWay = keyed();
    const word = randomUUID();
    const finished = script('echo x >>done.txt; echo done');
    const slow = script('echo x >>slow.txt; sleep 60', { env: { PATH: '/usr/bin:/bin', WORD: word } });
    {
      await using first = await startAgent({}, { home });
      const told = await ask(first, '/capabilities');
      expect(told.status).toBe(200);
      const path = (await ask(first, '/info')).frames[0] as { value: { surroundings: { environment: { PATH: string } } } };
      Object.assign(slow, { env: { PATH: path.value.surroundings.environment.PATH, WORD: word } });
      await ask(first, '/execute', { body: finished, headers: done });
      ask(first, '/execute', { body: slow, headers: underWay }).catch(() => {});
      expect(await eventually(() => existsSync(join(first.workspace, 'slow.txt')), 5000)).toBe(true);
      first.program.child.kill('SIGKILL');
      await first.program.exit;
    }
    await using second = await startAgent({}, { home });
    const kept = await ask(second, '/execute', { body: finished, headers: done });
    expect(stdoutOf(kept)).toBe('done\n');
    const lost = await ask(second, '/execute', { body: slow, headers: underWay });
    expect(failureOf(lost)).toMatchObject({ code: 'unavailable', details: { outcome: 'unknown' } });
    for (const name of ['done.txt', 'slow.txt']) expect(readFileSync(join(second.workspace, name), 'utf8')).toBe('x\n');
    expect(await eventually(() => processesWith(word).length === 0, 5000)).toBe(true);
  }, 40_000);
});
