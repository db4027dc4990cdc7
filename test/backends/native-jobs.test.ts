import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackendJobs, Job, JobRequest } from '../../src/backends/backend.ts';
import { openLimiter } from '../../src/backends/limits/limiter.ts';
import { createNativeBackend } from '../../src/backends/native.ts';
import { createNativeJobs } from '../../src/backends/native-jobs.ts';
import { createProxyPool } from '../../src/backends/sandbox/proxy-pool.ts';
import { eventually, processesWith } from './watching.ts';

const LIMITS = { memoryBytes: 256 * 2 ** 20, cpus: 2, processes: 100 };
const NEVER = new AbortController().signal;

// Not in the temporary folder: commands in a sandbox have one of their own.
const base = mkdtempSync(join(homedir(), '.mcp-python-test-'));
const work = join(base, 'work');
const folder = join(base, 'jobs');
const proxies = createProxyPool();
const backend = createNativeBackend(folder);
const { sandbox, notEnforced } = await backend.enforcement();
const withGroups = (await backend.jobs?.()) as BackendJobs;
const withoutGroups = createNativeJobs(folder, () => openLimiter([]), proxies);

beforeAll(() => mkdirSync(work));
afterAll(async () => {
  withoutGroups.close();
  await backend[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

const request = (script: string, more: Partial<JobRequest> = {}): JobRequest => ({
  command: { kind: 'script', script },
  cwd: work,
  env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  timeoutMs: 20_000,
  maxOutputBytes: 2 ** 20,
  terminal: false,
  openInput: false,
  attached: false,
  limits: LIMITS,
  label: { command: script, principal: 'p', principalName: 'P', task: 't', tool: 'test' },
  ...more,
});

async function ended(jobs: BackendJobs, id: string): Promise<Job> {
  using watch = jobs.watch(id);
  for (;;) {
    const job = await jobs.get(id);
    if (job.end) return job;
    await watch.changed(1000);
  }
}

async function output(jobs: BackendJobs, id: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  return Buffer.from(await jobs.read(id, stream, 0, 10_000)).toString();
}

async function told(jobs: BackendJobs, id: string, text: string): Promise<void> {
  using watch = jobs.watch(id);
  while (!(await output(jobs, id)).includes(text)) await watch.changed(100);
}

const confinement = { writable: [work], hidden: [folder], network: 'none' } as const;

describe.each([
  ['in control groups', withGroups, {}],
  ['without control groups', withoutGroups, {}],
  ...(sandbox === undefined ? [] : [['in the sandbox', withGroups, { confinement }] as const]),
] as const)('a job %s', (_, jobs, more: Partial<JobRequest>) => {
  const start = (script: string, others: Partial<JobRequest> = {}) => jobs.start(request(script, { ...more, ...others }));
  const run = async (script: string, others: Partial<JobRequest> = {}) => ended(jobs, (await start(script, others)).id);

  it('keeps what it writes, and how it ended', async () => {
    const job = await run('echo out; echo err >&2; exit 3');
    expect(job).toMatchObject({
      end: { outcome: 'exited', exitCode: 3, signal: null },
      bytes: { stdout: 4, stderr: 4 },
      cutOff: [],
    });
    expect([await output(jobs, job.id), await output(jobs, job.id, 'stderr')]).toEqual(['out\n', 'err\n']);
  });

  it('can be read while it runs, from any byte', async () => {
    const { id } = await start('echo first; sleep 30');
    await told(jobs, id, 'first\n');
    expect(await jobs.get(id)).toMatchObject({ end: undefined, bytes: { stdout: 6 } });
    expect(Buffer.from(await jobs.read(id, 'stdout', 2, 3)).toString()).toBe('rst');
    expect(await jobs.read(id, 'stdout', 6, 3)).toHaveLength(0);
    await jobs.signal(id, 'KILL');
    expect(await ended(jobs, id)).toMatchObject({ end: { outcome: 'exited', exitCode: null, signal: 'SIGKILL' } });
  });

  it('gets arguments, variables and input as they are', async () => {
    const argv = ['printf', '%s|', '$HOME', 'a b', "it's", '', '--'] as const;
    expect(await output(jobs, (await run('', { command: { kind: 'argv', argv } })).id)).toBe("$HOME|a b|it's||--|");
    const env = { PATH: '/usr/bin:/bin', COLOUR: "it's red\n", COLUMNS: '33' };
    const { id } = await run('printf %s "$COLOUR$COLUMNS"; env | grep -c MCP_PYTHON_SERVER', { env });
    expect(await output(jobs, id)).toBe("it's red\n330\n");
    expect(await output(jobs, (await run('wc -c', { stdin: Buffer.alloc(300_000) })).id)).toMatch(/^\s*300000\n/);
    expect(await output(jobs, (await run('wc -c')).id)).toMatch(/^\s*0\n/);
  });

  it('takes input as long as that is open', async () => {
    const { id, inputOpen } = await start('read -r line; echo "got $line"; cat | wc -c', { openInput: true });
    expect(inputOpen).toBe(true);
    expect(await jobs.write(id, Buffer.from('hello\n'), NEVER)).toBe(6);
    await told(jobs, id, 'got hello');
    // More than a pipe holds.
    expect(await jobs.write(id, Buffer.alloc(300_000), NEVER)).toBe(300_000);
    await jobs.closeInput(id);
    await expect(jobs.write(id, Buffer.from('late'), NEVER)).rejects.toMatchObject({ code: 'conflict' });
    await ended(jobs, id);
    expect(await output(jobs, id)).toMatch(/got hello\n\s*300000\n/);
  });

  it('takes no more than it reads within the time', async () => {
    const { id } = await start('sleep 30', { openInput: true });
    const taken = await jobs.write(id, Buffer.alloc(1_000_000), AbortSignal.timeout(100));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(1_000_000);
    await jobs.signal(id, 'KILL');
    await ended(jobs, id);
  });

  it('gets a signal with all that it started, and may act on it', async () => {
    const child = `sh -c 'trap "echo child; exit" HUP; echo ready; while :; do sleep 0.05; done'`;
    const { id } = await start(`trap 'wait; echo parent; exit 7' HUP; ${child} & wait`);
    await told(jobs, id, 'ready');
    await jobs.signal(id, 'HUP');
    expect(await ended(jobs, id)).toMatchObject({ end: { outcome: 'exited', exitCode: 7, signal: null } });
    expect(await output(jobs, id)).toBe('ready\nchild\nparent\n');
    await expect(jobs.signal(id, 'INT')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('ends at its time limit with all that it started, and may clean up', async () => {
    const word = `limit-${Math.random()}`;
    const script = `sh -c 'sleep 60; : ${word}' & trap 'echo cleaned; exit 4' TERM; echo ready; while :; do sleep 0.05; done`;
    const { id } = await start(script, { timeoutMs: 500 });
    expect(await ended(jobs, id)).toMatchObject({ end: { outcome: 'timeout', exitCode: 4 } });
    expect(await output(jobs, id)).toBe('ready\ncleaned\n');
    expect(processesWith(word)).toEqual([]);
  });

  it('is killed when it does not heed its time limit, or its cancellation', async () => {
    const stubborn = `trap '' TERM; echo ready; while :; do sleep 0.05; done`;
    const limited = await start(stubborn, { timeoutMs: 400 });
    const cancelled = await start(stubborn);
    await told(jobs, cancelled.id, 'ready');
    await jobs.cancel(cancelled.id);
    expect(await ended(jobs, limited.id)).toMatchObject({ end: { outcome: 'timeout', signal: 'SIGKILL' } });
    expect(await ended(jobs, cancelled.id)).toMatchObject({ end: { outcome: 'cancelled', signal: 'SIGKILL' } });
  });

  it('takes with it what it left behind', async () => {
    const word = `left-${Math.random()}`;
    const job = await run(`setsid sh -c 'sleep 60; : ${word}' & (sleep 61; : ${word}) & exit 0`);
    expect(job).toMatchObject({ end: { outcome: 'exited', exitCode: 0 } });
    expect(await eventually(() => processesWith(word).length === 0)).toBe(true);
  });

  it('keeps the beginning and the end of a flood, and goes on', async () => {
    const job = await run('yes | head -c 3000000; echo the end', { maxOutputBytes: 64 * 1024 });
    expect(job).toMatchObject({ end: { outcome: 'exited', exitCode: 0 }, cutOff: ['stdout'] });
    expect(job.bytes.stdout).toBeLessThan(140_000);
    const last = Buffer.from(await jobs.read(job.id, 'stdout', job.bytes.stdout - 20, 100)).toString();
    expect(last).toMatch(/y\nthe end\n$/);
    const between = Buffer.from(await jobs.read(job.id, 'stdout', 64 * 1024 - 2, 50)).toString();
    expect(between).toBe('y\n\n[there was more output than is kept: this is th');
  });

  it('runs in a terminal when asked', async () => {
    const job = await run('tty; stty size; printf "\\033[1mbold\\n"; exit 5', { terminal: true });
    expect(job).toMatchObject({ terminal: true, end: { exitCode: 5 } });
    expect(await output(jobs, job.id)).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\n/);
  });

  it('is interrupted by a signal in its terminal without losing that', async () => {
    const { id } = await start(
      `trap 'echo caught' INT; echo ready; until [ "$line" ]; do read -r line; done; echo "got $line"; exit 6`,
      {
        terminal: true,
        openInput: true,
      },
    );
    await told(jobs, id, 'ready');
    await jobs.signal(id, 'INT');
    await told(jobs, id, 'caught');
    await jobs.write(id, Buffer.from('typed\n'), NEVER);
    expect((await ended(jobs, id)).end).toMatchObject({ outcome: 'exited', exitCode: 6, signal: null });
  });

  it('is refused with a missing program or folder, before anything starts', async () => {
    const before = readdirSync(folder).length;
    const refused = (argv: [string], cwd = work) => start('', { command: { kind: 'argv', argv }, cwd });
    await expect(refused(['no-such-program-here'])).rejects.toMatchObject({ code: 'not_found' });
    await expect(refused(['ls'], '/no/such/folder')).rejects.toMatchObject({ code: 'not_found' });
    await expect(refused(['/etc/passwd'])).rejects.toMatchObject({ code: 'denied' });
    await expect(start(`: ${'x'.repeat(200_000)}`)).rejects.toMatchObject({ code: 'too_large' });
    expect(readdirSync(folder)).toHaveLength(before);
  });

  it('leaves nothing behind but what can be read', async () => {
    const { id } = await run('echo kept');
    const place = join(folder, id);
    // It stays until its control groups are gone, which the dead that nobody has collected hold up.
    expect(await eventually(() => processesWith(id).length === 0, 15_000)).toBe(true);
    expect(readdirSync(place).sort()).toEqual(['begun', 'exit', 'meta.json', 'stderr', 'stdout']);
    expect([statSync(place).mode & 0o777, statSync(join(place, 'stdout')).mode & 0o777]).toEqual([0o700, 0o600]);
    const groups = JSON.parse(readFileSync(join(place, 'meta.json'), 'utf8')).groups as string[];
    expect(await eventually(() => groups.every((group) => !readable(group)))).toBe(true);
    await jobs.remove(id);
    await expect(jobs.get(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is interrupted when its supervisor is killed, and nothing of it goes on', async () => {
    const word = `lost-${Math.random()}`;
    const { id } = await start(`echo ready; sh -c 'sleep 60; : ${word}'`);
    await told(jobs, id, 'ready');
    for (const pid of processesWith(join(folder, id)).filter(isOurChild)) process.kill(pid, 'SIGKILL');
    const job = await ended(jobs, id);
    expect(job).toMatchObject({ end: { outcome: 'interrupted', exitCode: null, signal: null } });
    expect(await output(jobs, id)).toBe('ready\n');
    expect(await eventually(() => processesWith(word).length === 0 && processesWith(id).length === 0)).toBe(true);
  });
});

const isOurChild = (pid: number) => new RegExp(`^PPid:\\t${process.pid}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const readable = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

describe('jobs', () => {
  it('that are removed while others look at them have ended as they did, or are not there', async () => {
    const seen: string[] = [];
    let going = true;
    const looking = Array.from({ length: 4 }, async () => {
      while (going) {
        // As another process has it: one that has not seen their ends yet.
        const other = createNativeJobs(folder, () => openLimiter([]), proxies);
        for (const { command, end } of await other.list().then((jobs) => jobs.map((job) => ({ ...job.label, end: job.end }))))
          if (command === 'exit 3' && end) seen.push(`${end.outcome} ${end.exitCode}`);
        other.close();
      }
    });
    try {
      for (let round = 0; round < 8; round++) {
        const jobs = await Promise.all([1, 2, 3].map(() => withoutGroups.start(request('exit 3'))));
        await Promise.all(jobs.map(({ id }) => ended(withoutGroups, id)));
        await Promise.all(jobs.map(({ id }) => withoutGroups.remove(id)));
      }
    } finally {
      going = false;
      await Promise.all(looking);
    }
    expect(new Set(seen)).toEqual(new Set(['exited 3']));
  });

  it('are listed newest first, for every process that uses the folder', async () => {
    const first = await withGroups.start(request('true'));
    const second = await withGroups.start(request('sleep 30'));
    const ids = (await withoutGroups.list()).map(({ id }) => id);
    expect(ids.indexOf(second.id)).toBeLessThan(ids.indexOf(first.id));
    await withoutGroups.signal(second.id, 'KILL');
    await ended(withoutGroups, second.id);
  });

  it('are not found by anything but their ids', async () => {
    const { id } = await withGroups.start(request('true'));
    for (const none of ['', '.', '..', `${id}/.`, `../jobs/${id}`, id.toUpperCase(), `${id}\0`, 'x'.repeat(36)]) {
      await expect(withGroups.get(none)).rejects.toMatchObject({ code: 'not_found' });
      await expect(withGroups.remove(none)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('take only signals that there are', async () => {
    const { id } = await withGroups.start(request('sleep 30'));
    for (const name of ['9', '', 'TERM\ncancel', 'NOPE', 'toString'])
      await expect(withGroups.signal(id, name)).rejects.toMatchObject({ code: 'invalid_input' });
    await withGroups.signal(id, 'KILL');
  });

  it('have their end told by one only', async () => {
    const { id } = await withGroups.start(request('true'));
    await ended(withGroups, id);
    const claims = await Promise.all([withGroups, withoutGroups, withGroups].map((jobs) => jobs.claimEnd(id)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await withGroups.returnEnd(id);
    expect(await withoutGroups.claimEnd(id)).toBe(true);
  });

  it('that were only half made are removed after a while', async () => {
    const half = join(folder, '00000000-0000-4000-8000-000000000000');
    mkdirSync(half);
    writeFileSync(join(half, 'meta.json'), '{"id":');
    await withGroups.list();
    expect(readable(half)).toBe(true);
    const long = Date.now() / 1000 - 3600;
    utimesSync(half, long, long);
    await withGroups.list();
    expect(readable(half)).toBe(false);
  });

  // Without control groups a process is refused memory, or the whole killed by whoever looks.
  it.skipIf(notEnforced.some((gap) => gap.startsWith('memory')))('tell that memory was not enough', async () => {
    const { id } = await withGroups.start(request('head -c 400000000 /dev/zero | tail -c 390000000 | wc -c'));
    const { end } = await ended(withGroups, id);
    expect(end).toMatchObject({ limitHit: 'memory' });
  });
});

describe('the supervisor', () => {
  const shells = ['dash', 'busybox sh', 'bash --posix'].filter(
    (shell) => spawnSync(shell.split(' ')[0] ?? '', ['--help']).error === undefined,
  );

  it.each(shells)('does its work under %s', async (shell) => {
    const { SUPERVISOR } = await import('../../src/backends/jobs/supervisor.ts');
    const place = mkdtempSync(join(base, 'supervised-'));
    writeFileSync(join(place, 'supervise'), SUPERVISOR);
    writeFileSync(
      join(place, 'launch'),
      'rm -f launch out err input; echo $$ >leader; echo >begun; export M=mark; exec /bin/sh -c "echo out; echo err >&2; kill -USR1 \\$\\$"\n',
    );
    const [program = '', ...args] = shell.split(' ');
    const { status } = spawnSync(
      'setsid',
      ['--wait', program, ...args, join(place, 'supervise'), place, '10', '8', 'M=mark', '-', 'shut', 'detached'],
      {
        env: { PATH: '/usr/bin:/bin' },
      },
    );
    expect(status).not.toBeNull();
    expect(readFileSync(join(place, 'exit'), 'utf8')).toMatch(/^status 138\nkilled\n/);
    expect(['stdout', 'stderr'].map((name) => readFileSync(join(place, name), 'utf8'))).toEqual(['out\n', 'err\n']);
  });

  it.each(shells)('ends the command of somebody who was gone before it began, under %s', async (shell) => {
    const { SUPERVISOR } = await import('../../src/backends/jobs/supervisor.ts');
    const mark = `M=${randomUUID()}`;
    for (let round = 0; round < 4; round++) {
      const place = mkdtempSync(join(base, 'orphaned-'));
      writeFileSync(join(place, 'supervise'), SUPERVISOR);
      writeFileSync(join(place, 'launch'), `echo $$ >leader; echo >begun; export ${mark}; exec sleep 30\n`);
      const [program = '', ...args] = shell.split(' ');
      const { status } = spawnSync(
        'setsid',
        ['--wait', program, ...args, join(place, 'supervise'), place, '20', '8', mark, '-', 'shut', 'attached'],
        { env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore', timeout: 5000 },
      );
      expect(status).not.toBeNull();
      expect(readFileSync(join(place, 'exit'), 'utf8')).toMatch(/^cancelled$/m);
    }
    expect(processesWith(mark)).toEqual([]);
  });
});
