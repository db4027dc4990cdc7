/** Resolving paths on the agent's machine. A guard asks for many at once; they are sent together. */
import type { Failure } from '../../errors.ts';
import type { FileInfo } from '../backend.ts';
import type { HostAgentConnection } from './connection.ts';
import { decodeFailure, type Outcome, type Resolved, type Told } from './wire.ts';

interface Waiting {
  resolve(realPath: string): void;
  reject(failure: Failure): void;
}

export interface Resolver {
  /** The real path of one path, as `BackendFiles.resolve`. */
  resolve(path: string): Promise<string>;
  /** The folder at a real path that was resolved just now; undefined where that is not known. */
  lookedAt(realPath: string): Told<FileInfo> | undefined;
}

/**
 * How long a folder that was resolved is believed to be where it was, milliseconds: commands come in bursts, and each
 * works in a folder that is judged before. What the agent does there it judges itself, when it does it.
 */
const BELIEVED_MS = 250;

export function createResolver(agent: HostAgentConnection): Resolver {
  let waiting = new Map<string, Waiting[]>();
  /** Whoever resolves one path mostly looks at what is there next, as before each command: that is spared a way. */
  let last: { readonly atMs: number; readonly path: string; readonly seen: Told<FileInfo> } | undefined;
  const fresh = () => (last && performance.now() - last.atMs < BELIEVED_MS ? last : undefined);

  async function sendTogether(): Promise<void> {
    const all = waiting;
    const atMs = performance.now();
    waiting = new Map();
    try {
      const outcomes = await agent.look<Outcome[]>('POST', '/files/resolve', { paths: [...all.keys()], look: all.size === 1 });
      const [first] = outcomes;
      const seen = first && 'value' in first ? (first.value as Resolved).seen : undefined;
      const [path = ''] = all.keys();
      last = seen?.value.kind === 'directory' ? { atMs, path, seen } : undefined;
      [...all.values()].forEach((askers, index) => {
        const outcome = outcomes[index];
        for (const { resolve, reject } of askers) {
          if (outcome && 'value' in outcome) resolve((outcome.value as Resolved).realPath);
          else if (outcome) reject(decodeFailure(outcome.failure));
        }
      });
    } catch (thrown) {
      for (const askers of all.values()) for (const { reject } of askers) reject(thrown as Failure);
    }
  }

  return {
    resolve(path) {
      const known = fresh();
      if (known?.path === path) return Promise.resolve(known.seen.value.path);
      return new Promise((resolve, reject) => {
        if (waiting.size === 0) setImmediate(() => void sendTogether());
        const askers = waiting.get(path) ?? [];
        askers.push({ resolve, reject });
        waiting.set(path, askers);
      });
    },
    lookedAt(realPath) {
      const known = fresh();
      return known?.seen.value.path === realPath ? known.seen : undefined;
    },
  };
}
