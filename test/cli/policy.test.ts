import { describe, expect, it } from 'vitest';
import { run, temporaryFile } from './run-program.ts';

const policy = (...args: string[]) => run(['policy', ...args]);
const configured = (security: object, ...args: string[]) =>
  run(['--config', temporaryFile('config.json', JSON.stringify({ execution: { security } })), 'policy', ...args]);

describe('policy test', () => {
  it('exits 5 and names the reason for what cannot be known', async () => {
    const { status, stdout } = await policy('test', 'git status && $(echo rm) -rf /');
    expect(status).toBe(5);
    expect(stdout).toMatch(/^deny: which program \$\(echo rm\) is cannot be known before it runs \(script\)\n/);
    expect(stdout).toMatch(/\nallow +git status .*\ndeny +\? -rf \/ .*\nallow +echo rm /);
  });

  it('exits 0 for what is harmless', async () => {
    expect(await policy('test', 'git add x')).toMatchObject({ status: 0, stderr: '' });
  });

  it('exits 8 for what a person has to approve', async () => {
    const rules = [{ verdict: 'ask', command: 'git', arguments: ['push'], principal: 'ci' }];
    expect((await configured({ rules }, 'test', 'git push', '--as', 'ci')).status).toBe(8);
    expect((await configured({ rules }, 'test', 'git push')).status).toBe(0);
  });

  it('takes a program and its arguments, and prints JSON', async () => {
    const { status, stdout } = await configured({ blocked_commands: ['rm'] }, 'test', '--json', '--', 'env', 'rm', 'a b');
    expect(status).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'deny',
      rule: 'blocked_commands: rm',
      commands: [{ words: ['env', 'rm', 'a b'] }, { words: ['rm', 'a b'], within: ['env rm'], verdict: 'deny' }],
    });
  });

  it('says so for a backend that does not exist', async () => {
    expect(await policy('test', 'ls', '--backend', 'nativ')).toMatchObject({
      status: 6,
      stdout: '',
      stderr: expect.stringContaining('native'),
    });
  });
});

describe('policy explain', () => {
  it('tells what holds, and what is understood of a program', async () => {
    const { stdout } = await configured({ blocked_commands: ['dd'], sandbox: 'off' }, 'explain');
    expect(stdout).toMatch(/^profile +developer: /);
    expect(stdout).toMatch(/\nblocked +dd\n/);
    expect(stdout).toMatch(/\nsandbox +off/);
    expect((await policy('explain', 'find')).stdout).toMatch(/^find: .*-exec/);
    expect(await policy('explain', 'no-such-program')).toMatchObject({ status: 6, stdout: '' });
  });
});

describe('policy lint', () => {
  it('finds what is odd, and exits 7', async () => {
    const { status, stdout } = await configured(
      {
        blocked_commands: ['rm', 'rm -rf', 'nosuchprogram'],
        allowed_commands: ['rm', 'python3'],
        rules: [{ verdict: 'allow' }, { verdict: 'ask', command: 'git' }, { verdict: 'ask', command: 'git' }],
      },
      'lint',
      '--json',
    );
    expect(status).toBe(7);
    const messages = (JSON.parse(stdout).problems as { key: string; message: string }[]).map(
      ({ key, message }) => `${key.replace('execution.security.', '')}: ${message}`,
    );
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^blocked_commands: "rm -rf" is no program/),
        expect.stringMatching(/^blocked_commands: There is no program "nosuchprogram"/),
        expect.stringMatching(/^blocked_commands: "rm" is both/),
        expect.stringMatching(/^allowed_commands: "python3" runs code/),
        expect.stringMatching(/^rules\[0\]: It allows everything/),
        expect.stringMatching(/^rules\[2\]: It says the same as rules\[1\]/),
      ]),
    );
  });
});
