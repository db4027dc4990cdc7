import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardRules } from '../../src/guard/guarded-backend.ts';
import { magicReason } from '../../src/guard/magic-paths.ts';
import { guardedNative } from '../fixtures/guard.ts';

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-guard-')));
  root = join(base, 'ws');
  mkdirSync(root);
  writeFileSync(join(root, 'inside.txt'), 'inside');
  writeFileSync(join(base, 'secret.txt'), 'secret');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function guarded(rules: Partial<GuardRules> = {}) {
  return guardedNative(base, { protectedPaths: [join(root, 'state', 'mcp-python')], ...rules });
}

const signal = () => new AbortController().signal;
const write = (path: string, rules?: Partial<GuardRules>) =>
  guarded(rules).files.write(path, Buffer.from('written'), { createParents: true });
const search = (directory: string) =>
  guarded().files.search({ directory, caseSensitive: true, hidden: true, respectIgnores: false, limit: 10 }, signal());
const run = (cwd: string, env: Record<string, string> = {}) =>
  guarded().exec(
    { command: { kind: 'script', script: 'env' }, cwd, env, timeoutMs: 5000, maxOutputBytes: 5000 },
    { signal: signal() },
  );

describe('magic paths', () => {
  it.each([
    '/proc/self/root',
    '/proc/self/root/etc/passwd',
    '/proc/1/cwd/x',
    '/proc/1/task/1/environ',
    '/proc/thread-self/fd/3',
    '/proc/self/mem',
    '/proc/kcore',
    '/proc/kmsg',
    '/sys/kernel/debug/tracing/trace_pipe',
    '/sys/kernel/tracing/trace_pipe',
    '/dev/zero',
    '/dev/fd/0',
  ])('are never opened: %s', (path) => expect(magicReason(path, 'read')).toMatch(/leads into|device/));

  it.each([
    '/proc/cpuinfo',
    '/proc/self/status',
    '/proc/sys/kernel/hostname',
    '/sys/class/net',
    '/dev/shm/x',
    '/srv/proc/self/fd',
  ])('are not plain facts: %s may be read', (path) => expect(magicReason(path, 'read')).toBeUndefined());

  it.each(['/proc', '/proc/self', '/sys/class', '/dev'])('are not searched below %s, nor written there', async (path) => {
    await expect(search(path)).rejects.toMatchObject({ code: 'denied' });
    await expect(write(`${path}/new`, { restrictions: ['/'] })).rejects.toMatchObject({ code: 'denied' });
  });

  it.runIf(process.platform === 'linux')('are recognized through links', async () => {
    symlinkSync('/proc/self', join(root, 'self'));
    symlinkSync('/proc/self/environ', join(root, 'environ'));
    await expect(guarded().files.open('self/environ')).rejects.toMatchObject({ code: 'denied' });
    await expect(guarded().files.open('environ')).rejects.toMatchObject({ code: 'denied' });
    await expect(search('self')).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('a place of ours that does not exist yet', () => {
  it('cannot be blocked by a file where its folder will be', async () => {
    await expect(write('state')).rejects.toMatchObject({ code: 'denied' });
    expect(existsSync(join(root, 'state'))).toBe(false);
  });

  it('leaves its neighbours alone', async () => {
    await write('state/other');
    await write('state/mcp-python-notes');
    expect(existsSync(join(root, 'state', 'mcp-python-notes'))).toBe(true);
  });

  it('cannot be reached through a link that is made first', async () => {
    mkdirSync(join(root, 'state'));
    symlinkSync(join(root, 'state', 'mcp-python'), join(root, 'link'));
    await expect(write('link')).rejects.toMatchObject({ code: 'denied' });
    await expect(write('link/key')).rejects.toMatchObject({ code: 'denied' });
    expect(existsSync(join(root, 'state', 'mcp-python'))).toBe(false);
  });
});

describe('a place of ours', () => {
  beforeEach(() => {
    mkdirSync(join(root, 'state', 'mcp-python'), { recursive: true });
    writeFileSync(join(root, 'state', 'mcp-python', 'key'), 'key');
  });

  it('is not told about: no size, no entry, no match, no working directory', async () => {
    await expect(guarded().files.stat('state/mcp-python')).rejects.toMatchObject({ code: 'denied' });
    await expect(guarded().files.stat('state/mcp-python/key')).rejects.toMatchObject({ code: 'denied' });
    await expect(guarded().files.open('state/mcp-python/key/x')).rejects.toMatchObject({ code: 'denied' });
    expect((await guarded().files.list('state', { hidden: true, limit: 10 })).entries).toEqual([]);
    expect((await search('.')).matches.map(({ path }) => path)).toEqual(['inside.txt']);
    await expect(search('state/mcp-python')).rejects.toMatchObject({ code: 'denied' });
    await expect(run('state/mcp-python')).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('the edges of a confined folder', () => {
  it('can be looked at themselves, also when they are links', async () => {
    symlinkSync(root, join(base, 'link-to-root'));
    expect(await guarded({ restrictions: [root] }).files.stat('.')).toMatchObject({ kind: 'directory' });
    const linked = guarded({ restrictions: [join(base, 'link-to-root')] });
    expect(await linked.files.stat(join(base, 'link-to-root'))).toMatchObject({ kind: 'symlink' });
    await expect(linked.files.stat(join(base, 'secret.txt'))).rejects.toMatchObject({ code: 'denied' });
  });

  it('do not tell what is a file, a folder or nothing outside', async () => {
    symlinkSync(base, join(root, 'out'));
    const { files } = guarded({ restrictions: [root] });
    for (const path of [
      '../secret.txt/x',
      '../ws-not-there/x',
      'out/secret.txt/x',
      'out/nothing/x',
      '../secret.txt',
      '../nothing',
    ]) {
      await expect(files.open(path), path).rejects.toMatchObject({ code: 'denied' });
      await expect(files.stat(path), path).rejects.toMatchObject({ code: 'denied' });
    }
    await expect(files.open('inside.txt/x')).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('are not the whole disk because the workspace is a link to /', async () => {
    symlinkSync('/', join(base, 'slash'));
    const rules = { workspace: join(base, 'slash') };
    await expect(write(join(base, 'new.txt'), rules)).rejects.toMatchObject({ code: 'denied' });
    await expect(write('new.txt', rules)).rejects.toMatchObject({ code: 'denied' });
  });

  it('are named when they are left, without terminal escapes of the path', async () => {
    await expect(write('/usr/\u001b[2Kx', {})).rejects.toThrow(`/usr/x is out of bounds: writing is confined to ${root}`);
  });
});

describe('commands behind the guard', () => {
  it('work in folders only', async () => {
    await expect(run('inside.txt')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(run('not-there')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('get no loader variables from a tool that makes up its own environment', async () => {
    await expect(run('.', { LD_PRELOAD: '/x.so' })).rejects.toMatchObject({ code: 'denied' });
    await expect(run('.', { ...guarded().environment(), PATH: '/evil' })).rejects.toMatchObject({ code: 'denied' });
    expect((await run('.', guarded().environment({ COLOUR: 'red' }))).exitCode).toBe(0);
  });
});
