/** A sandbox of its own in which anything may be run: it cannot harm the machine. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { type Attack, isCalling } from './attack.ts';

/** A folder that is writable inside, at the same place. */
const arguments_ = (base: string, cwd: string, network: boolean) => [
  ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/run', '--bind', base, base],
  ...['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--new-session', '--chdir', cwd],
  ...(network ? [] : ['--unshare-net']),
];

export const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Whether bubblewrap is installed and may be used. */
export function hasBubblewrap(): boolean {
  return spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-all', 'true'], { stdio: 'ignore' }).status === 0;
}

/** Runs an attack with nothing in its way but that sandbox. */
export async function runUnguarded(attack: Attack, base: string, shell: 'sh' | 'bash', milliseconds = 15_000): Promise<string> {
  const { command, args, env_vars, stdin, cwd = '.' } = attack;
  // A file: Bash takes a socket for a sign that it was started over the network.
  writeFileSync(`${base}/stdin`, stdin ?? '');
  const input = openSync(`${base}/stdin`, 'r');
  const child = spawn(
    'bwrap',
    [
      ...arguments_(base, `${base}/ws/${cwd}`, isCalling(attack)),
      ...(args ? [command, ...args] : [`/bin/${shell}`, '-c', command]),
    ],
    {
      env: { PATH: SEARCH_PATH, HOME: `${base}/home`, LANG: 'C.UTF-8', TMPDIR: `${base}/home`, TERM: 'xterm', ...env_vars },
      stdio: [input, 'pipe', 'pipe'],
      timeout: milliseconds,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < 4000) output += chunk;
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  closeSync(input);
  await once(child, 'close');
  return output.slice(0, 400);
}
