import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExecRequest, ExecResult, ResourceLimits } from '../../../src/backends/backend.ts';
import { openCgroupV1 } from '../../../src/backends/limits/cgroup-v1.ts';
import { openCgroupV2 } from '../../../src/backends/limits/cgroup-v2.ts';
import { type Limiter, openLimiter } from '../../../src/backends/limits/limiter.ts';
import type { OwnGroups } from '../../../src/backends/limits/own-groups.ts';
import { createNativeBackend } from '../../../src/backends/native.ts';
import { execNative } from '../../../src/backends/native-exec.ts';
import { createReaper } from '../../../src/backends/reaper.ts';
import { createProxyPool } from '../../../src/backends/sandbox/proxy-pool.ts';
import { eventually, processesWith, watchLateness } from '../watching.ts';

const MEBIBYTE = 2 ** 20;
const LIMITS: ResourceLimits = { memoryBytes: 64 * MEBIBYTE, cpus: 1, processes: 40 };

/** Version 1 as it is where only these controllers are mounted. */
const version1With =
  (...controllers: string[]) =>
  (own: OwnGroups) =>
    openCgroupV1(new Map([...own].filter(([controller]) => controllers.includes(controller))));

const WAYS = {
  'control groups, version 2': [openCgroupV2],
  'control groups, version 1 beside a tree of version 2': [openCgroupV1],
  'control groups, version 1 alone': [version1With('memory', 'pids', 'cpu', 'cpuacct', 'freezer')],
  'control groups, version 1 without a way to stop a group': [version1With('memory', 'pids', 'cpu', 'cpuacct')],
};

const limiters = new Map<string, Limiter>();
for (const [way, openers] of Object.entries(WAYS)) {
  const limiter = await openLimiter(openers);
  if (limiter.notEnforced.length === 0) limiters.set(way, limiter);
  else await limiter.close();
}
const processLimits = await openLimiter([]);
const reaper = createReaper();
for (const { homes } of limiters.values()) reaper.own(homes);

afterAll(() => Promise.all([...limiters.values(), processLimits].map((limiter) => limiter.close())));

interface Told extends Omit<ExecResult, 'stdout' | 'stderr'> {
  readonly stdout: string;
  readonly stderr: string;
  /** The most that a timer of 5 ms was late meanwhile, milliseconds. */
  readonly latestMs: number;
}

function runIn(limiter: Limiter | undefined) {
  return async (script: string, request: Partial<ExecRequest> = {}): Promise<Told> => {
    const latest = watchLateness();
    const result = await execNative(
      {
        command: { kind: 'argv', argv: ['bash', '-c', script] },
        cwd: '/',
        env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
        timeoutMs: 10_000,
        maxOutputBytes: 10_000,
        limits: LIMITS,
        ...request,
      },
      { signal: new AbortController().signal },
      { reaper, proxies: createProxyPool(), limiter: () => Promise.resolve(limiter ?? processLimits) },
    );
    const text = (stream: ExecResult['stdout']) => Buffer.concat([stream.head, stream.tail]).toString();
    return { ...result, stdout: text(result.stdout), stderr: text(result.stderr), latestMs: latest() };
  };
}

function groupsIn({ homes }: Pick<Limiter, 'homes'>): string[] {
  return homes.filter(existsSync).flatMap((home) =>
    readdirSync(home, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(home, name)),
  );
}

const BOMB = ':(){ :|:& };:; sleep 2';
/** Leaves its process group and its parent. */
const RUNAWAY = "setsid sh -c 'sleep 60 & sleep 60 & wait' >/dev/null 2>&1 &";

it.runIf(process.env.CI === 'true')('there are control groups here to test with', () => {
  expect([...limiters.keys()]).not.toEqual([]);
});

describe.each(Object.keys(WAYS))('limits by %s', (way) => {
  const limiter = limiters.get(way);
  const run = runIn(limiter);
  const here = it.skipIf(!limiter);

  here('let a harmless command be, and tell what it used', async () => {
    const result = await run('echo hi; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 3');
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 3, signal: null, stdout: 'hi\n', stderr: '' });
    expect(result.limitHit).toBeUndefined();
    expect(result.resources.cpuMs).toBeGreaterThan(10);
    expect(result.resources.maxRssBytes).toBeGreaterThan(100_000);
  });

  here('end a command that wants more memory, with all of it', async () => {
    const result = await run('tail /dev/zero; sleep 60');
    expect(result).toMatchObject({ outcome: 'exited', limitHit: 'memory' });
    expect(result.durationMs).toBeLessThan(8000);
    expect(result.resources.maxRssBytes).toBeLessThanOrEqual(LIMITS.memoryBytes);
    expect(result.latestMs).toBeLessThan(500);
  });

  here('count the memory of all processes together', async () => {
    const hog = "perl -e '$x = q(x) x (1024 * 1024 * 25); sleep 5'";
    expect(await run(`${hog} & ${hog} & ${hog} & wait`)).toMatchObject({ limitHit: 'memory' });
  });

  here('stop a fork bomb, and nothing of it is left', async () => {
    const word = randomUUID();
    const result = await run(BOMB, { env: { PATH: '/usr/bin:/bin', WORD: word }, timeoutMs: 1000 });
    expect(result.limitHit).toBe('processes');
    expect(result.latestMs).toBeLessThan(500);
    expect(processesWith(word)).toEqual([]);
  });

  here('hold busy processes to the cores they may use', async () => {
    const cpus = availableParallelism() / 2 - 0.1;
    const busy = Array.from({ length: 4 }, () => 'while :; do :; done &').join(' ');
    const result = await run(`${busy} wait`, { limits: { ...LIMITS, cpus }, timeoutMs: 1000 });
    expect(result.outcome).toBe('timeout');
    expect(result.resources.cpuMs).toBeGreaterThan(100);
    expect(result.resources.cpuMs).toBeLessThan(result.durationMs * cpus + 250);
  });

  here('do not take what left its process group for gone', async () => {
    const word = randomUUID();
    const result = await run(`${RUNAWAY} env -i ${RUNAWAY} echo done`, { env: { PATH: '/usr/bin:/bin', WORD: word } });
    expect(result.stdout).toBe('done\n');
    expect(processesWith(word)).toEqual([]);
  });

  here('hold from the first instruction on, and cannot be left by an inner group', async () => {
    const { stdout } = await run('cat /proc/self/cgroup');
    for (const home of limiter?.homes ?? []) expect(stdout).toContain(home.split('/').at(-1));
  });

  here('leave no group behind', async () => {
    await Promise.all(Array.from({ length: 10 }, () => run('echo hi')));
    await limiter?.close();
    expect(await eventually(() => groupsIn(limiter as Limiter).length === 0)).toBe(true);
  });
});

describe("limits by processes' own limits", () => {
  const run = runIn(processLimits);

  it('say what is weaker', () => {
    expect(processLimits.notEnforced).toEqual([
      'commands may use all CPU cores',
      expect.stringContaining('memory is limited only by a look'),
      expect.stringContaining('processes is limited only by a look'),
    ]);
  });

  it('let programs run that reserve far more addresses than they use', async () => {
    const node = `${process.execPath} -e 'console.log(1)'`;
    expect(await run(node, { limits: { ...LIMITS, memoryBytes: 256 * MEBIBYTE } })).toMatchObject({ stdout: '1\n', stderr: '' });
  });

  it('end processes that use too much together, and one that does', async () => {
    expect(await run('tail /dev/zero')).toMatchObject({ limitHit: 'memory', signal: 'SIGKILL' });
    const hog = "perl -e '$x = q(x) x (1024 * 1024 * 25); sleep 5'";
    expect(await run(`${hog} & ${hog} & ${hog} & wait`)).toMatchObject({ limitHit: 'memory', signal: 'SIGKILL' });
  });

  it('end a fork bomb, and nothing of it is left', { timeout: 30_000 }, async () => {
    const word = randomUUID();
    const result = await run(BOMB, { env: { PATH: '/usr/bin:/bin', WORD: word } });
    expect(result.limitHit).toBe('processes');
    expect(result.latestMs).toBeLessThan(5000);
    expect(await eventually(() => processesWith(word).length === 0, 15_000)).toBe(true);
  });
});

describe('a command with limits', () => {
  const run = runIn([...limiters.values()][0]);

  it.each([
    ['a missing program', ['no-such-program-here'], '/', 'not_found', /no-such-program-here/],
    ['a missing folder', ['ls'], '/no/such/folder', 'not_found', /working directory/],
    ['a program that is not executable', ['/etc/passwd'], '/', 'denied', /not executable/],
  ] as const)('is refused with %s, before anything starts', async (_, argv, cwd, code, message) => {
    const refused = run('', { command: { kind: 'argv', argv }, cwd });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('gets its arguments, input and signal as without them', async () => {
    const argv = ['printf', '%s|', '$HOME', 'a b', '*', "it's", ''] as const;
    expect((await run('', { command: { kind: 'argv', argv } })).stdout).toBe("$HOME|a b|*|it's||");
    expect((await run('wc -c', { stdin: Buffer.alloc(300_000) })).stdout.trim()).toBe('300000');
    expect(await run('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' });
    expect((await run('exit 125')).exitCode).toBe(125);
  });

  it('is the same whether a shell waited for it or not', async () => {
    const env = { PATH: '/usr/bin:/bin', QUOTE: "it's", LINES_OF: 'a\nb', 'not-a-name': '1', ÄÖ: 'ßÁ' };
    const argv = [
      'sh',
      '-c',
      'env | sort; pwd; printf "%s|" "$@"; cat',
      'sh',
      '$HOME `id` "\\',
      "'\n'",
      'Á\u{1f600}',
      '',
    ] as const;
    const command = { kind: 'argv', argv } as const;
    const outputs: string[] = [];
    for (const variables of [env, { PATH: env.PATH, QUOTE: env.QUOTE, LINES_OF: env.LINES_OF }, { PATH: '/usr/bin:/bin' }]) {
      const fresh = await run('', { command, env: variables, cwd: '/usr', stdin: new Uint8Array() });
      // The second finds a shell that the first left waiting.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const ready = await run('', { command, env: variables, cwd: '/usr' });
      const marks = /^MCP_PYTHON_COMMAND=.*\n/m;
      expect(ready.stdout.replace(marks, '')).toBe(fresh.stdout.replace(marks, ''));
      outputs.push(ready.stdout);
    }
    expect(outputs[0]).toContain("QUOTE=it's");
    expect(outputs[2]).toContain("$HOME `id` \"\\|'\n'|Á😀||");
  });

  it('cannot bring code along that runs before the limits hold', async () => {
    const env = { PATH: '/usr/bin:/bin', 'BASH_FUNC_echo%%': '() { printf outside >&2; }', 'BASH_FUNC_ulimit%%': '() { :; }' };
    expect((await run('true', { env })).stderr).toBe('');
  });

  it('may write without end: it is counted, and others are served meanwhile', async () => {
    const before = process.memoryUsage.rss();
    const result = await run('yes & yes >&2 & yes & wait', { timeoutMs: 1500 });
    expect(result.outcome).toBe('timeout');
    expect(result.stdout.length).toBe(10_000);
    expect(result.latestMs).toBeLessThan(500);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MEBIBYTE);
  });
});

describe.skipIf(limiters.size === 0)('groups of a server that was killed', () => {
  it('end with all that is in them, also what carries no mark any more', async () => {
    const program = `
      const { createNativeBackend } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/backends/native.ts'))});
      const backend = createNativeBackend();
      for (let count = 0; count < 5; count++) void backend.exec(
        { command: { kind: 'script', script: 'env -i setsid sleep 61.25 & env -i setsid sleep 61.25 & cat /proc/self/cgroup; wait' }, cwd: '/',
          env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60000, maxOutputBytes: 1000, limits: ${JSON.stringify(LIMITS)} },
        { signal: new AbortController().signal, onOutput: (_, chunk) => process.stdout.write(chunk) });`;
    const server = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    server.stdout.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    const sleepers = () => processesWith('sleep\x0061.25').length;
    expect(await eventually(() => sleepers() === 10 && told.includes('mcp-python-'), 10_000)).toBe(true);
    const name = /mcp-python-[\da-f-]+/.exec(told)?.[0] as string;
    expect(name).toContain(`-${server.pid}-`);
    const homes = [...limiters.values()].flatMap(({ homes }) => homes.map((home) => join(dirname(home), name)));
    expect(homes.some(existsSync)).toBe(true);
    server.kill('SIGKILL');
    expect(await eventually(() => sleepers() === 0, 3000)).toBe(true);
    expect(await eventually(() => !homes.some(existsSync), 3000)).toBe(true);
  });

  it('are ended at the next start where nothing else could', async () => {
    const [limiter] = limiters.values();
    const left = (limiter as Limiter).homes.map((home) => home.replace(/\d+-\d+-[\da-f]+$/, '4194304-1-0'));
    for (const folder of left) mkdirSync(join(folder, 'command'), { recursive: true });
    await (await openLimiter()).close();
    expect(await eventually(() => !left.some(existsSync))).toBe(true);
  });

  it('are let be when it lives', async () => {
    const [limiter] = limiters.values();
    const [home = ''] = (limiter as Limiter).homes;
    const mine = join(home, 'mine');
    mkdirSync(mine, { recursive: true });
    await (await openLimiter()).close();
    expect(existsSync(mine)).toBe(true);
    rmdirSync(mine);
  });
});

it('the backend tells what does not hold here, and takes its groups away with it', async () => {
  const before = homesHere();
  const backend = createNativeBackend();
  const { notEnforced } = await backend.enforcement();
  for (const end of notEnforced) expect(end).toMatch(/^[a-z].*[^.]$/);
  await backend[Symbol.asyncDispose]();
  expect(homesHere()).toEqual(before);
});

/** Folders of this process in its own control groups. */
function homesHere(): string[] {
  const parents = [...limiters.values()].flatMap(({ homes }) => homes.map((home) => dirname(home)));
  return [...new Set(parents)].flatMap((parent) => readdirSync(parent).filter((name) => name.includes(`-${process.pid}-`)));
}
