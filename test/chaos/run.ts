/** The run itself: clients that go on with their work while agents and servers die under them, then rest and judgement. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createBehaviour } from './behaviour.ts';
import { bridgeWire } from './bridge-wire.ts';
import { createChaosClient, type OnAttempt } from './client.ts';
import { sessionWire, statelessWire } from './http-wires.ts';
import { type Leftover, leftovers } from './leftovers.ts';
import { type ChaosHome, createChaosHome } from './program.ts';
import { type Chance, createChance } from './random.ts';
import { createRecords, type Records } from './records.ts';
import { type DoomedServer, startDoomedServer } from './server.ts';
import { type Participant, settle } from './settle.ts';
import type { Wire, WireOptions } from './wire.ts';

export interface ChaosOptions {
  /** How the program is started: the executable, or an interpreter and the source. */
  readonly start: readonly [string, ...string[]];
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
  /** A server is killed so often, seconds. */
  readonly serverEvery: number;
  /** An agent is killed so often, seconds. */
  readonly agentEvery: number;
  /** Time after the end until everything must have come to an end, seconds. */
  readonly settleSeconds: number;
  /** A line for people, each ten seconds. */
  onProgress(line: string): void;
}

/** What there is to be judged. */
export interface Outcome {
  readonly records: Records;
  readonly wires: Readonly<Record<string, number>>;
  /** Agents by how they were killed. */
  readonly agentKills: Readonly<Record<string, number>>;
  readonly awayMs: readonly number[];
  readonly complaints: ReadonlyMap<string, number>;
  /** How often each key ran. */
  readonly runs: ReadonlyMap<string, number>;
  readonly orphans: readonly Leftover[];
  /** What the state folder is like: `intact`, or what is wrong with it. */
  readonly state: string;
  readonly stoppedByItself: boolean;
}

const WIRES = ['stateless', 'session', 'bridge'] as const;
/** The first two are cheap; of four clients two are stateless. */
const TURNS = [0, 1, 0, 2] as const;
const WAYS = { restarted: 14, spin: 2, exit: 3, hoard: 1 };
const PROGRESS_MS = 10_000;

export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  using home = createChaosHome(options.start);
  const { seconds, settleSeconds, onProgress } = options;
  const chance = createChance(options.seed);
  const records = createRecords();
  const keys: string[] = [];
  for (let number = 0; number <= options.clients; number++) keys.push(await home.newKey(`client-${number}`));
  const server = await startDoomedServer(home.program, home.state);
  try {
    const agentKills: Record<string, number> = {};
    const wires: Record<string, number> = {};
    let outcome: Omit<Outcome, 'orphans' | 'state' | 'stoppedByItself' | 'runs'>;
    {
      await using open = new AsyncDisposableStack();
      const end = AbortSignal.timeout(seconds * 1000);
      const patience = AbortSignal.timeout((seconds + settleSeconds) * 1000);
      const onWrong = (what: string) => void records.wrong.push(what);
      const onAttempt: OnAttempt = (_tool, how) => records.attempts.set(how, (records.attempts.get(how) ?? 0) + 1);
      const participants = keys.slice(1).map((key, index): Participant => {
        const kind = WIRES[TURNS[index % TURNS.length] ?? 0] ?? 'stateless';
        wires[kind] = (wires[kind] ?? 0) + 1;
        const wire = open.use(connect(kind, home, { port: server.port, key, onWrong }));
        return { number: index + 1, client: createChaosClient(wire, onAttempt) };
      });
      const saboteur = createChaosClient(open.use(statelessWire({ port: server.port, key: keys[0] ?? '', onWrong })), () => {});
      const busy = participants.map(({ number, client }) =>
        createBehaviour({
          ...{ number, client, records, patience, marks: home.marks, label: home.folder },
          chance: createChance(chance.below(2 ** 32)),
        })(end),
      );
      const startedMs = performance.now();
      const telling = setInterval(() => onProgress(progress(records, server, agentKills, startedMs)), PROGRESS_MS);
      try {
        await Promise.all([
          ...busy,
          each(options.serverEvery, end, () => server.replace()),
          each(options.agentEvery, end, () => killAgent(server, saboteur, chance, agentKills)),
        ]);
        onProgress(`${progress(records, server, agentKills, startedMs)} · settling`);
        await settle(participants, records, patience, () => server.replace());
      } finally {
        clearInterval(telling);
      }
      outcome = { records, wires, agentKills, awayMs: server.awayMs, complaints: server.complaints };
    }
    const stoppedByItself = await server.stop();
    return { ...outcome, stoppedByItself, runs: home.runs(), orphans: await leftovers(home.folder), state: await home.check() };
  } finally {
    server.kill();
    for (const { pid } of await leftovers(home.folder)) kill(pid);
  }
}

function connect(kind: (typeof WIRES)[number], { program }: ChaosHome, options: WireOptions): Wire {
  if (kind === 'bridge') return bridgeWire(program, options);
  return kind === 'session' ? sessionWire(options) : statelessWire(options);
}

/** Does something every so many seconds, until the end. */
async function each(seconds: number, end: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await sleep(seconds * 1000, undefined, { signal: end }).catch(() => {});
    if (end.aborted) return;
    await work();
  }
}

async function killAgent(
  server: DoomedServer,
  saboteur: ReturnType<typeof createChaosClient>,
  chance: Chance,
  kills: Record<string, number>,
): Promise<void> {
  const way = chance.pick(WAYS);
  if (way === 'restarted') {
    // The server may be away, too.
    if (!(await server.killAgent(chance).catch(() => false))) return;
  } else {
    // It never answers.
    saboteur.attempt(way, {}).catch(() => {});
  }
  kills[way] = (kills[way] ?? 0) + 1;
}

function progress(
  { attempts, tasks, jobs }: Records,
  { awayMs }: DoomedServer,
  agentKills: Readonly<Record<string, number>>,
  startedMs: number,
): string {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const calls = attempts.get('answered') ?? 0;
  const agents = Object.values(agentKills).reduce((sum, count) => sum + count, 0);
  return `${seconds} s · ${calls} calls answered · ${tasks.length} tasks · ${jobs.length} jobs · killed: ${awayMs.length} servers, ${agents} agents`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
