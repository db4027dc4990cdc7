/** Who is here by a credential: what runs and listens in their name, their limits, and their leaving when it is revoked. */
import type { ServerResponse } from 'node:http';
import type { Identified } from '../identity/credential.ts';
import { createRequestWindow, type RequestWindow } from '../identity/request-window.ts';

/** The holder of a credential, over all of its connections. */
export interface KeyHolder {
  /** As it was verified last. */
  identified: Identified;
  readonly window: RequestWindow;
  /** Every answer under way. */
  readonly responses: Set<ServerResponse>;
  /** Calls that run. */
  calls: number;
  /** Event streams that stay open: GET, and `subscriptions/listen`. */
  streams: number;
  /** When a refusal was last told to the audit log; of `performance.now()`. */
  toldMs: number;
  ended: boolean;
}

export interface KeyHolders {
  /** The holder of what was identified just now. */
  arrive(identified: Identified): KeyHolder;
  find(principalId: string): KeyHolder | undefined;
  close(): void;
}

/** A revoked or expired credential is noticed within this time while its holder sends nothing, milliseconds. */
const LOOK_EVERY_MS = 500;
/** How long answers get to reach a holder whose credential has ended, milliseconds. */
const LEAVE_AFTER_MS = 100;

/** @param onEnd told that a credential has ended: sessions of the principal are to end with it */
export function createKeyHolders(onEnd: (principalId: string) => void): KeyHolders {
  const holders = new Map<string, KeyHolder>();
  let timer: NodeJS.Timeout | undefined;

  function lookAgain(): void {
    for (const holder of holders.values()) if (!isCurrent(holder)) end(holder);
    if (holders.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function end(holder: KeyHolder): void {
    const { id } = holder.identified.principal;
    holder.ended = true;
    holders.delete(id);
    onEnd(id);
    setTimeout(() => {
      for (const response of holder.responses) response.destroy();
    }, LEAVE_AFTER_MS).unref();
  }

  return {
    arrive(identified) {
      const { id } = identified.principal;
      const known = holders.get(id);
      if (known) {
        known.identified = identified;
        return known;
      }
      const arrived: KeyHolder = {
        identified,
        window: createRequestWindow(),
        responses: new Set(),
        calls: 0,
        streams: 0,
        toldMs: Number.NEGATIVE_INFINITY,
        ended: false,
      };
      holders.set(id, arrived);
      timer ??= setInterval(lookAgain, LOOK_EVERY_MS).unref();
      return arrived;
    },
    find: (principalId) => holders.get(principalId),
    close() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** What cannot be looked at counts as ended: a credential in doubt is none. */
function isCurrent({ identified }: KeyHolder): boolean {
  try {
    return identified.isCurrent();
  } catch {
    return false;
  }
}
