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
  /** What is at a real path that was resolved just now; undefined where that is not known, and when it is asked again. */
  lookedAt(realPath: string): Told<FileInfo> | undefined;
}

/** How long what was seen while a path was resolved counts as just now, milliseconds. */
const JUST_NOW_MS = 50;

export function createResolver(agent: HostAgentConnection): Resolver {
  let waiting = new Map<string, Waiting[]>();
  /** Whoever resolves one path mostly looks at what is there next, as before each command: that is spared a way. */
  let last: { readonly atMs: number; readonly seen: Told<FileInfo> } | undefined;

  async function sendTogether(): Promise<void> {
    const all = waiting;
    waiting = new Map();
    try {
      const outcomes = await agent.look<Outcome[]>('POST', '/files/resolve', { paths: [...all.keys()], look: all.size === 1 });
      const [first] = outcomes;
      const seen = first && 'value' in first ? (first.value as Resolved).seen : undefined;
      if (all.size === 1) last = seen && { atMs: performance.now(), seen };
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
    resolve: (path) =>
      new Promise((resolve, reject) => {
        if (waiting.size === 0) setImmediate(() => void sendTogether());
        const askers = waiting.get(path) ?? [];
        askers.push({ resolve, reject });
        waiting.set(path, askers);
      }),
    lookedAt(realPath) {
      const known = last;
      if (known?.seen.value.path !== realPath) return undefined;
      last = undefined;
      return performance.now() - known.atMs < JUST_NOW_MS ? known.seen : undefined;
    },
  };
}
