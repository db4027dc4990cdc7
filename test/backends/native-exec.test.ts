import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecRequest, ExecResult } from '../../src/backends/backend.ts';
import { createNativeBackend } from '../../src/backends/native.ts';
import { eventually, processesWith } from './watching.ts';

const backend = createNativeBackend();
const linux = process.platform === 'linux';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-native-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Told extends Omit<ExecResult, 'stdout' | 'stderr'> {
  readonly stdout: string;
  readonly stderr: string;
}

async function run(script: string, request: Partial<ExecRequest> = {}, signal = new AbortController().signal): Promise<Told> {
  const result = await backend.exec(
    {
      command: { kind: 'script', script },
      cwd: folder,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      timeoutMs: 10_000,
      maxOutputBytes: 100_000,
      ...request,
    },
    { signal },
  );
  const text = (stream: ExecResult['stdout']) => Buffer.concat([stream.head, stream.tail]).toString();
  return { ...result, stdout: text(result.stdout), stderr: text(result.stderr) };
}

describe('a command', () => {
  it('tells its output, its exit code and how long it took', async () => {
    const result = await run('echo out; echo err >&2; exit 3');
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('tells the signal that ended it', async () => {
    expect(await run('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' });
  });

  it('gets its arguments as they are, without a shell in between', async () => {
    const argv = ['printf', '%s|', '$HOME', 'a b', '*', "it's"] as const;
    expect((await run('', { command: { kind: 'argv', argv } })).stdout).toBe("$HOME|a b|*|it's|");
  });

  it('gets the environment it was given and our marks, nothing of ours', async () => {
    const names = (await run('env', { env: { PATH: '/usr/bin:/bin', COLOUR: 'red' } })).stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name ?? ''));
    expect(names.sort()).toEqual(['COLOUR', 'MCP_PYTHON_COMMAND', 'MCP_PYTHON_SERVER', 'PATH']);
  });

  it('reads its standard input, however large, and finds it empty without one', async () => {
    const stdin = Buffer.alloc(3_000_000, 'x');
    expect((await run('wc -c', { stdin })).stdout.trim()).toBe('3000000');
    expect((await run('cat | wc -c')).stdout.trim()).toBe('0');
    expect((await run('exec 0<&-; echo closed', { stdin })).stdout).toBe('closed\n');
  });

  it('works in the folder it was given', async () => {
    expect((await run('pwd -P')).stdout.trim()).toContain(folder.split('/').at(-1));
  });

  it('is seen as it goes, in order', async () => {
    const seen: string[] = [];
    await backend.exec(
      {
        command: { kind: 'script', script: 'echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3' },
        cwd: folder,
        env: { PATH: '/usr/bin:/bin' },
        timeoutMs: 5000,
        maxOutputBytes: 1000,
      },
      { signal: new AbortController().signal, onOutput: (_, chunk) => seen.push(Buffer.from(chunk).toString()) },
    );
    expect(seen).toEqual(['1\n', '2\n', '3\n']);
  });

  it('keeps head and tail of its output and counts the rest', async () => {
    const { stdout } = await backend.exec(
      {
        command: { kind: 'script', script: 'seq 1 100000' },
        cwd: folder,
        env: { PATH: '/usr/bin:/bin' },
        timeoutMs: 5000,
        maxOutputBytes: 1000,
      },
      { signal: new AbortController().signal },
    );
    expect(Buffer.from(stdout.head).toString()).toMatch(/^1\n2\n3\n/);
    expect(Buffer.from(stdout.tail).toString()).toMatch(/\n99999\n100000\n$/);
    expect(stdout).toMatchObject({ totalBytes: 588_895, omittedBytes: 588_895 - 1000 });
    expect(stdout.head.length + stdout.tail.length).toBe(1000);
  });

  it('keeps every byte of binary output', async () => {
    const { stdout } = await backend.exec(
      {
        command: { kind: 'script', script: "printf '\\000\\377\\001'" },
        cwd: folder,
        env: {},
        timeoutMs: 5000,
        maxOutputBytes: 1000,
      },
      { signal: new AbortController().signal },
    );
    expect([...stdout.head]).toEqual([0, 255, 1]);
  });

  it.each([
    ['a missing program', { command: { kind: 'argv', argv: ['no-such-program-here'] } }, 'not_found', /no-such-program-here/],
    ['a missing folder', { cwd: '/no/such/folder' }, 'not_found', /working directory/],
    [
      'a file as program that is not executable',
      { command: { kind: 'argv', argv: ['/etc/passwd'] } },
      'denied',
      /not executable/,
    ],
  ] as const)('is refused with %s', async (_, request, code, message) => {
    await expect(run('true', request)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('does not start when it is cancelled before', async () => {
    const result = await run('touch started', {}, AbortSignal.abort());
    expect(result.outcome).toBe('cancelled');
    expect(readdirSync(folder)).not.toContain('started');
  });
});

describe.runIf(linux)('what a command started', () => {
  /** Leaves its group in the two usual ways. */
  const runaways = (word: string) => `setsid sleep 60 ${word} & (setsid sh -c 'sleep 60; : ${word}' &) ; sleep 60 & `;

  it('ends with it, also what left its process group', async () => {
    const word = randomUUID();
    const result = await run(`${runaways('')} export WORD=${word}; ${runaways('')} echo done`, {
      env: { PATH: '/usr/bin:/bin', WORD: word },
    });
    expect(result.stdout).toBe('done\n');
    expect(result.durationMs).toBeLessThan(5000);
    expect(await eventually(() => processesWith(word).length === 0, 3000)).toBe(true);
  });

  it('ends at its time limit, even if it ignores SIGTERM', async () => {
    const word = randomUUID();
    const result = await run(`trap '' TERM; ${runaways('')} echo waiting; sleep 60`, {
      timeoutMs: 200,
      env: { PATH: '/usr/bin:/bin', WORD: word },
    });
    expect(result).toMatchObject({ outcome: 'timeout', stdout: 'waiting\n' });
    expect(processesWith(word)).toEqual([]);
  });

  it('may clean up after SIGTERM', async () => {
    const result = await run("trap 'echo cleaned; exit 0' TERM; sleep 60 & wait", { timeoutMs: 200 });
    expect(result).toMatchObject({ outcome: 'timeout', stdout: 'cleaned\n' });
  });

  it('ends when its caller cancels', async () => {
    const word = randomUUID();
    const abort = new AbortController();
    const running = run(`${runaways('')} sleep 60`, { env: { PATH: '/usr/bin:/bin', WORD: word } }, abort.signal);
    await eventually(() => processesWith(word).length > 3, 2000);
    abort.abort();
    expect((await running).outcome).toBe('cancelled');
    expect(processesWith(word)).toEqual([]);
  });

  it('ends within two seconds when the server is killed', async () => {
    const word = randomUUID();
    const program = join(folder, 'server.ts');
    writeFileSync(
      program,
      `import { createNativeBackend } from ${JSON.stringify(join(import.meta.dirname, '../../src/backends/native.ts'))};
       const backend = createNativeBackend();
       for (let count = 0; count < 20; count++) void backend.exec(
         { command: { kind: 'script', script: ${JSON.stringify(`${runaways('')} env -i sleep 60`)} }, cwd: '/', env: { PATH: '/usr/bin:/bin', WORD: '${word}' }, timeoutMs: 60000, maxOutputBytes: 1000 },
         { signal: new AbortController().signal });`,
    );
    const server = spawn(process.execPath, [program], { stdio: 'ignore' });
    expect(await eventually(() => processesWith(word).length >= 80, 10_000)).toBe(true);
    server.kill('SIGKILL');
    expect(await eventually(() => processesWith(word).length === 0, 2000)).toBe(true);
  });

  it('leaves no file descriptor and no process of ours behind', async () => {
    await run('true');
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, () => run('echo hi')));
    expect(await eventually(() => readdirSync('/proc/self/fd').length <= before, 2000)).toBe(true);
  });
});
