import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { enterSandbox } from '../../../src/backends/sandbox/bubblewrap.ts';
import { findSandbox, type Sandbox } from '../../../src/backends/sandbox/find-sandbox.ts';
import { folderWith, noSandbox, run, runProgram } from './in-sandbox.ts';

/** Processes of the machine that carry a word in their environment or command line. */
function processesWith(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(word);
      } catch {
        return false;
      }
    });
}

async function eventually(check: () => boolean): Promise<boolean> {
  const until = Date.now() + 5000;
  while (!check() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  return check();
}

describe.skipIf(noSandbox)('a confined command', () => {
  it('ends with its own exit code, and with that of a shell for a signal', async () => {
    expect((await run({}, 'exit 0')).status).toBe(0);
    expect((await run({}, 'exit 1')).status).toBe(1);
    expect((await run({}, 'exit 77')).status).toBe(77);
    expect((await run({}, 'kill -SEGV $$')).status).toBe(139);
  });

  it('reads its standard input and gets its arguments as they are', async () => {
    const { stdout } = await runProgram(
      { writable: [folderWith()] },
      ['/bin/sh', '-c', 'cat; printf "%s|" "$@"', 'sh', '--', '$HOME', 'a b', '', '*'],
      {
        stdin: 'in\n',
      },
    );
    expect(stdout).toBe('in\n--|$HOME|a b||*|');
  });

  it('gets its environment whole, which nobody reads off a list of processes', async () => {
    const env = { PATH: '/usr/bin:/bin', SECRET: 'word', LD_PRELOAD: '/nonexistent/evil.so' };
    const sandbox = (await findSandbox()) as Sandbox;
    const entered = enterSandbox(sandbox, { writable: [], hidden: [], network: 'none' }, { cwd: '/', env });
    entered.release();
    expect(entered.argv.join(' ')).not.toContain('word');
    // The loader would obey it outside.
    expect(entered.env).toEqual({ PATH: '/usr/bin:/bin', SECRET: 'word' });
    const { stdout } = await run({}, 'echo $SECRET $LD_PRELOAD; env | sort | cut -d= -f1 | tr "\\n" " "', { env });
    expect(stdout.replace(/\b(?:SHLVL|_) /g, '')).toBe('word /nonexistent/evil.so\nHOME LD_PRELOAD PATH PWD SECRET ');
  });

  it('sees no process of the machine, and ends none', async () => {
    const canary = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void canary.kill('SIGKILL'));
    const { stdout } = await run(
      {},
      `ls /proc | grep -c '^[0-9]*$'; kill -9 ${canary.pid} ${process.pid} 2>/dev/null && echo KILLED; kill -9 -1; true`,
    );
    expect(Number(stdout.split('\n')[0])).toBeLessThan(8);
    expect(stdout).not.toContain('KILLED');
    expect(canary.exitCode ?? canary.signalCode).toBeNull();
  });

  it('has no capability, gets none, and makes no namespaces', async () => {
    const { stdout } = await run(
      {},
      "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; unshare -Ur true 2>/dev/null && echo NAMESPACE; cat /proc/self/uid_map",
    );
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('Cap')).every((line) => /\s0{16}$/.test(line))).toBe(true);
    expect(lines.filter((line) => line.startsWith('Cap'))).toHaveLength(5);
    expect(lines).toContain('NoNewPrivs:\t1');
    if (((await findSandbox()) as Sandbox).extra.includes('--disable-userns')) expect(lines).not.toContain('NAMESPACE');
    expect(lines.at(-1)?.trim().split(/\s+/)).toEqual([String(process.getuid?.()), String(process.getuid?.()), '1']);
  });

  it('changes no setting of the kernel, not even as root', async () => {
    const { stdout } = await run(
      {},
      'find /proc/sys /sys /proc/sysrq-trigger -type f -writable 2>/dev/null | head -3; cp /proc/sys/kernel/core_pattern /dev/shm/c; cat /dev/shm/c > /proc/sys/kernel/core_pattern && echo WRITTEN',
    );
    expect(stdout).toBe('');
  });

  it('changes none either where it may write everywhere', async () => {
    const script =
      'find /proc/sys /sys -type f -writable 2>/dev/null | head -3; echo x > /proc/sys/kernel/core_pattern && echo WRITTEN; ls /dev/mem /dev/kmsg; ls /run';
    for (const writable of [['/'], ['/sys', '/proc', '/dev'], ['/', '/sys/fs/cgroup', '/proc/sys']]) {
      expect((await run({ writable }, script, { cwd: '/' })).stdout.replace('lock\n', '')).toBe('');
    }
  });

  it.skipIf(process.getuid?.() !== 0)('reads no password of the machine, not even as root', async () => {
    expect((await run({}, 'cat /etc/shadow')).stdout).toBe('');
  });

  it('has names, shared memory and devices of its own', async () => {
    const script =
      'hostname intruder; ls /dev/shm; echo x > /dev/shm/canary; ls /dev | tr "\\n" " "; ls /dev/disk /dev/mem /dev/kmsg';
    const { stdout } = await run({}, script);
    expect(stdout.trim()).toBe('core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero');
    expect(existsSync('/dev/shm/canary')).toBe(false);
    expect(hostname()).not.toBe('intruder');
  });

  it('takes what it left running with it', async () => {
    const env = { CANARY: `left-${process.pid}` };
    await run({}, 'setsid sleep 60 >/dev/null 2>&1 & sleep 60 >/dev/null 2>&1 & nohup sleep 60 >/dev/null 2>&1 & true', { env });
    expect(await eventually(() => processesWith(env.CANARY).length === 0)).toBe(true);
  });

  it('ends with the process that started it', async () => {
    const env = { PATH: '/usr/bin:/bin', CANARY: `orphan-${process.pid}` };
    const {
      argv,
      env: outer,
      release,
    } = enterSandbox(
      (await findSandbox()) as Sandbox,
      { writable: [], readable: [], hidden: [], network: 'none' },
      { cwd: '/', env },
    );
    onTestFinished(release);
    const program = JSON.stringify([...argv.slice(1), '/bin/sleep', '60']);
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `require('node:child_process').spawn('${argv[0]}', ${program}, { detached: true, stdio: 'ignore' }); setTimeout(() => {}, 60000)`,
      ],
      {
        env: { ...outer },
        stdio: 'ignore',
      },
    );
    const inside = () => processesWith(env.CANARY).filter((pid) => pid !== parent.pid);
    expect(await eventually(() => inside().length >= 3)).toBe(true);
    parent.kill('SIGKILL');
    expect(await eventually(() => inside().length === 0)).toBe(true);
  });

  it('tells a program that is missing from one that fails', async () => {
    const missing = await runProgram({}, ['/nonexistent/program']);
    expect(missing).toMatchObject({ status: 1, stderr: 'bwrap: execvp /nonexistent/program: No such file or directory\n' });
    expect(existsSync(join('/nonexistent', 'program'))).toBe(false);
  });
});
