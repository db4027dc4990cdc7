/**
 * The load generator, in a process of its own: as many connections as sessions, one request at a time on each,
 * every answer checked. Told what to do over IPC.
 */
import { openConnection } from './raw-http.ts';
import { type Era, echoCaller, openSession } from './requests.ts';

export interface LoadJob {
  readonly port: number;
  readonly era: Era;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  /** Verified answers within the measured time. */
  readonly answers: number;
  readonly seconds: number;
}

async function run({ port, era, connections, warmUpMs, measureMs }: LoadJob): Promise<LoadResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)));
  const callers = await Promise.all(
    open.map(async (connection) =>
      echoCaller(connection, port, era === 'sessions' ? await openSession(connection, port) : undefined),
    ),
  );
  let answers = 0;
  const drive = (ms: number) => {
    const end = performance.now() + ms;
    return Promise.all(
      callers.map(async (call) => {
        while (performance.now() < end) {
          await call();
          answers++;
        }
      }),
    );
  };
  const stayAwake = spin();
  await drive(warmUpMs);
  answers = 0;
  const start = performance.now();
  await drive(measureMs);
  const seconds = (performance.now() - start) / 1000;
  stayAwake.stop();
  await Promise.all(open.map((connection) => connection.close()));
  return { answers, seconds };
}

/** Keeps the event loop polling: a generator that sleeps has to be woken by the server, and the fast ones would pay most. */
function spin() {
  let on = true;
  const turn = () => {
    if (on) setImmediate(turn);
  };
  turn();
  return {
    stop() {
      on = false;
    },
  };
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result),
    (thrown: unknown) => {
      process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`);
      process.exit(1);
    },
  );
});
