/**
 * Calls per second of one core over HTTP, beside the SDKs and beside next to nothing. Where there are two cores and
 * `taskset`, every server runs on the first and the load generator on the second, so that nothing moves about.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { LoadJob, LoadResult } from './load.ts';
import { endOf, startHttpServer } from './processes.ts';
import { type Row, shown } from './report.ts';
import type { Era } from './requests.ts';
import { median } from './statistics.ts';
import { type Subject, TOOLS_PLUGIN } from './subject.ts';

const ROUNDS = 13;
const CONNECTIONS = 10;
/** Rounds that do not count: servers grow faster for some seconds, and slow again when left alone for long. */
const WARM_UP_ROUNDS = 3;
const LONG_WARM_UP_MS = 1000;
const WARM_UP_MS = 80;
const MEASURE_MS = 320;

interface Contest {
  readonly era: Era;
  readonly name: string;
  /** The SDK as its own documentation uses it, and how many times faster we are to be. */
  readonly documented: { readonly file: string; readonly what: string; readonly times: number };
  /** The SDK with as little around it as goes; told, without a bound. */
  readonly lean: { readonly file: string; readonly what: string };
}

const CONTESTS: readonly Contest[] = [
  {
    era: 'sessions',
    name: 'HTTP 2025 era',
    documented: { file: 'sdk-v1-express.ts', what: 'SDK v1 as its examples mount it, on Express', times: 5 },
    lean: { file: 'sdk-v1.ts', what: 'SDK v1 straight on node:http' },
  },
  {
    era: 'stateless',
    name: 'HTTP 2026 era',
    documented: { file: 'sdk-v2.ts', what: 'SDK v2 as its guide writes it, schemas in the factory', times: 15 },
    lean: { file: 'sdk-v2-kept.ts', what: 'SDK v2 with its schemas kept between requests' },
  },
];

/** At least this part of what a bare handler answers, percent. */
const OF_BARE = 45;

export async function http(subject: Subject): Promise<Row[]> {
  const rows: Row[] = [];
  for (const contest of CONTESTS) rows.push(...(await hold(contest, subject)));
  for (const part of PARTS) rows.push(await costOf(part, subject));
  return rows;
}

async function hold({ era, name, documented, lean }: Contest, subject: Subject): Promise<Row[]> {
  await using servers = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  // None of the others keeps an audit log or has agents; what ours cost has rows of its own.
  const environment = { ...subject.environment, ...BARE };
  const start = async (who: string, command: string, args: readonly string[]) => {
    const [program = command, ...rest] = [...pinnedTo(0), command, ...args];
    ports.set(who, servers.use(await startHttpServer(program, rest, { ...subject, environment })).port);
  };
  await start('ours', subject.command, [...subject.prefix, '--plugin', TOOLS_PLUGIN, 'serve', '--port', '0']);
  for (const file of ['bare.ts', documented.file, lean.file]) {
    await start(file, process.execPath, [join(import.meta.dirname, 'peers', file)]);
  }
  const results = await takeTurns(era, ports);
  const rates = (who: string) => (results.get(who) ?? []).map(({ answers, seconds }) => answers / seconds);
  const rate = (who: string) => median(rates(who));
  // Round by round, each with what the machine was like just then.
  const ratio = (who: string) => median(rates('ours').map((each, round) => each / (rates(who)[round] ?? Number.NaN)));
  const ours = `${shown(rate('ours'))} calls/s (${subject.kind})`;
  const beside = ({ file, what }: { file: string; what: string }) => ({
    group: 'http',
    what: `${name} against ${what}`,
    figure: ratio(file),
    unit: '×',
    detail: `${ours}, the SDK ${shown(rate(file))} calls/s`,
  });
  return [
    { ...beside(documented), bound: { kind: 'at least', value: documented.times } },
    beside(lean),
    {
      group: 'http',
      what: `${name} against a bare handler`,
      figure: 100 * ratio('bare.ts'),
      unit: '%',
      bound: { kind: 'at least', value: OF_BARE },
      detail: `${ours}, bare ${shown(rate('bare.ts'))} calls/s`,
    },
  ];
}

/** Neither an audit log nor agents. */
const BARE = { MCP_PYTHON_AUDIT_ENABLED: 'false', MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: '0' };

/** What the parts cost that none of the others has: calls per second with and without each. */
const PARTS = [
  {
    what: 'calls with an audit log against calls without',
    environment: { ...BARE, MCP_PYTHON_AUDIT_ENABLED: 'true' },
    atLeast: 95,
  },
  {
    what: 'calls through agents against calls in the server itself',
    environment: { ...BARE, MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: '3' },
    atLeast: 60,
  },
] as const;

async function costOf({ what, environment, atLeast }: (typeof PARTS)[number], subject: Subject): Promise<Row> {
  await using servers = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  for (const [who, variables] of Object.entries({ with: environment, without: BARE })) {
    const state = { MCP_PYTHON_STATE_DIRECTORY: join(subject.folder, `state-${atLeast}-${who}`) };
    const [program = '', ...args] = [...pinnedTo(0), subject.command, ...subject.prefix];
    const all = [...args, '--plugin', TOOLS_PLUGIN, 'serve', '--port', '0'];
    const server = await startHttpServer(program, all, {
      ...subject,
      environment: { ...subject.environment, ...variables, ...state },
    });
    ports.set(who, servers.use(server).port);
  }
  const results = await takeTurns('sessions', ports);
  const rates = (who: string) => (results.get(who) ?? []).map(({ answers, seconds }) => answers / seconds);
  const without = rates('without');
  return {
    group: 'http',
    what,
    figure: 100 * median(rates('with').map((each, round) => each / (without[round] ?? Number.NaN))),
    unit: '%',
    bound: { kind: 'at least', value: atLeast },
    detail: `${shown(median(rates('with')))} calls/s, without ${shown(median(without))} calls/s`,
  };
}

/** Puts the same load on every server in turn, round after round. */
async function takeTurns(era: Era, ports: ReadonlyMap<string, number>): Promise<Map<string, LoadResult[]>> {
  const generator = fork(join(import.meta.dirname, 'load.ts'), { execArgv: [] });
  const [pin, ...pinArguments] = pinnedTo(1);
  if (pin) execFileSync(pin, ['-apc', pinArguments.at(-1) ?? '', String(generator.pid)], { stdio: 'ignore' });
  const ended = endOf(generator);
  const results = new Map<string, LoadResult[]>([...ports.keys()].map((who) => [who, []]));
  try {
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      for (const [who, port] of round % 2 === 0 ? ports : [...ports].reverse()) {
        const warmUpMs = round < 0 ? LONG_WARM_UP_MS : WARM_UP_MS;
        generator.send({ port, era, connections: CONNECTIONS, warmUpMs, measureMs: MEASURE_MS } satisfies LoadJob);
        const [told] = await Promise.race([once(generator, 'message'), ended]);
        if (round >= 0) results.get(who)?.push(told as LoadResult);
      }
    }
  } finally {
    generator.kill();
  }
  return results;
}

/** What to put before a command so that it runs on that core; nothing where that cannot be done. */
function pinnedTo(core: 0 | 1): string[] {
  if (availableParallelism() < 2) return [];
  try {
    execFileSync('taskset', ['-c', String(core), 'true'], { stdio: 'ignore' });
  } catch {
    return [];
  }
  return ['taskset', '-c', String(core)];
}
