/**
 * What is kept of sessions for the next server process. The server works without as well: then sessions end with it,
 * and why is told once.
 */
import { createHash } from 'node:crypto';
import type { SessionStore } from '../state/session-store.ts';
import type { EventStreamHistory } from './event-streams.ts';

export interface KeptSessions {
  /** Works on the store. Undefined where there is none, or it failed. */
  use<Result>(work: (store: SessionStore) => Result): Result | undefined;
  /** What outlives the process of a session's event streams. @param rebuilt whether an earlier process had it */
  history(id: string, rebuilt: boolean): EventStreamHistory;
  close(): void;
}

/**
 * @param folder the state folder
 * @param onFailure told why sessions are not kept, once
 */
export async function openKeptSessions(folder: string, onFailure: (message: string) => void): Promise<KeptSessions> {
  let told = false;
  const tell = (thrown: unknown) => {
    if (told) return;
    told = true;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    onFailure(
      `Sessions do not survive a restart of this server: ${folder}/sessions.db cannot be used (${reason}). Remove it if it is damaged.`,
    );
  };
  let store: SessionStore | undefined;
  try {
    const { openSessionStore } = await import('../state/session-store.ts');
    store = openSessionStore(folder);
  } catch (thrown) {
    tell(thrown);
  }

  const use: KeptSessions['use'] = (work) => {
    if (!store) return undefined;
    try {
      return work(store);
    } catch (thrown) {
      tell(thrown);
      return undefined;
    }
  };

  return {
    use,
    history(id, rebuilt) {
      const earlier = rebuilt && use((each) => ({ open: each.streams(id), events: each.events(id) }));
      return {
        tag: tagOf(id),
        journal: {
          opened: (stream, request) => use((each) => each.openStream(id, stream, request)),
          logged: (event) => use((each) => each.append(id, event)),
          finished: (stream, last) => use((each) => each.finishStream(id, stream, last)),
          forgotten: (sequence) => use((each) => each.trim(id, sequence)),
        },
        ...(earlier && { earlier }),
      };
    },
    close() {
      use((each) => {
        each.release();
        each.close();
      });
      store = undefined;
    },
  };
}

/** The same in every process, and tells nothing of the session's id. */
function tagOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 8).replaceAll('_', '-');
}
