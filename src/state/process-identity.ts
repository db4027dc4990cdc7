/** Which process something belongs to, told so that a later process that got the same id is not taken for it. */
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * This process: its pid namespace, its id, and when it was started (proc_pid_stat(5), clock ticks since boot). Where
 * there is no /proc only the id tells.
 */
export function ownIdentity(): string {
  return `${namespace()}-${process.pid}-${stat(process.pid)?.start ?? 0}`;
}

/**
 * Whether the process still runs. One that its parent has not collected yet does not, and what cannot be judged (another
 * namespace, as that of a container that was replaced) counts as gone.
 */
export function isAlive(identity: string): boolean {
  const [space, pid, start] = identity.split('-');
  if (space !== namespace() || !pid) return false;
  const found = stat(Number(pid));
  if (found) return found.start === start && found.state !== 'Z' && found.state !== 'X';
  return start === '0' && answers(Number(pid));
}

/** Whether this process can tell that the other one runs: it is in the same pid namespace. */
export function isOfThisMachine(identity: string): boolean {
  return identity.split('-', 1)[0] === namespace();
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function stat(pid: number): { readonly state: string | undefined; readonly start: string | undefined } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name stands in parentheses and may hold any character.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}

function namespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}
