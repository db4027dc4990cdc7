/** Resolving paths on the agent's machine. A guard asks for many at once; they are sent together. */
import type { Failure } from '../../errors.ts';
import type { HostAgentConnection } from './connection.ts';
import { decodeFailure, type Outcome } from './wire.ts';

interface Waiting {
  resolve(realPath: string): void;
  reject(failure: Failure): void;
}

/** @returns the real path of one path, as `BackendFiles.resolve` */
export function createResolver(agent: HostAgentConnection): (path: string) => Promise<string> {
  let waiting = new Map<string, Waiting[]>();

  async function sendTogether(): Promise<void> {
    const all = waiting;
    waiting = new Map();
    try {
      const outcomes = await agent.look<Outcome[]>('POST', '/files/resolve', { paths: [...all.keys()] });
      [...all.values()].forEach((askers, index) => {
        const outcome = outcomes[index];
        for (const { resolve, reject } of askers) {
          if (outcome && 'value' in outcome) resolve(outcome.value as string);
          else if (outcome) reject(decodeFailure(outcome.failure));
        }
      });
    } catch (thrown) {
      for (const askers of all.values()) for (const { reject } of askers) reject(thrown as Failure);
    }
  }

  return (path) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) setImmediate(() => void sendTogether());
      const askers = waiting.get(path) ?? [];
      askers.push({ resolve, reject });
      waiting.set(path, askers);
    });
}
