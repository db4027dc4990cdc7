import { linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseEnvironment } from '../../src/guard/environment.ts';
import type { GuardRules } from '../../src/guard/guarded-backend.ts';
import { guardedNative } from '../fixtures/guard.ts';

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-guard-')));
  root = join(base, 'ws');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(base, 'ws-evil'));
  mkdirSync(join(base, 'state'));
  writeFileSync(join(root, 'inside.txt'), 'inside');
  writeFileSync(join(base, 'secret.txt'), 'secret');
  writeFileSync(join(base, 'ws-evil', 'secret.txt'), 'secret');
  writeFileSync(join(base, 'state', 'key'), 'key');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function guarded(rules: Partial<GuardRules> = {}) {
  return guardedNative(base, { restrictions: [root], ...rules });
}

async function read(path: string, rules?: Partial<GuardRules>): Promise<string> {
  await using file = await guarded(rules).files.open(path);
  return Buffer.from(await file.read(0, 1000)).toString();
}
const write = (path: string, rules?: Partial<GuardRules>) =>
  guarded(rules).files.write(path, Buffer.from('written'), { createParents: true });

function linkTwice(link: string): void {
  symlinkSync(base, `${link}2`);
  symlinkSync(`${link}2`, link);
}

describe('paths confined to a folder', () => {
  it.each(['inside.txt', './inside.txt', 'sub/../inside.txt', '/inside.txt'])('can be read below it: %s', async (path) => {
    expect(await read(path.startsWith('/') ? root + path : path)).toBe('inside');
  });

  it.each([
    ['..', () => '../secret.txt'],
    ['an absolute path', () => join(base, 'secret.txt')],
    ['a folder whose name begins alike', () => join(base, 'ws-evil', 'secret.txt')],
    ['.. through a folder that is not there', () => 'no/../../secret.txt'],
    ['a path that does not exist', () => join(base, 'nothing')],
    ['the home folder', () => '~/secret.txt'],
  ])('cannot be left by %s', async (_, path) => {
    await expect(read(path())).rejects.toMatchObject({ code: 'denied', hint: expect.stringContaining('path_restrictions') });
    await expect(write(path())).rejects.toMatchObject({ code: 'denied' });
    expect(readFileSync(join(base, 'secret.txt'), 'utf8')).toBe('secret');
  });

  it.each([
    ['a link to a file', (link: string) => symlinkSync(join(base, 'secret.txt'), link), ''],
    ['a link to a folder', (link: string) => symlinkSync(base, link), '/secret.txt'],
    ['a link to a link', linkTwice, '/secret.txt'],
    ['a relative link', (link: string) => symlinkSync('../..', link), '/secret.txt'],
  ])('cannot be left by %s', async (_, make, rest) => {
    make(join(root, 'sub', 'link'));
    await expect(read(`sub/link${rest}`)).rejects.toMatchObject({ code: 'denied' });
    await expect(write(`sub/link${rest}`)).rejects.toMatchObject({ code: 'denied' });
    expect(readFileSync(join(base, 'secret.txt'), 'utf8')).toBe('secret');
  });

  it('cannot be left by a link that leads to nothing yet, nor by a linked parent of a new file', async () => {
    symlinkSync(join(base, 'new.txt'), join(root, 'dangling'));
    symlinkSync(base, join(root, 'parent'));
    await expect(write('dangling')).rejects.toMatchObject({ code: 'denied' });
    await expect(write('parent/new.txt')).rejects.toMatchObject({ code: 'denied' });
    await expect(write('parent/deep/er/new.txt')).rejects.toMatchObject({ code: 'denied' });
    expect(() => readFileSync(join(base, 'new.txt'))).toThrow();
  });

  it('may go through links that stay inside, and be told as what they are', async () => {
    symlinkSync('../inside.txt', join(root, 'sub', 'link'));
    expect(await read('sub/link')).toBe('inside');
    expect(await guarded().files.stat('sub/link')).toMatchObject({ kind: 'symlink', linkTarget: '../inside.txt' });
  });

  it('work when the folder itself is a link', async () => {
    symlinkSync(root, join(base, 'link-to-root'));
    const rules = { restrictions: [join(base, 'link-to-root')], workspace: join(base, 'link-to-root') };
    expect(await read('inside.txt', rules)).toBe('inside');
    await write('new.txt', rules);
    expect(readFileSync(join(root, 'new.txt'), 'utf8')).toBe('written');
  });

  it.each([
    '/proc/self/root/etc/passwd',
    '/proc/self/cwd',
    '/proc/1/environ',
    '/proc/thread-self/fd/0',
    '/dev/stdin',
    '/dev/sda',
  ])('do not open the door %s, even where everything may be read', async (path) => {
    await expect(read(path, { restrictions: [] })).rejects.toMatchObject({ code: 'denied' });
    await expect(write(path, { restrictions: ['/'] })).rejects.toMatchObject({ code: 'denied' });
  });

  it.each(['', 'a\0b'])('refuse %j', async (path) => {
    await expect(read(path)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('confine where commands work', async () => {
    const run = (cwd: string) =>
      guarded().exec(
        { command: { kind: 'script', script: 'pwd' }, cwd, env: {}, timeoutMs: 5000, maxOutputBytes: 1000 },
        { signal: new AbortController().signal },
      );
    await expect(run(base)).rejects.toMatchObject({ code: 'denied' });
    expect((await run(join(root, 'sub'))).exitCode).toBe(0);
  });

  it('confine listings and searches', async () => {
    await expect(guarded().files.list(base, { hidden: true, limit: 10 })).rejects.toMatchObject({ code: 'denied' });
    await expect(
      guarded().files.search(
        { directory: base, caseSensitive: true, hidden: true, respectIgnores: false, limit: 10 },
        new AbortController().signal,
      ),
    ).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('paths without restrictions', () => {
  const rules = { restrictions: [] };

  it('may be read anywhere, and tell what does not exist', async () => {
    expect(await read(join(base, 'secret.txt'), rules)).toBe('secret');
    await expect(read('/nonexistent', rules)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('may be written only below the workspace and the temporary folder', async () => {
    await write('new.txt', rules);
    await write(join(base, 'tmp', 'new.txt'), rules);
    await expect(write(join(base, 'new.txt'), rules)).rejects.toMatchObject({ code: 'denied' });
  });

  it('may not be written everywhere because the workspace is /', async () => {
    await expect(write(join(base, 'new.txt'), { ...rules, workspace: '/' })).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('our own files', () => {
  const rules = () => ({ restrictions: [base] });

  it.each(['state/key', 'state/not-there-yet', 'state'])('are out of reach: %s', async (path) => {
    await expect(read(join(base, path), rules())).rejects.toMatchObject({ code: 'denied' });
    await expect(write(join(base, path), rules())).rejects.toMatchObject({ code: 'denied' });
  });

  it('are out of reach through links', async () => {
    symlinkSync(join(base, 'state'), join(root, 'link'));
    await expect(read('link/key', rules())).rejects.toMatchObject({ code: 'denied' });
    await expect(write('link/new', rules())).rejects.toMatchObject({ code: 'denied' });
  });

  it('are not found by a search above them', async () => {
    const { matches } = await guarded(rules()).files.search(
      { directory: base, content: 'key|secret', caseSensitive: true, hidden: true, respectIgnores: false, limit: 100 },
      new AbortController().signal,
    );
    expect(matches.map(({ path }) => path).sort()).toEqual(['secret.txt', 'ws-evil/secret.txt']);
  });

  it('are out of reach through hard links', async () => {
    linkSync(join(base, 'state', 'key'), join(root, 'hard'));
    await expect(read('hard', rules())).rejects.toMatchObject({ code: 'denied' });
    await expect(write('hard', rules())).rejects.toMatchObject({ code: 'denied' });
    expect(readFileSync(join(base, 'state', 'key'), 'utf8')).toBe('key');
  });
});

describe('the environment of commands', () => {
  it('is minimal, with what was passed through and added', () => {
    process.env.MCP_TEST_SECRET = 'secret';
    process.env.MCP_TEST_PASSED = 'passed';
    try {
      const environment = guarded({ environment: baseEnvironment(process.env, ['MCP_TEST_PASSED']) }).environment({
        COLOUR: 'red',
      });
      expect(environment).toMatchObject({ MCP_TEST_PASSED: 'passed', COLOUR: 'red', TERM: 'dumb' });
      expect(environment).not.toHaveProperty('MCP_TEST_SECRET');
    } finally {
      delete process.env.MCP_TEST_SECRET;
      delete process.env.MCP_TEST_PASSED;
    }
  });

  it.each([
    'LD_PRELOAD',
    'PATH',
    'BASH_ENV',
    'BASH_FUNC_ls%%',
    'NODE_OPTIONS',
    'PYTHONSTARTUP',
    'GIT_SSH_COMMAND',
    'PAGER',
    'MCP_PYTHON_COMMAND',
    'IFS',
  ])('does not take %s from a caller', (name) => {
    expect(() => guarded().environment({ [name]: 'x' })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/denied|invalid_input/) }),
    );
  });

  it.each(['CI', 'DEBUG', 'GIT_AUTHOR_NAME', 'NODE_ENV', 'AWS_REGION', 'LDAP_HOST'])('takes %s from a caller', (name) => {
    expect(guarded().environment({ [name]: 'x' })[name]).toBe('x');
  });
});
