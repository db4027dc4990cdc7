/** How often each address failed lately, in bounded memory. */

export interface FailedAttempts {
  /** Counts one more. @returns how many there are in the current minute, this one included */
  count(address: string, nowMs: number): number;
  /** Whole seconds until the address starts afresh. */
  secondsLeft(address: string, nowMs: number): number;
}

interface Attempts {
  readonly sinceMs: number;
  count: number;
}

const WINDOW_MS = 60_000;

/** @param remembered addresses at most; past it the one that began longest ago is forgotten */
export function createFailedAttempts(remembered = 10_000): FailedAttempts {
  /** In the order of `sinceMs`. */
  const attempts = new Map<string, Attempts>();

  function forgetOld(nowMs: number): void {
    for (const [source, { sinceMs }] of attempts) {
      if (nowMs - sinceMs < WINDOW_MS && attempts.size < remembered) return;
      attempts.delete(source);
    }
  }

  return {
    count(address, nowMs) {
      const source = sourceOf(address);
      const known = attempts.get(source);
      if (known && nowMs - known.sinceMs < WINDOW_MS) return ++known.count;
      attempts.delete(source);
      forgetOld(nowMs);
      attempts.set(source, { sinceMs: nowMs, count: 1 });
      return 1;
    },
    secondsLeft(address, nowMs) {
      const known = attempts.get(sourceOf(address));
      return known ? Math.max(1, Math.ceil((known.sinceMs + WINDOW_MS - nowMs) / 1000)) : 1;
    },
  };
}

/** Whoever has one IPv6 address has its whole /64, so that is what counts. */
function sourceOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length;
    while (groups.length + after < 8) groups.push('0');
  }
  return groups.slice(0, 4).join(':');
}
