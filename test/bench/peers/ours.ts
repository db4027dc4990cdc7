/** The server under test in a process that tells about its own memory, over IPC. Run with `--expose-gc`. */
import { readdirSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../../src/config/load.ts';
import { createRuntime } from '../../../src/runtime.ts';
import { serveHttp } from '../../../src/transports/http.ts';

/** What is left in the process after a collection. */
export interface Remains {
  readonly heapBytes: number;
  readonly sessions: number;
  readonly openFiles: number;
  /** Their ids. */
  readonly childProcesses: readonly number[];
  /** Kinds of what keeps the event loop alive. */
  readonly resources: readonly string[];
}

const flags = JSON.parse(process.argv[2] ?? '{}') as Record<string, unknown>;
const runtime = await createRuntime(await loadConfig({ flags, environment: process.env }));
const server = await serveHttp(runtime, { host: '127.0.0.1', port: 0 });
process.stdout.write(`${server.url}\n`);

async function remains(): Promise<Remains> {
  // Finalizers and weak references take a few turns to let go of what they hold.
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    heapBytes: process.memoryUsage().heapUsed,
    sessions: server.sessionCount,
    openFiles: readdirSync('/proc/self/fd').length,
    childProcesses: readFileSync('/proc/thread-self/children', 'utf8').trim().split(' ').filter(Boolean).map(Number),
    resources: process.getActiveResourcesInfo(),
  };
}

process.on('message', async (order: 'tell' | 'close') => {
  if (order === 'close') {
    await server.close();
    await runtime[Symbol.asyncDispose]();
  }
  process.send?.(await remains());
  // The channel to the bench is all that may be left: without it the process ends by itself.
  if (order === 'close') process.disconnect();
});
