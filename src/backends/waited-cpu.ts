/** CPU time of commands that have no control group, as the kernel adds it up for children that were waited for. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc; the kernel's interface fixes it for user space. */
const TICKS_PER_SECOND = 100;
let cpuTicksBefore: number | undefined;

/**
 * CPU time of the child that has just been waited for, with its own children: what the counter for waited-for
 * children (proc(5), cutime and cstime) grew by. Two children that end in the same turn of the event loop are
 * told as one. In steps of 10 ms.
 */
export function cpuOfLastChild(): number | undefined {
  const ticks = cpuTicksOfChildren();
  const before = cpuTicksBefore;
  cpuTicksBefore = ticks;
  return ticks === undefined || before === undefined ? undefined : ((ticks - before) * 1000) / TICKS_PER_SECOND;
}

/** Call before the first child of interest ends. */
export function beginCpuCount(): void {
  cpuTicksBefore ??= cpuTicksOfChildren();
}

function cpuTicksOfChildren(): number | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[13]) + Number(fields[14]);
  } catch {
    return undefined;
  }
}
