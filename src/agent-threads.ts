/** Starts the threads that agents run in, from source as well as from the executable. */
import { Worker } from 'node:worker_threads';
import type { AgentSetup } from './agent.ts';
import type { AgentThread } from './orchestrator/agent.ts';

/** Under this name the executable leaves the program text of its agents: it has no file of its own to start them from. */
export const AGENT_SOURCE = Symbol.for('mcp-python.agent-source');

const MEBIBYTE = 1024 * 1024;
/** With less the program itself does not fit. */
const LEAST_MEBIBYTES = 32;

/** @param heapBytes what an agent may hold in JavaScript objects; past it its thread ends */
export async function startAgentThread(setup: AgentSetup, heapBytes: number): Promise<AgentThread> {
  const source: unknown = Reflect.get(globalThis, AGENT_SOURCE);
  const options = {
    workerData: setup,
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: Math.max(LEAST_MEBIBYTES, Math.ceil(heapBytes / MEBIBYTE)) },
  };
  const worker =
    typeof source === 'string'
      ? new Worker(source, { ...options, eval: true })
      : new Worker(new URL('./agent-entry.ts', import.meta.url), options);
  worker.stdout.pipe(process.stderr, { end: false });
  worker.unref();
  return {
    post: (parcel) => worker.postMessage(parcel),
    onParcel: (listener) => worker.on('message', listener),
    onEnd(listener) {
      let error: Error | undefined;
      worker.once('error', (thrown: unknown) => {
        error = thrown instanceof Error ? thrown : new Error(String(thrown));
      });
      worker.once('exit', () => listener(error));
    },
    async terminate() {
      await worker.terminate();
    },
  };
}
