/** Calls that are submitted again under the key of one before: they are that call, and get its outcome. */
import { Failure } from '../errors.ts';
import type { ToolCall, ToolOutcome } from './orchestrator.ts';

/** How long the outcome of a call is kept for who asks again, milliseconds. */
const KEPT_MS = 600_000;
/** How many are kept; the oldest goes first. */
const MAX_KEPT = 10_000;

interface Submitted {
  readonly matter: string;
  readonly outcome: Promise<ToolOutcome>;
  /** Milliseconds of `performance.now()`; infinite while it runs. */
  untilMs: number;
}

export interface RepeatedCalls {
  /**
   * Runs it, unless a call with the same key of the same principal runs or ended in the last ten minutes. A call that
   * never came to an outcome (its questions go to the client first) does not count.
   * @throws Failure `conflict` when the key was used for another tool or other arguments
   */
  once(principal: string, key: string, call: ToolCall, run: () => Promise<ToolOutcome>): Promise<ToolOutcome>;
}

export function createRepeatedCalls(): RepeatedCalls {
  const submitted = new Map<string, Submitted>();

  function forgetOld(): void {
    const nowMs = performance.now();
    for (const [key, { untilMs }] of submitted) {
      if (untilMs > nowMs && submitted.size < MAX_KEPT) break;
      if (untilMs !== Number.POSITIVE_INFINITY) submitted.delete(key);
    }
  }

  return {
    once(principal, key, { tool, arguments: values }, run) {
      forgetOld();
      const name = JSON.stringify([principal, key]);
      const matter = JSON.stringify([tool, values]);
      const known = submitted.get(name);
      if (known && known.matter !== matter) {
        const message = `The idempotency key ${JSON.stringify(key)} was used for another call.`;
        return Promise.reject(new Failure('conflict', message, { hint: 'Use a new key for every call that is meant to run.' }));
      }
      if (known) return known.outcome;
      const made: Submitted = { matter, outcome: run(), untilMs: Number.POSITIVE_INFINITY };
      submitted.set(name, made);
      made.outcome.then(
        () => {
          made.untilMs = performance.now() + KEPT_MS;
        },
        () => submitted.delete(name),
      );
      return made.outcome;
    },
  };
}
