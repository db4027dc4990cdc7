/** Jobs through a host agent: they are the machine’s own, and outlive this side and the agent. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendJobs, Job } from '../backend.ts';
import type { HostAgentConnection, LifeLine } from './connection.ts';
import { decodeBytes, decodeJob, encodeBytes, type SeenJob, type WireJob } from './wire.ts';

/** Longest wait of one request for a change, milliseconds. */
const LONGEST_MS = 15_000;
/** How often a job that nobody waits for is looked at, milliseconds: from soon after its start to later on. */
const LOOK_MS = [250, 5000] as const;

/** The jobs of this peer. */
export interface HostAgentJobs extends BackendJobs {
  close(): void;
}

/** Jobs over a connection to an agent. */
export function createHostAgentJobs(agent: HostAgentConnection): HostAgentJobs {
  const lines = new Map<string, LifeLine>();
  const seen = new Map<string, SeenJob>();
  const closing = new AbortController();

  async function get(id: string): Promise<Job> {
    const job = decodeJob(await agent.look<WireJob>('POST', '/jobs/get', { id }));
    if (seen.has(id)) remember(job);
    return job;
  }

  function remember({ id, bytes, end }: Job): void {
    seen.set(id, { ...bytes, ended: end !== undefined });
  }

  return {
    async start({ stdin, ...request }) {
      const body = { ...request, ...(stdin && { stdin: encodeBytes(stdin) }) };
      if (!request.attached) return decodeJob(await agent.act<WireJob>('/jobs/start', body));
      const { value, line } = await agent.actAndHold<WireJob>('/jobs/start', body);
      lines.set(value.id, line);
      void line.closed.then(() => lines.delete(value.id));
      return decodeJob(value);
    },
    async detach(id) {
      await agent.act('/jobs/detach', { id });
    },
    async list() {
      return (await agent.look<WireJob[]>('POST', '/jobs/list', {})).map(decodeJob);
    },
    get,
    async read(id, stream, position, length) {
      return decodeBytes(await agent.look('POST', '/jobs/read', { id, stream, position, length }));
    },
    watch(id) {
      const gone = new AbortController();
      // From now on what is seen of it counts.
      seen.set(id, { stdout: 0, stderr: 0, ended: false });
      return {
        async changed(maxMs) {
          const body = { id, maxMs: Math.min(Math.max(0, maxMs), LONGEST_MS), seen: seen.get(id) };
          await agent.look('POST', '/jobs/changed', body, gone.signal).catch(() => sleep(Math.min(maxMs, LOOK_MS[0])));
        },
        [Symbol.dispose]() {
          seen.delete(id);
          gone.abort();
        },
      };
    },
    async untilEnd(id) {
      for (let waitMs: number = LOOK_MS[0]; ; waitMs = Math.min(2 * waitMs, LOOK_MS[1])) {
        if (closing.signal.aborted) return false;
        const job = await get(id).catch((thrown: unknown) => {
          if ((thrown as { code?: string }).code === 'not_found') throw thrown;
        });
        if (job?.end) return true;
        // It keeps nobody alive.
        await sleep(waitMs, undefined, { ref: false, signal: closing.signal }).catch(() => {});
      }
    },
    write: (id, data, signal) => agent.act<number>('/jobs/write', { id, data: encodeBytes(data) }, { signal }),
    closeInput: (id) => agent.act('/jobs/close-input', { id }),
    signal: (id, name) => agent.act('/jobs/signal', { id, name }),
    cancel: (id) => agent.act('/jobs/cancel', { id }),
    claimEnd: (id) => agent.act('/jobs/claim-end', { id }),
    returnEnd: (id) => agent.act('/jobs/return-end', { id }),
    remove: (id) => agent.act('/jobs/remove', { id }),
    close: () => closing.abort(),
  };
}
