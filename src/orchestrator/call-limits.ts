/** What ends a call before its tool does: the caller, the time it may take, or the server's stop. */
import { Failure } from '../errors.ts';
import { createDeadlines, type Deadlines } from './deadlines.ts';

/** A tool that does not heed its signal is left behind this long after the abort, so that no caller hangs. */
const ABANDON_AFTER_MS = 5000;

export interface CallLimit {
  /** Aborted with the reason. Made when first asked for: most calls are over before anybody does. */
  readonly signal: AbortSignal;
  /** Why the call is to end; undefined while it may go on. */
  readonly reason: Failure | undefined;
  /** Called with the reason when the call is to end, at once if it already is. One listener, for work in another thread. */
  onStop(listener: (reason: Failure) => void): void;
  /**
   * The work's own end, also after an abort: a tool that heeds its signal tells what happened until then.
   * @throws Failure the reason of the abort, when the work goes on regardless
   */
  guard<T>(work: Promise<T>): Promise<T>;
  /** The call is over. */
  release(): void;
}

class Limit implements CallLimit {
  onRelease: (() => void) | undefined;
  reason: Failure | undefined;
  #controller: AbortController | undefined;
  #abandon: ((reason: Failure) => void) | undefined;
  #grace: NodeJS.Timeout | undefined;
  #onStop: ((reason: Failure) => void) | undefined;

  onStop(listener: (reason: Failure) => void): void {
    if (this.reason) listener(this.reason);
    else this.#onStop = listener;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.reason) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject;
      work.then(resolve, reject);
    });
  }

  stop(reason: Failure): void {
    if (this.reason) return;
    this.reason = reason;
    this.#grace = setTimeout(() => this.#abandon?.(reason), ABANDON_AFTER_MS);
    this.#controller?.abort(reason);
    this.#onStop?.(reason);
  }

  release(): void {
    clearTimeout(this.#grace);
    this.onRelease?.();
  }
}

export interface CallLimits {
  /** @param seconds limit of the call */
  open(tool: string, seconds: number, caller: AbortSignal): CallLimit;
  /** Aborts every open call. */
  stop(reason: Failure): void;
}

export function createCallLimits(): CallLimits {
  /** By length in seconds; there are as many as there are different limits among the tools. */
  const deadlines = new Map<number, Deadlines>();
  let stopped: Failure | undefined;

  function deadlinesOf(seconds: number): Deadlines {
    const known = deadlines.get(seconds);
    if (known) return known;
    const made = createDeadlines(seconds * 1000);
    deadlines.set(seconds, made);
    return made;
  }

  return {
    open(tool, seconds, caller) {
      const limit = new Limit();
      const cancel = () => limit.stop(reasonOf(caller));
      const times = deadlinesOf(seconds);
      const deadline = times.set(() => limit.stop(stopped ?? overtime(tool, seconds)));
      caller.addEventListener('abort', cancel, { once: true });
      if (caller.aborted) cancel();
      limit.onRelease = () => {
        times.clear(deadline);
        caller.removeEventListener('abort', cancel);
      };
      return limit;
    },
    stop(reason) {
      stopped = reason;
      for (const each of deadlines.values()) each.expireAll();
    },
  };
}

/** Why a signal was aborted. */
function reasonOf(signal: AbortSignal): Failure {
  return signal.reason instanceof Failure ? signal.reason : new Failure('cancelled', 'The call was cancelled.');
}

function overtime(tool: string, seconds: number): Failure {
  return new Failure('timeout', `${tool} did not finish within ${seconds} s.`, {
    hint: 'Raise `execution.timeout`, or split the work.',
  });
}
