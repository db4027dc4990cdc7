/** What tests look at while commands run: processes, and whether the event loop still turns. */
import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Processes that carry a word in their environment or command line, the dead and ourselves left out. */
export function processesWith(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(word));
      } catch {
        return false;
      }
    });
}

export async function eventually(check: () => boolean, withinMs = 3000): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (!check() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  return check();
}

/** @returns what ends the look, and tells the most that a timer of 5 ms was late meanwhile, milliseconds */
export function watchLateness(): () => number {
  let latestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    latestMs = Math.max(latestMs, now - last - 5);
    last = now;
  }, 5);
  return () => {
    clearInterval(timer);
    return latestMs;
  };
}
