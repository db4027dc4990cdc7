/** Something that has until its time to be cleared. */
export interface Deadline {
  readonly dueMs: number;
}

export interface Deadlines {
  /** @param expire called once the time is over, unless cleared before */
  set(expire: () => void): Deadline;
  clear(deadline: Deadline): void;
  /** Ends the time of all that are pending now. */
  expireAll(): void;
}

/** One in the chain of those that are pending; undefined neighbours mark one that no longer is. */
interface Link extends Deadline {
  readonly expire: () => void;
  previous: Link | undefined;
  next: Link | undefined;
}

/**
 * Many deadlines of one length on one timer. Nearly all of them are cleared at once, and a timer for each would cost
 * more than the calls they guard. Keeps the process alive while there is any.
 *
 * The chain is our own because a Set that things pass through by the thousand keeps dead ones reachable: each table
 * it outgrows points to the next, and one in old space drags all later ones there.
 */
export function createDeadlines(lengthMs: number): Deadlines {
  /** Stands before the first and behind the last, which is the next to expire and the one set last. */
  const ends = link(0, () => {});
  ends.previous = ends;
  ends.next = ends;
  let timer: NodeJS.Timeout | undefined;

  function first(): Link | undefined {
    return ends.next === ends ? undefined : ends.next;
  }

  function unlink(one: Link) {
    if (one.previous) one.previous.next = one.next;
    if (one.next) one.next.previous = one.previous;
    one.previous = undefined;
    one.next = undefined;
  }

  function expireDue() {
    try {
      const nowMs = performance.now();
      for (let due = first(); due && due.dueMs <= nowMs; due = first()) {
        unlink(due);
        due.expire();
      }
    } finally {
      const next = first();
      timer = next && setTimeout(expireDue, Math.max(0, next.dueMs - performance.now()));
    }
  }

  return {
    set(expire) {
      const last = link(performance.now() + lengthMs, expire);
      const wasEmpty = ends.next === ends;
      last.previous = ends.previous;
      last.next = ends;
      if (ends.previous) ends.previous.next = last;
      ends.previous = last;
      if (!timer) timer = setTimeout(expireDue, lengthMs);
      else if (wasEmpty) timer.ref();
      return last;
    },
    clear(deadline) {
      unlink(deadline as Link);
      if (ends.next === ends) timer?.unref();
    },
    expireAll() {
      for (let each = first(); each; each = first()) {
        unlink(each);
        each.expire();
      }
    },
  };
}

function link(dueMs: number, expire: () => void): Link {
  return { dueMs, expire, previous: undefined, next: undefined };
}
