/** Something that has until its time to be cleared. */
export interface Deadline {
  readonly dueMs: number;
  expire(): void;
}

export interface Deadlines {
  /** @param expire called once the time is over, unless cleared before */
  set(expire: () => void): Deadline;
  clear(deadline: Deadline): void;
}

/**
 * Many deadlines of one length on one timer. Nearly all of them are cleared at once, and a timer for each would cost
 * more than the calls they guard. Keeps the process alive while there is any.
 */
export function createDeadlines(lengthMs: number): Deadlines {
  /** The next to expire first. */
  const pending = new Set<Deadline>();
  let timer: NodeJS.Timeout | undefined;

  function expireDue() {
    try {
      const nowMs = performance.now();
      for (const deadline of pending) {
        if (deadline.dueMs > nowMs) break;
        pending.delete(deadline);
        deadline.expire();
      }
    } finally {
      const [next] = pending;
      timer = next && setTimeout(expireDue, Math.max(0, next.dueMs - performance.now()));
    }
  }

  return {
    set(expire) {
      const deadline = { dueMs: performance.now() + lengthMs, expire };
      pending.add(deadline);
      if (!timer) timer = setTimeout(expireDue, lengthMs);
      else if (pending.size === 1) timer.ref();
      return deadline;
    },
    clear(deadline) {
      if (pending.delete(deadline) && pending.size === 0) timer?.unref();
    },
  };
}
