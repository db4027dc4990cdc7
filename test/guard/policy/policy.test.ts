import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNativeBackend } from '../../../src/backends/native.ts';
import type { PolicyRule } from '../../../src/config/schema.ts';
import type { Decision } from '../../../src/guard/policy/decision.ts';
import { decide } from '../../../src/guard/policy/policy.ts';
import { createProgramFinder } from '../../../src/guard/policy/programs.ts';
import type { PolicySettings } from '../../../src/guard/policy/settings.ts';

let cwd: string;
beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-policy-')));
  mkdirSync(join(cwd, 'bin'));
  symlinkSync('/bin/rm', join(cwd, 'bin/innocent'));
  writeFileSync(join(cwd, 'bin/own'), '#!/bin/sh\n', { mode: 0o755 });
  linkSync(join(cwd, 'bin/own'), join(cwd, 'bin/other'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const finder = createProgramFinder(createNativeBackend());

interface Case extends Partial<PolicySettings> {
  readonly principal?: string;
  readonly tool?: string;
  readonly backend?: string;
  readonly stdin?: string;
}

function ask(command: string | readonly [string, ...string[]], settings: Case = {}): Promise<Decision> {
  const { principal = 'local', tool = 'execute_command', backend = 'native', stdin, ...rest } = settings;
  return decide(
    { profile: 'developer', allowed: [], blocked: [], rules: [], pathsRestricted: false, sandboxed: true, ...rest },
    {
      command: typeof command === 'string' ? { kind: 'script', script: command } : { kind: 'argv', argv: command },
      cwd,
      home: cwd,
      searchPath: `${process.env.PATH}`,
      environment: {},
      principal,
      tool,
      backend,
      stdin,
    },
    {
      finder,
      objection: async (path, use) => (use === 'write' && !path.startsWith(cwd) ? `${path} is out of bounds` : undefined),
    },
  );
}
const verdict = async (...args: Parameters<typeof ask>) => (await ask(...args)).verdict;

describe('a decision', () => {
  it('is made for every program of the script, and the strictest one holds', async () => {
    const decision = await ask('ls | wc -l; env rm x', { blocked: ['rm'] });
    expect(decision).toMatchObject({ verdict: 'deny', rule: 'blocked_commands: rm', shell: 'sh' });
    expect(decision.commands.map(({ words, verdict, within }) => [words.join(' '), verdict, within])).toEqual([
      ['ls', 'allow', []],
      ['wc -l', 'allow', []],
      ['env rm x', 'allow', []],
      ['rm x', 'deny', ['env rm']],
    ]);
  });

  it('tells the file that a program is', async () => {
    const [command] = (await ask('ls')).commands;
    expect(command?.program).toMatch(/^\/.*\/ls$|coreutils|busybox/);
  });

  it('has Bash run what only Bash reads so', async () => {
    expect((await ask('[[ -f x ]]')).shell).toBe('bash');
    expect((await ask(['ls'])).shell).toBeUndefined();
  });

  it('sees what is fed to a shell', async () => {
    expect(await verdict('sh', { stdin: 'rm x', blocked: ['rm'] })).toBe('deny');
    expect(await verdict(['sh'], { stdin: 'rm x', blocked: ['rm'] })).toBe('deny');
    expect(await verdict('cat', { stdin: 'rm x', blocked: ['rm'] })).toBe('allow');
  });
});

describe('a blocked program', () => {
  it.each(['./bin/innocent x', 'bin/innocent x', '/bin/rm x', '"r"m x', 'command rm x'])(
    'is so by any name: %s',
    async (script) => {
      expect(await verdict(script, { blocked: ['rm'] })).toBe('deny');
    },
  );

  it('is so by a hard link', async () => {
    expect(await verdict('bin/other', { blocked: [join(cwd, 'bin/own')] })).toBe('deny');
  });

  it.each(['echo rm', 'grep -r "rm -rf" .', 'git rm-something-else; echo', 'npm run format', "git commit -m 'rm'"])(
    'is not named by text: %s',
    async (script) => {
      expect(
        (await ask(script, { blocked: ['rm', 'dd', 'format'] })).commands.every(({ rule }) => !rule.startsWith('blocked')),
      ).toBe(true);
    },
  );

  it('stays blocked whatever a rule allows', async () => {
    expect(
      await verdict('rm x', { blocked: ['rm'], rules: [{ verdict: 'allow', command: 'rm' }], profile: 'unrestricted' }),
    ).toBe('deny');
  });
});

describe('a list of allowed programs', () => {
  const allowed = ['git', 'ls', 'sh'];
  it.each([
    'git status',
    'ls -la && git log',
    'cd x && ls',
    'for f in a b; do ls $f; done',
    'echo hi; test -f x',
    'f() { ls; }; f',
    'sh build.sh',
  ])('lets pass %s', async (script) => {
    expect(await verdict(script, { allowed })).toBe('allow');
  });

  it.each([
    'cat x',
    './git',
    'bin/own',
    'nosuch',
    '$(ls)',
    'eval ls"$x"',
    'ls `cat x`',
    'git $x',
    'kill 1',
    'sh -c "$x"',
    'cat x | sh',
    'ls "',
  ])('refuses %s', async (script) => {
    expect(await verdict(script, { allowed })).toBe('deny');
  });
});

describe('rules', () => {
  const rule = (given: Partial<PolicyRule>): Case => ({ rules: [{ verdict: 'ask', ...given }] });

  it('apply to programs, arguments, tools, backends and principals', async () => {
    expect(await verdict('git push', rule({ command: 'git', arguments: ['push'] }))).toBe('ask');
    expect(await verdict('git pull', rule({ command: 'git', arguments: ['push'] }))).toBe('allow');
    expect(await verdict('ls', rule({ command: 'git' }))).toBe('allow');
    expect(await verdict('ls', rule({ tool: 'execute_*' }))).toBe('ask');
    expect(await verdict('ls', rule({ tool: 'git_operation' }))).toBe('allow');
    expect(await verdict('ls', { ...rule({ backend: 'ssh:*' }), backend: 'ssh:web1' })).toBe('ask');
    expect(await verdict('ls', rule({ backend: 'ssh:*' }))).toBe('allow');
    expect(await verdict('ls', { ...rule({ principal: 'ci' }), principal: 'ci' })).toBe('ask');
    expect(await verdict('ls', rule({ principal: 'ci' }))).toBe('allow');
  });

  it('give the strictest verdict of those that apply, and its reason', async () => {
    const rules: PolicyRule[] = [
      { verdict: 'allow', command: 'git' },
      { verdict: 'deny', command: 'git', arguments: ['push', '--force'], reason: 'history is for keeps' },
      { verdict: 'ask', command: 'git', arguments: ['push'] },
    ];
    expect(await ask('git push --force', { rules })).toMatchObject({
      verdict: 'deny',
      rule: 'rules[1]',
      reason: 'history is for keeps',
    });
    expect(await ask('git push', { rules })).toMatchObject({ verdict: 'ask', rule: 'rules[2]' });
    expect(await ask('git status', { rules })).toMatchObject({ verdict: 'allow' });
  });

  it('that forbid apply to arguments that are not known, those that allow do not', async () => {
    expect(await verdict('git $x', { rules: [{ verdict: 'deny', command: 'git', arguments: ['push'] }] })).toBe('deny');
    const lenient: Case = { blocked: ['rm'], rules: [{ verdict: 'allow', command: 'python3', arguments: ['-c', 'print*'] }] };
    expect(await verdict("python3 -c 'print(1)'", lenient)).toBe('allow');
    expect(await verdict('python3 -c "$x"', lenient)).toBe('deny');
  });

  it('that allow lift what the profile has against a program, and the list of allowed ones', async () => {
    expect(await verdict('sudo ls')).toBe('deny');
    expect(await verdict('sudo ls', { rules: [{ verdict: 'allow', command: 'sudo' }] })).toBe('allow');
    expect(await verdict('cat x', { allowed: ['ls'], rules: [{ verdict: 'allow', command: 'cat' }] })).toBe('allow');
  });

  it('do not lift the bounds of paths', async () => {
    expect(await verdict('echo x > /etc/x', { rules: [{ verdict: 'allow' }] })).toBe('deny');
  });
});

describe('the profile', () => {
  it.each([
    'ls -la | sort',
    'git log',
    'git diff | head',
    'find . -name x',
    'cat x 2>/dev/null',
    'sed -n 1p x',
    'du -sh .',
    'ps aux',
    'systemctl status x',
    'tar tf x.tar',
    "awk '{print $1}' x",
  ])('read-only lets look: %s', async (script) => {
    expect(await verdict(script, { profile: 'read-only' })).toBe('allow');
  });

  it.each([
    'touch x',
    'git commit',
    'echo x > y',
    'find . -delete',
    'sed -i s/a/b/ x',
    'npm test',
    'python3 x.py',
    'curl http://x',
    'nosuchprogram',
    'sh x',
    'rm x',
    './bin/own',
    'tee x',
    'sort -o x y',
    'git fetch',
    'kill 1',
  ])('read-only lets nothing be changed: %s', async (script) => {
    expect(await verdict(script, { profile: 'read-only' })).toBe('deny');
  });

  it.each([
    'sudo ls',
    'mkfs /dev/sda',
    'shutdown now',
    'apt-get install x',
    'systemctl restart x',
    'useradd x',
    'mount /dev/x /y',
    'crontab x',
    'mcp-python approve x',
  ])('developer lets nobody act on the machine itself: %s', async (script) => {
    expect(await verdict(script)).toBe('deny');
  });

  it('unrestricted refuses nothing', async () => {
    for (const script of ['sudo ls', '$x y', 'eval "$y"', 'ls "'])
      expect(await verdict(script, { profile: 'unrestricted' })).toBe('allow');
  });
});

describe('files that a command names', () => {
  it.each([
    'echo x > /etc/x',
    'tee /etc/x',
    'cd /etc && echo x > x',
    'cp a /etc/x',
    'sed -i s/a/b/ /etc/x',
    'tar xf a -C /etc',
    'git -C /etc commit',
    'touch ../x',
    'cd .. ; touch x',
  ])('are held to their bounds: %s', async (script) => {
    expect(await ask(script)).toMatchObject({ verdict: 'deny', rule: 'paths' });
  });

  it.each(['echo x > y', 'cd /etc; ls', 'cd bin && touch x', 'ls > /dev/null 2>&1', 'cp /etc/hosts here', 'touch ~/x'])(
    'may be these: %s',
    async (script) => {
      expect(await verdict(script)).toBe('allow');
    },
  );

  it('whose names are computed are refused where nothing else holds them', async () => {
    expect(await verdict('echo x > $y', { blocked: ['rm'], sandboxed: false })).toBe('deny');
    expect(await verdict('echo x > $y', { blocked: ['rm'], sandboxed: true })).toBe('allow');
    expect(await verdict('echo x > $y', { sandboxed: false })).toBe('allow');
  });
});

describe('programs that are named one by one, as with a list of those that are blocked', () => {
  it.each([
    'z=5; echo $((z + 1))',
    'n=1; n=$((n + 1)); echo ${s:n:2} ${s: -2}',
    'f() { echo $(( $1 + 1 )); }; f 3',
    'arr=(a b c); echo ${arr[1]} ${#arr[@]}',
    'mapfile -t lines < f; echo ${#lines[@]}',
    'declare -i n=5; let n=n+1; echo $n',
    'RANDOM=42; echo $RANDOM; SECONDS=0; printf "$x" y',
    '[ "$a" = "$b" ] && [ ! -e $f ] && [[ $a == $b && -v HOME ]] && test "$a" -ge "$b"',
    "bash -c 'for i in 1 2; do echo $((i * 2)); done'",
    'awk \'/foo/ { print $1/$2 } END { print sum/NR " avg" }\' f',
    'awk \'{print $1/1024 " MB/s"}\' f',
    "sed 's/[/]/_/g; s#a#b#; s,c,d,' f",
    'node --import ./setup.mjs --test --test-reporter=spec',
    'python3 -m json.tool x.json && python3 -m venv .venv && . .venv/bin/activate',
    'cp config . && cp -r src/. dst/ && cp config app/',
    'env -C sub touch x && make -C sub test && git -C sub status',
    'find . -name x -execdir grep -l y {} \\;',
    'env -C / ls > out.txt',
    'frobnicate --message "never run rm here"',
  ])('let pass: %s', async (script) => {
    const decision = await ask(script, { blocked: ['rm', 'curl'] });
    expect(decision, decision.reason).toMatchObject({ verdict: 'allow' });
  });

  it('do not let pass what a program that nobody knows is given to run', async () => {
    expect(await verdict('frobnicate rm x', { blocked: ['rm'] })).toBe('deny');
    expect(await verdict("frobnicate -c 'true; /bin/rm x'", { blocked: ['rm'] })).toBe('deny');
    expect(await verdict('frobnicate rm x', { blocked: ['curl'] })).toBe('allow');
  });

  it('do not let pass a name that means another program in a folder that the script may be in', async () => {
    expect(await verdict('cd bin; ./own', { blocked: ['rm'] })).toBe('deny');
    expect(await verdict('bin/own; cd .', { blocked: ['rm'] })).toBe('allow');
  });
});
