/** What stays: memory of an idle server, and whatever thousands of calls and sessions leave behind. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Remains } from './peers/ours.ts';
import { anonymousMemory, endOf, initialize, startStdioServer } from './processes.ts';
import { openConnection, type RawConnection } from './raw-http.ts';
import { type Row, shown } from './report.ts';
import { callTool, echoCaller, listTools, openSession } from './requests.ts';
import { type Subject, TOOLS_PLUGIN } from './subject.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const IDLE_MS = 3000;
const CONNECTIONS = 10;
const SESSIONS = 1000;
const CALLS = 10_000;
/** One call in this many runs a command. */
const COMMAND_EVERY = 50;
/** How soon everything must have ended once the server has. */
const GONE_WITHIN_MS = 2000;

export async function memory(subject: Subject): Promise<Row[]> {
  return [...(await idleStdio(subject)), ...(await idleSessions(subject)), ...(await longRun(subject))];
}

async function idleStdio(subject: Subject): Promise<Row[]> {
  await using server = startStdioServer(subject);
  await initialize(server);
  await sleep(IDLE_MS);
  const initialized = await anonymousMemory(server.pid);
  await server.request('tools/list', {});
  await sleep(IDLE_MS);
  const listed = await anonymousMemory(server.pid);
  const row = (what: string, bytes: number): Row => ({
    group: 'memory',
    what,
    figure: bytes / MIB,
    unit: 'MiB',
    bound: { kind: 'at most', value: 30 },
    detail: `RssAnon ${IDLE_MS / 1000} s later (${subject.kind})`,
  });
  return [row('idle stdio after initialize', initialized), row('idle stdio after tools/list', listed)];
}

async function idleSessions(subject: Subject): Promise<Row[]> {
  await using server = await startOurs(subject, { 'server.max_sessions': 3 * SESSIONS });
  const open = () =>
    server.spread(SESSIONS, async (connection) => {
      const session = await openSession(connection, server.port);
      await listTools(connection, server.port, session);
      await echoCaller(connection, server.port, session)();
    });
  // The first thousand pay for compiled code and grown tables, which the second shares.
  await open();
  const before = await server.ask('tell');
  await open();
  const after = await server.ask('tell');
  const opened = after.sessions - before.sessions;
  if (opened !== SESSIONS) throw new Error(`${opened} sessions are open, not ${SESSIONS}.`);
  return [
    {
      group: 'memory',
      what: 'idle session over HTTP',
      figure: (after.heapBytes - before.heapBytes) / SESSIONS / KIB,
      unit: 'KiB',
      bound: { kind: 'at most', value: 12 },
      detail: `of heap, ${SESSIONS} more sessions, each initialized, listed its tools and made a call`,
    },
  ];
}

async function longRun(subject: Subject): Promise<Row[]> {
  await using server = await startOurs(subject, { 'server.max_sessions': SESSIONS });
  // The first round fills tables to their limits and starts what is kept for all commands.
  await manyCalls(server);
  const filled = await server.ask('tell');
  await manyCalls(server);
  const first = await server.ask('tell');
  await manyCalls(server);
  const second = await server.ask('tell');
  const closed = await server.ask('close');
  const exited = await server.exitsWithin(GONE_WITHIN_MS);
  const alive = await stillAlive(second.childProcesses, GONE_WITHIN_MS);
  // What the channel to the bench and the inherited terminal keep.
  const handles = closed.resources.filter((kind) => kind !== 'PipeWrap' && kind !== 'TTYWrap');
  const moreChildren = second.childProcesses.length - filled.childProcesses.length;
  const row = (what: string, figure: number, unit: string, most: number, detail: string): Row => ({
    group: 'memory',
    what,
    figure,
    unit,
    bound: { kind: 'at most', value: most },
    detail,
  });
  const commands = (CALLS / COMMAND_EVERY) * 2;
  return [
    row(
      `heap grown by ${shown(CALLS)} calls, ${shown(SESSIONS)} sessions left`,
      (second.heapBytes - first.heapBytes) / MIB,
      'MiB',
      Math.max(1, (0.02 * first.heapBytes) / MIB),
      `${shown(first.heapBytes / MIB)} to ${shown(second.heapBytes / MIB)} MiB after GC, ${second.sessions} sessions kept`,
    ),
    row(
      'child processes more',
      moreChildren,
      '',
      0,
      `after ${commands} commands; ${second.childProcesses.length} is kept for all`,
    ),
    row(
      'file descriptors more',
      second.openFiles - filled.openFiles,
      '',
      0,
      `${filled.openFiles} before, ${second.openFiles} after`,
    ),
    row('timers and handles left after close', handles.length, '', 0, handles.join(' ') || 'none'),
    row(
      'processes left after the end',
      alive.length + (exited ? 0 : 1),
      '',
      0,
      exited ? 'ended by itself' : 'did not end within 2 s',
    ),
  ];
}

/** Those of the processes that have not ended by then; one that nobody has waited for yet has ended. */
async function stillAlive(pids: readonly number[], withinMs: number): Promise<number[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const states = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')));
    const alive = pids.filter((_, index) => !/^.*\) [ZX]/s.test(states[index] ?? ''));
    if (alive.length === 0 || performance.now() > until) return alive;
    await sleep(50);
  }
}

/** Ten calls on each of a thousand new sessions that are then left as they are, by clients that go away. */
function manyCalls(server: Ours): Promise<void> {
  let made = 0;
  return server.spread(SESSIONS, async (connection) => {
    const session = await openSession(connection, server.port);
    const echo = echoCaller(connection, server.port, session);
    for (let call = 0; call < CALLS / SESSIONS; call++) {
      made++;
      if (made % COMMAND_EVERY !== 0) await echo();
      else {
        const command = { name: 'execute_command', arguments: { command: `echo "call $((${made} + 0))"` } };
        await callTool(connection, server.port, session, command, `call ${made}`);
      }
    }
  });
}

interface Ours extends AsyncDisposable {
  readonly port: number;
  ask(order: 'tell' | 'close'): Promise<Remains>;
  /** Does `work` so many times over ten connections, and closes them. */
  spread(times: number, work: (connection: RawConnection) => Promise<void>): Promise<void>;
  exitsWithin(ms: number): Promise<boolean>;
}

async function startOurs({ folder, environment }: Subject, flags: Readonly<Record<string, unknown>>): Promise<Ours> {
  const child = fork(
    join(import.meta.dirname, 'peers', 'ours.ts'),
    [JSON.stringify({ plugins: [TOOLS_PLUGIN], 'execution.workspace': folder, ...flags })],
    { cwd: folder, env: environment, execArgv: ['--expose-gc'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const ended = endOf(child);
  const [address] = (await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])) as [Buffer];
  const port = Number(new URL(address.toString().trim()).port);
  return {
    port,
    async ask(order) {
      child.send(order);
      const [told] = await Promise.race([once(child, 'message'), ended]);
      return told as Remains;
    },
    async spread(times, work) {
      let begun = 0;
      const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(port)));
      await Promise.all(
        connections.map(async (connection) => {
          while (begun < times) {
            begun++;
            await work(connection);
          }
        }),
      );
      await Promise.all(connections.map((connection) => connection.close()));
    },
    async exitsWithin(ms) {
      if (child.exitCode !== null) return true;
      return Promise.race([once(child, 'exit').then(() => true), sleep(ms, false)]);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
