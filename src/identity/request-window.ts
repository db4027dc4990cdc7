/** How many requests came within the last minute, to the second. */

const SLOTS = 60;

export interface RequestWindow {
  /**
   * Counts a request, if the limit lets it pass.
   * @param nowMs milliseconds of any clock that does not go back
   * @returns 0, or the whole seconds after which one will pass again
   */
  take(limit: number, nowMs: number): number;
}

/** A sliding window: in no 60 seconds do more requests pass than the limit. */
export function createRequestWindow(): RequestWindow {
  const counts = new Uint32Array(SLOTS);
  let total = 0;
  /** The second that was counted in last. */
  let latest = 0;

  function forgetUpTo(second: number): void {
    const passed = Math.min(second - latest, SLOTS);
    for (let step = 1; step <= passed; step++) {
      const slot = (latest + step) % SLOTS;
      total -= counts[slot] ?? 0;
      counts[slot] = 0;
    }
    latest = second;
  }

  return {
    take(limit, nowMs) {
      const second = Math.floor(nowMs / 1000);
      if (second > latest) forgetUpTo(second);
      if (total >= limit) return secondsUntilRoom();
      const slot = latest % SLOTS;
      counts[slot] = (counts[slot] ?? 0) + 1;
      total++;
      return 0;
    },
  };

  /** Until the oldest of those counted leaves the window. */
  function secondsUntilRoom(): number {
    for (let wait = 1; wait < SLOTS; wait++) if ((counts[(latest + wait) % SLOTS] ?? 0) > 0) return wait;
    return SLOTS;
  }
}
