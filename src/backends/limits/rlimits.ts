/**
 * Limits without control groups (setrlimit(2)), each weaker than what it stands for: the kernel counts memory for each
 * process and processes for each user, so that a look at the whole tree from time to time completes them.
 */
import { readFileSync } from 'node:fs';
import type { ResourceLimits } from '../backend.ts';
import type { LimitName } from './control-group.ts';

/** What is weaker where control groups do not keep these limits: ends of sentences. */
export function weaknessesOf(missing: ReadonlySet<LimitName>): string[] {
  const watched = process.platform === 'linux';
  return [
    ...(missing.has('cpus') ? ['commands may use all CPU cores'] : []),
    ...(missing.has('memoryBytes')
      ? [
          watched
            ? 'memory is limited only by a look at the processes of a command five times a second'
            : 'memory is limited for each process, not for a whole command',
        ]
      : []),
    ...(missing.has('processes')
      ? [
          watched
            ? 'the number of processes is limited only by a look at them twenty times a second'
            : 'processes are limited for the whole user, not for a command',
        ]
      : []),
  ];
}

/**
 * Shell commands that put these limits on the shell and all it will start. They only bound what can happen between two
 * looks, so they are wide. RLIMIT_DATA, not RLIMIT_AS: runtimes such as Node, Java and Go reserve far more addresses
 * than they use, even some of those that RLIMIT_DATA counts. dash calls `-p` what others call `-u`.
 */
export function rlimitScript(limits: ResourceLimits, missing: ReadonlySet<LimitName>): string {
  const memory = missing.has('memoryBytes')
    ? `ulimit -d ${Math.ceil((limits.memoryBytes + SPARE_BYTES) / 1024)} 2>/dev/null; `
    : '';
  if (!missing.has('processes')) return memory;
  const processes = limits.processes + (tasksOfMachine() ?? SPARE_PROCESSES);
  return `${memory}ulimit -u ${processes} 2>/dev/null || ulimit -p ${processes} 2>/dev/null; `;
}

const SPARE_BYTES = 2 ** 30;
const SPARE_PROCESSES = 4096;

/** Processes and threads now, of all users, in one cheap look; undefined where there is no /proc. */
export function tasksOfMachine(): number | undefined {
  try {
    const tasks = /\/(\d+) /.exec(readFileSync('/proc/loadavg', 'latin1'))?.[1];
    return tasks === undefined ? undefined : Number(tasks);
  } catch {
    return undefined;
  }
}
