import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyRule } from '../../src/config/schema.ts';
import { type Approvals, createApprovals } from '../../src/guard/approvals.ts';
import type { GuardedCall, PersonAnswer } from '../../src/guard/guarded-call.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { guardedNative, LOCAL_CALL } from '../fixtures/guard.ts';

let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-approvals-')));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const ASK: PolicyRule = { verdict: 'ask', command: 'touch', reason: 'touching is delicate' };

/** Runs `touch <name>` in the workspace on behalf of the call. */
function touch(name: string, call: Partial<GuardedCall> = {}, added: { env?: Record<string, string>; stdin?: Buffer } = {}) {
  const rules = { workspace: base, policy: { profile: 'developer', allowed: [], blocked: [], rules: [ASK] } } as const;
  const backend = guardedNative(base, rules, { ...LOCAL_CALL, ...call });
  return backend.exec(
    {
      command: { kind: 'script', script: `touch ${name}` },
      cwd: base,
      env: backend.environment(added.env),
      ...(added.stdin && { stdin: added.stdin }),
      timeoutMs: 5000,
      maxOutputBytes: 1000,
    },
    { signal: new AbortController().signal },
  );
}

const exists = (name: string) => existsSync(join(base, name));
const terminal = (): Approvals => createApprovals(join(base, 'state', 'approvals'), 600);

describe('a command that a person has to approve, where nobody can be asked', () => {
  it('does not run, and says how to approve it', async () => {
    await expect(touch('x')).rejects.toMatchObject({
      code: 'needs_approval',
      message: expect.stringContaining('touching is delicate'),
      hint: expect.stringMatching(/mcp-python approve [0-9a-f]{8}/),
    });
    expect(exists('x')).toBe(false);
    expect(await terminal().pending()).toMatchObject([{ command: 'touch x', principal: 'local', backend: 'native' }]);
  });

  it('runs once after it was approved at a terminal', async () => {
    const { details } = await touch('x').then(fail, (thrown) => thrown);
    await terminal().decide(details.approval, 'once');
    expect(await touch('x')).toMatchObject({ exitCode: 0 });
    expect(exists('x')).toBe(true);
    await expect(touch('x')).rejects.toMatchObject({ code: 'needs_approval' });
  });

  it('is declined for good when the person says so', async () => {
    const { details } = await touch('x').then(fail, (thrown) => thrown);
    await terminal().decide(details.approval, 'declined');
    await expect(touch('x')).rejects.toMatchObject({ code: 'denied' });
  });

  it('waits with all that leave is given for, and without secrets', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    await touch(`x${token}`, {}, { env: { TOUCHED: token } }).catch(() => {});
    const [waiting] = await terminal().pending();
    expect(waiting?.circumstances).toEqual([`in the folder ${base}`, expect.stringMatching(/^with TOUCHED=\[redacted/)]);
    expect(JSON.stringify(waiting)).not.toContain(token);
  });

  it('waits once however often it is asked for', async () => {
    await Promise.allSettled([touch('x'), touch('y')]);
    await touch('x').catch(() => {});
    expect((await terminal().pending()).map(({ command }) => command).sort()).toEqual(['touch x', 'touch y']);
  });

  it('gives leave for that command and that principal only', async () => {
    const { details } = await touch('x').then(fail, (thrown) => thrown);
    await terminal().decide(details.approval, 'once');
    await expect(touch('y')).rejects.toMatchObject({ code: 'needs_approval' });
    await expect(touch('x', { principal: { ...LOCAL_PRINCIPAL, id: 'key:bob' } })).rejects.toMatchObject({
      code: 'needs_approval',
    });
  });

  it('runs once when two calls at once use the same leave', async () => {
    const { details } = await touch('x').then(fail, (thrown) => thrown);
    await terminal().decide(details.approval, 'once');
    const ended = await Promise.allSettled([touch('x'), touch('x'), touch('x')]);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('cannot be approved twice, nor when it has expired', async () => {
    const expired = createApprovals(join(base, 'state', 'approvals'), 0);
    const { id } = await expired.submit({
      command: 'x',
      circumstances: [],
      backend: 'native',
      principal: 'local',
      tool: 't',
      reason: 'r',
      binding: 'b',
    });
    await expect(terminal().decide(id, 'once')).rejects.toMatchObject({ code: 'not_found' });
    const { details } = await touch('x').then(fail, (thrown) => thrown);
    await terminal().decide(details.approval, 'once');
    await expect(terminal().decide(details.approval, 'session')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a person who is asked through the client', () => {
  const answering = (answer: PersonAnswer, asked: string[] = []): Partial<GuardedCall> => ({
    session: 's1',
    askPerson: async ({ message }) => {
      asked.push(message);
      return answer;
    },
  });

  it('sees the command and the reason, and lets it run once', async () => {
    const asked: string[] = [];
    expect(await touch('x', answering('once', asked))).toMatchObject({ exitCode: 0 });
    expect(asked).toEqual([expect.stringMatching(/touch x.*touching is delicate/s)]);
  });

  it('sees where it would run, and with which variables and input', async () => {
    const asked: string[] = [];
    await touch('x', answering('once', asked), { env: { TOUCHED: 'much' }, stdin: Buffer.from('rm -r everything\n') });
    const [question] = asked;
    expect(question).toContain(`in the folder ${base}`);
    expect(question).toContain('TOUCHED=much');
    expect(question).toContain('fed 17 bytes: rm -r everything');
    expect(question).not.toContain('PATH=');
  });

  it('can tell our lines from those of the command', async () => {
    const asked: string[] = [];
    await touch('x\n\nYou are asked because it is harmless.', answering('declined', asked)).catch(() => {});
    expect(asked[0]?.split('\n').filter((line) => line.startsWith('You are asked'))).toEqual([
      'You are asked because touching is delicate.',
    ]);
  });

  it('may decline', async () => {
    await expect(touch('x', answering('declined'))).rejects.toMatchObject({ code: 'denied' });
    expect(exists('x')).toBe(false);
  });

  it('is asked again for each command', async () => {
    const asked: string[] = [];
    await touch('x', answering('once', asked));
    await touch('x', answering('once', asked));
    expect(asked).toHaveLength(2);
  });
});

function fail(): never {
  throw new Error('It ran.');
}
