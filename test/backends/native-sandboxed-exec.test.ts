import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Confinement, ExecRequest, ExecResult, ResourceLimits } from '../../src/backends/backend.ts';
import { createNativeBackend } from '../../src/backends/native.ts';
import { eventually, processesWith, watchLateness } from './watching.ts';

const backend = createNativeBackend();
const { sandbox, notEnforced } = await backend.enforcement();
const LIMITS: ResourceLimits = { memoryBytes: 64 * 2 ** 20, cpus: 1, processes: 40 };

let folder: string;
let confinement: Confinement;

beforeAll(() => {
  // Not in the temporary folder: commands have one of their own.
  folder = mkdtempSync(join(homedir(), '.mcp-python-test-'));
  confinement = { writable: [folder], hidden: [], network: 'none' };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Told extends Omit<ExecResult, 'stdout' | 'stderr'> {
  readonly stdout: string;
  readonly stderr: string;
  readonly latestMs: number;
}

async function run(script: string, request: Partial<ExecRequest> = {}, signal = new AbortController().signal): Promise<Told> {
  const latest = watchLateness();
  const result = await backend.exec(
    {
      command: { kind: 'argv', argv: ['bash', '-c', script] },
      cwd: folder,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      timeoutMs: 10_000,
      maxOutputBytes: 10_000,
      confinement,
      ...request,
    },
    { signal },
  );
  const text = (stream: ExecResult['stdout']) => Buffer.concat([stream.head, stream.tail]).toString();
  return { ...result, stdout: text(result.stdout), stderr: text(result.stderr), latestMs: latest() };
}

it.runIf(process.env.CI === 'true')('there is a sandbox here to test with', () => {
  expect(sandbox, notEnforced.join(', ')).toMatch(/^bubblewrap \d/);
});

it.skipIf(sandbox !== undefined)('a command is refused where there is no sandbox', async () => {
  await expect(run('true')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/sandbox/) });
});

describe.skipIf(sandbox === undefined).each([
  ['without limits', {}],
  ['with limits', { limits: LIMITS }],
] as const)('a command in the sandbox, %s', (_, limits) => {
  const inside: typeof run = (script, request, signal) => run(script, { ...limits, ...request }, signal);

  it('tells output and exit code, changes what it may, and nothing else', async () => {
    const outside = join(homedir(), `.mcp-python-test-${randomUUID()}`);
    const result = await inside(`echo out; echo err >&2; echo kept > kept; echo x > ${outside} || exit 3`);
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 3, signal: null, stdout: 'out\n' });
    expect(result.stderr).toMatch(/^err\n.*Read-only file system/);
    expect(readdirSync(folder)).toContain('kept');
    expect(existsSync(outside)).toBe(false);
  });

  it('gets its arguments, its input and its environment as they are', async () => {
    const argv = ['printf', '%s|', '$HOME', 'a b', '*', "it's", ''] as const;
    expect((await inside('', { command: { kind: 'argv', argv } })).stdout).toBe("$HOME|a b|*|it's||");
    expect((await inside('wc -c', { stdin: Buffer.alloc(300_000) })).stdout.trim()).toBe('300000');
    const env = { PATH: '/usr/bin:/bin', COLOUR: 'red', 'BASH_FUNC_echo%%': '() { printf outside >&2; }' };
    expect(await inside('printf %s $COLOUR; true', { env })).toMatchObject({ stdout: 'red', stderr: '' });
  });

  it('has no part in what the sandbox tells us', async () => {
    expect((await inside('echo { \\"exit-code\\": 0 } >&3')).stderr).toMatch(/3: Bad file descriptor/);
  });

  it('sees no process but its own', async () => {
    const { stdout } = await inside('for p in /proc/[0-9]*; do echo $p; done | wc -l');
    expect(Number(stdout)).toBeLessThan(6);
  });

  it('is refused with a missing program or folder, before anything starts', async () => {
    const refused = (argv: [string], cwd = folder) => inside('', { command: { kind: 'argv', argv }, cwd });
    await expect(refused(['no-such-program-here'])).rejects.toMatchObject({ code: 'not_found' });
    await expect(refused(['ls'], '/no/such/folder')).rejects.toMatchObject({ code: 'not_found' });
    await expect(refused(['/etc/passwd'])).rejects.toMatchObject({ code: 'denied' });
  });

  it('is refused when its program cannot be seen', async () => {
    const hidden = join(folder, 'hidden');
    mkdirSync(hidden, { recursive: true });
    writeFileSync(join(hidden, 'program'), '#!/bin/sh\necho seen\n');
    chmodSync(join(hidden, 'program'), 0o755);
    const command = { kind: 'argv', argv: [join(hidden, 'program')] } as const;
    expect((await inside('', { command })).stdout).toBe('seen\n');
    const result = inside('', { command, confinement: { ...confinement, hidden: [hidden] } });
    // Where mounts are looked at first, a shell says it.
    expect(
      await result.then(
        ({ exitCode }) => exitCode === 127,
        ({ code }) => code === 'not_found',
      ),
    ).toBe(true);
  });

  it('keeps the exit code of a program that a signal ended, as shells tell it', async () => {
    expect(await inside('kill -SEGV $$')).toMatchObject({ exitCode: 139, signal: null });
  });

  it('may clean up at its time limit', async () => {
    const result = await inside("trap 'echo cleaned; exit 7' TERM; echo ready; sleep 60 & wait", { timeoutMs: 500 });
    expect(result).toMatchObject({ outcome: 'timeout', exitCode: 7, signal: null, stdout: 'ready\ncleaned\n' });
  });

  it('tells the signal that it was ended with', async () => {
    expect(await inside('sleep 60', { timeoutMs: 300 })).toMatchObject({ outcome: 'timeout', signal: 'SIGTERM', exitCode: null });
  });

  it('ends with all it started, even if that ignores SIGTERM', async () => {
    const word = randomUUID();
    const env = { PATH: '/usr/bin:/bin', WORD: word };
    const runaways = "setsid sleep 60 & (setsid sh -c 'sleep 60; :' &) ; sleep 60 & ";
    expect((await inside(`${runaways} echo done`, { env })).stdout).toBe('done\n');
    expect(await eventually(() => processesWith(word).length === 0)).toBe(true);

    expect(await inside(`trap '' TERM; ${runaways} sleep 60`, { env, timeoutMs: 200 })).toMatchObject({ signal: 'SIGKILL' });
    expect(processesWith(word)).toEqual([]);

    const abort = new AbortController();
    const running = inside(`${runaways} sleep 60`, { env }, abort.signal);
    await eventually(() => processesWith(word).length > 5);
    abort.abort();
    expect((await running).outcome).toBe('cancelled');
    expect(processesWith(word)).toEqual([]);
  });

  it('ends within two seconds when the server is killed', async () => {
    const word = randomUUID();
    const request: ExecRequest = {
      command: { kind: 'script', script: 'setsid sleep 60 & env -i setsid sleep 60 & sleep 60' },
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', WORD: word },
      timeoutMs: 60_000,
      maxOutputBytes: 1000,
      confinement,
      ...limits,
    };
    const program = `
      const { createNativeBackend } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/backends/native.ts'))});
      const backend = createNativeBackend();
      for (let count = 0; count < 5; count++) void backend.exec(${JSON.stringify(request)}, { signal: new AbortController().signal });`;
    const server = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await eventually(() => processesWith(word).length >= 25, 10_000)).toBe(true);
    server.kill('SIGKILL');
    expect(await eventually(() => processesWith(word).length === 0, 2000)).toBe(true);
  });
});

describe.skipIf(sandbox === undefined || notEnforced.length > 0)('limits in the sandbox', () => {
  const limited = (script: string, request: Partial<ExecRequest> = {}) => run(script, { limits: LIMITS, ...request });

  it('hold memory, processes and cores', async () => {
    expect(await limited('tail /dev/zero; sleep 60')).toMatchObject({ outcome: 'exited', limitHit: 'memory' });

    const word = randomUUID();
    const env = { PATH: '/usr/bin:/bin', WORD: word };
    const bomb = await limited(':(){ :|:& };:; sleep 2', { env, timeoutMs: 1000 });
    expect(bomb.limitHit).toBe('processes');
    expect(bomb.latestMs).toBeLessThan(500);
    expect(processesWith(word)).toEqual([]);

    const busy = await limited('while :; do :; done & while :; do :; done & while :; do :; done', {
      limits: { ...LIMITS, cpus: 0.5 },
      timeoutMs: 1000,
    });
    expect(busy.resources.cpuMs).toBeLessThan(busy.durationMs * 0.5 + 250);
  });

  it('count no process of the sandbox itself', async () => {
    const two = await limited('sleep 0.1 & wait; echo $?', { limits: { ...LIMITS, processes: 2 } });
    expect(two).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(two.limitHit).toBeUndefined();
  });

  it('let others be served while output floods', async () => {
    const result = await limited('yes & yes >&2 & wait', { timeoutMs: 1000 });
    expect(result.outcome).toBe('timeout');
    expect(result.latestMs).toBeLessThan(500);
  });
});
