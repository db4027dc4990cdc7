import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { LOCAL_PRINCIPAL, type Principal } from '../../src/identity/principal.ts';
import { createRequestStateCodec } from '../../src/protocol/request-state.ts';

const ann: Principal = { ...LOCAL_PRINCIPAL, id: 'ann' };
const bob: Principal = { ...LOCAL_PRINCIPAL, id: 'bob' };
const call = { name: 'deploy', arguments: { to: 'web1' } };
const round = { answers: { confirm: { action: 'accept' } }, state: { step: 2 } };

function codec(key = randomBytes(32)) {
  return createRequestStateCodec(async () => key);
}

describe('the sealed state of a multi-round call', () => {
  it('comes back as it was sealed, for the same principal and request', async () => {
    const { seal, open } = codec();
    const token = await seal(round, ann, 'tools/call', call);
    expect(await open(token, ann, 'tools/call', call)).toEqual(round);
  });

  it('shows nothing of its contents to the client that carries it', async () => {
    const token = await codec().seal({ answers: { password: { content: 'hunter2' } } }, ann, 'tools/call', call);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('hunter2');
  });

  it('is good for one use', async () => {
    const { seal, open } = codec();
    const token = await seal(round, ann, 'tools/call', call);
    await open(token, ann, 'tools/call', call);
    await expect(open(token, ann, 'tools/call', call)).rejects.toThrow(/used before/);
  });

  it.each([
    ['another principal', bob, 'tools/call', call, /somebody else/],
    ['another method', ann, 'prompts/get', call, /another request/],
    ['another tool', ann, 'tools/call', { ...call, name: 'destroy' }, /another request/],
    ['other arguments', ann, 'tools/call', { ...call, arguments: { to: 'web2' } }, /another request/],
  ])('is refused with %s', async (_, principal, method, params, reason) => {
    const { seal, open } = codec();
    const token = await seal(round, ann, 'tools/call', call);
    await expect(open(token, principal, method, params)).rejects.toThrow(reason);
  });

  it('is refused when a single bit of it was changed', async () => {
    const { seal, open } = codec();
    const bytes = Buffer.from(await seal(round, ann, 'tools/call', call), 'base64url');
    for (const position of [0, 13, 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ 1;
      await expect(open(changed.toString('base64url'), ann, 'tools/call', call)).rejects.toThrow(/integrity/);
    }
  });

  it.each(['', undefined, 42, 'short', {}])('is refused when it is %j', async (token) => {
    await expect(codec().open(token, ann, 'tools/call', call)).rejects.toThrow(/integrity/);
  });

  it('is refused after ten minutes', async () => {
    const { seal, open } = codec();
    const token = await seal(round, ann, 'tools/call', call);
    vi.useFakeTimers({ now: Date.now() + 10 * 60_000 + 1, toFake: ['Date'] });
    try {
      await expect(open(token, ann, 'tools/call', call)).rejects.toThrow(/expired/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is read by another process that shares the key', async () => {
    const key = randomBytes(32);
    const token = await codec(key).seal(round, ann, 'tools/call', call);
    expect(await codec(key).open(token, ann, 'tools/call', call)).toEqual(round);
  });
});
