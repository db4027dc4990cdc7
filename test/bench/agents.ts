/** What agents cost: their start, their memory, and the way through them. */
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrchestratorStatus } from '../../src/orchestrator/orchestrator.ts';
import { anonymousMemory, initialize, type StdioServer, startHttpServer, startStdioServer } from './processes.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { type Subject, TOOLS_PLUGIN } from './subject.ts';

const MIB = 1024 * 1024;
const MOST_AGENTS = 8;
const CALLS = 3000;
const WARM_UP = 500;
/** Time for a server to come to rest, milliseconds. */
const REST_MS = 2000;

export async function agents(subject: Subject): Promise<Row[]> {
  return [await wayThrough(subject), ...(await startAndMemory(subject))];
}

/** A cheap tool called over and over on stdio, with agents and without. */
async function wayThrough(subject: Subject): Promise<Row> {
  await using servers = new AsyncDisposableStack();
  const start = async (count: number): Promise<StdioServer> => {
    const environment = { ...subject.environment, MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: `${count}` };
    const server = servers.use(
      startStdioServer({ ...subject, prefix: [...subject.prefix, '--plugin', TOOLS_PLUGIN], environment }),
    );
    await initialize(server);
    return server;
  };
  const [through, inside] = [await start(3), await start(0)];
  const took = new Map<StdioServer, number[]>([
    [through, []],
    [inside, []],
  ]);
  for (let call = 0; call < WARM_UP + CALLS; call++) {
    for (const [server, times] of took) {
      const startedMs = performance.now();
      await server.request('tools/call', { name: 'bench_echo', arguments: { text: 'hi' } });
      if (call >= WARM_UP) times.push(performance.now() - startedMs);
    }
  }
  const [withAgents, without] = [median(took.get(through) ?? []), median(took.get(inside) ?? [])];
  return {
    group: 'agents',
    what: 'a cheap call through an agent, beyond one in the server',
    figure: withAgents - without,
    unit: 'ms',
    bound: { kind: 'at most', value: 0.15 },
    detail: `p50 ${withAgents.toFixed(3)} ms, without ${without.toFixed(3)} ms, ${CALLS} calls each (${subject.kind})`,
  };
}

async function startAndMemory(subject: Subject): Promise<Row[]> {
  const state = join(subject.folder, 'state-agents');
  const environment = { ...subject.environment, MCP_PYTHON_STATE_DIRECTORY: state };
  const args = [...subject.prefix, 'serve', '--port', '0'];
  await using server = await startHttpServer(subject.command, args, { ...subject, environment });
  const control = (method: string, path: string) => ask(join(state, 'server.sock'), method, path);
  const scale = async (count: number): Promise<number> => {
    const startedMs = performance.now();
    let status = await control('POST', `/control/agents/scale?count=${count}`);
    while (status.agents.filter((agent) => agent.state === 'ready').length < count)
      status = await control('GET', '/control/agents');
    return performance.now() - startedMs;
  };
  // The first one reads what the others find read.
  await scale(1);
  await sleep(REST_MS);
  const before = await anonymousMemory(server.pid);
  const starts: number[] = [];
  for (let count = 2; count <= MOST_AGENTS; count++) starts.push(await scale(count));
  await sleep(REST_MS);
  const each = (await anonymousMemory(server.pid)) - before;
  return [
    {
      group: 'agents',
      what: 'start of an agent',
      figure: median(starts),
      unit: 'ms',
      bound: { kind: 'at most', value: 60 },
      detail: `median of ${starts.length}, asked for and looked at over the local socket (${subject.kind})`,
    },
    {
      group: 'agents',
      what: 'memory of an agent',
      figure: each / starts.length / MIB,
      unit: 'MiB',
      bound: { kind: 'at most', value: 18 },
      detail: `RssAnon of ${starts.length} more agents, ${REST_MS / 1000} s later (${subject.kind})`,
    },
  ];
}

function ask(socketPath: string, method: string, path: string): Promise<OrchestratorStatus> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method }, (response) =>
      text(response).then((body) => resolve(JSON.parse(body)), reject),
    );
    asking.on('error', reject);
    asking.end();
  });
}
