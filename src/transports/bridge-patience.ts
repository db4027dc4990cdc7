/** Waiting for a server that is away: soon at first, then less often, and not for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 2000;

export interface Patience {
  /**
   * Waits before the next attempt, each time about twice as long, by chance a little less so that many clients do not
   * come back at once.
   * @param atLeastMs what the server asked for
   * @returns false when the time is up or the signal came: then there is no next attempt
   */
  wait(signal: AbortSignal, atLeastMs?: number): Promise<boolean>;
}

/** @param limitMs how long in all */
export function createPatience(limitMs: number): Patience {
  const until = performance.now() + limitMs;
  let attempts = 0;
  return {
    async wait(signal, atLeastMs = 0) {
      const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempts++);
      const delayMs = Math.max(atLeastMs, longest * (0.5 + Math.random() / 2));
      if (performance.now() + delayMs > until) return false;
      return sleep(delayMs, true, { signal }).catch(() => false);
    },
  };
}
