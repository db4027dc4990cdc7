/**
 * Sessions that an earlier server process had and whose clients have not come back yet. They count, expire and hear of
 * changes like the others, without being built.
 */
import type { Principal } from '../identity/principal.ts';
import { changeNotification, type SessionSettings, type SessionTerms } from '../protocol/sessions-era.ts';
import type { SessionUse } from '../state/session-store.ts';
import type { Catalogue, CatalogueChange } from '../tools/catalogue.ts';
import { VERSION } from '../version.ts';
import type { SessionIdentity } from './http-session.ts';
import type { KeptSessions } from './kept-sessions.ts';

export interface DormantSessions {
  readonly size: number;
  has(id: string): boolean;
  /** All of them, least recently used first. */
  values(): Iterable<SessionUse>;
  /** Looks for sessions of servers that have gone. @param isKnown whether a session is built already */
  adopt(isKnown: (id: string) => boolean): readonly SessionUse[];
  /** Takes one out so that it can be built; `elsewhere` when another running server has it. */
  take(id: string, principal: Principal): Required<SessionIdentity> | 'elsewhere' | undefined;
  /** Ends one for good. */
  end(id: string): void;
  /** Keeps a change for those that listen, until their clients come back. */
  tell(change: CatalogueChange): void;
}

export function createDormantSessions(kept: KeptSessions): DormantSessions {
  const dormant = new Map<string, SessionUse>();
  /** What each was told already: to hear twice that a list changed helps nobody, and would pile up. */
  const told = new Map<string, Set<string>>();

  function leave(id: string): void {
    dormant.delete(id);
    told.delete(id);
  }

  return {
    get size() {
      return dormant.size;
    },
    has: (id) => dormant.has(id),
    values: () => dormant.values(),
    adopt(isKnown) {
      const all = kept.use((store) => store.adopt()) ?? [];
      const adopted = all.filter(({ id }) => !dormant.has(id) && !isKnown(id));
      for (const each of adopted) dormant.set(each.id, each);
      return adopted;
    },
    take(id, principal) {
      const stored = kept.use((store) => store.find(id, principal.id));
      if (stored === undefined || stored === 'elsewhere') return stored;
      leave(id);
      const terms = JSON.parse(stored.terms) as SessionTerms;
      return { id, principal, terms, settings: JSON.parse(stored.settings) as SessionSettings };
    },
    end(id) {
      leave(id);
      kept.use((store) => store.remove(id));
    },
    tell(change) {
      if (dormant.size === 0) return;
      for (const { id, stream, settings } of kept.use((store) => store.listening()) ?? []) {
        if (!dormant.has(id)) continue;
        const { subscriptions } = JSON.parse(settings) as SessionSettings;
        const notification = changeNotification(change, (uri) => subscriptions.includes(uri));
        const text = notification && JSON.stringify(notification);
        const before = told.get(id) ?? new Set();
        if (text === undefined || before.has(text)) continue;
        told.set(id, before.add(text));
        kept.use((store) => store.appendNext(id, stream, text));
      }
    },
  };
}

/** What of the catalogue differs from what it was when a server last ran with this state folder. */
export function changesSinceLastTime(kept: KeptSessions, catalogue: Catalogue): readonly CatalogueChange[] {
  const now: Readonly<Record<Exclude<CatalogueChange['kind'], 'resource'>, readonly string[]>> = {
    tools: [VERSION, ...catalogue.toolNames],
    prompts: [...catalogue.prompts.keys()],
    resources: [...catalogue.resources.keys()],
  };
  return (Object.keys(now) as (keyof typeof now)[]).flatMap((kind) => {
    const text = JSON.stringify(now[kind]);
    const before = kept.use((store) => store.remember(kind, text));
    return before === undefined || before === text ? [] : [{ kind }];
  });
}
