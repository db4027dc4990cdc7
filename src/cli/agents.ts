import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { Failure, type FailureCode } from '../errors.ts';
import type { OrchestratorStatus } from '../orchestrator/orchestrator.ts';
import type { AgentStatus } from '../orchestrator/pool.ts';
import { stateFolder } from '../state/folders.ts';
import { printData, printJson, table } from './output.ts';
import { refuseInsideCommands } from './own-commands.ts';
import { loadConfigFor, wantsJson } from './session.ts';

export function define(): Command {
  const agents = new Command('agents').description('Look at the agents of the running server, and manage them.');
  agents.command('ls').description('List the agents with their load, calls, restarts, event-loop lag and heap.').action(list);
  agents
    .command('scale')
    .description('Keep so many agents until the server stops; those beyond finish their calls first.')
    .argument('<count>', 'from 1 to orchestrator.max_agents')
    .action((count: string, _options, command: Command) => change(command, `scale?count=${encodeURIComponent(count)}`));
  agents
    .command('restart')
    .description('Replace an agent at once. Its calls are lost, or run again where their tools allow it.')
    .argument('<id>', 'as listed, agent-1')
    .action((id: string, _options, command: Command) => change(command, `${encodeURIComponent(id)}/restart`));
  agents
    .command('drain')
    .description('Give an agent no more calls, and end it after its last one.')
    .argument('<id>', 'as listed, agent-1')
    .action((id: string, _options, command: Command) => change(command, `${encodeURIComponent(id)}/drain`));
  return agents;
}

async function list(_options: unknown, command: Command): Promise<void> {
  await show(command, await ask(command, 'GET', ''));
}

async function change(command: Command, what: string): Promise<void> {
  refuseInsideCommands('agents');
  await show(command, await ask(command, 'POST', `/${what}`));
}

/** @throws Failure `unavailable` when no server runs, or what the server answers */
async function ask(command: Command, method: string, what: string): Promise<OrchestratorStatus> {
  const { config } = await loadConfigFor(command, {}, 'check');
  const { findLocalServer } = await import('../transports/local-server.ts');
  const server = await findLocalServer(stateFolder(config.state.directory));
  if (!server) {
    throw new Failure('unavailable', 'No server of yours runs on this machine.', {
      hint: 'Start one with `mcp-python serve`. One that a client started over stdio has its agents in the resource agents://status.',
    });
  }
  const answer = await new Promise<string>((resolve, reject) => {
    const asking = request({ socketPath: server.socketPath, path: `/control/agents${what}`, method }, (response) =>
      text(response).then(resolve, reject),
    );
    asking.on('error', (error) => reject(new Failure('unavailable', `The server does not answer: ${error.message}`)));
    asking.end();
  });
  const { error, ...status } = JSON.parse(answer) as OrchestratorStatus & { error?: Failure & { code: FailureCode } };
  if (error) throw new Failure(error.code, error.message, { ...(error.hint !== undefined && { hint: error.hint }) });
  return status;
}

async function show(command: Command, status: OrchestratorStatus): Promise<void> {
  if (wantsJson(command)) return printJson(status);
  const { agents, queued, longestWaitMs } = status;
  if (agents.length === 0) process.stderr.write('No agent is started yet: the first call starts one.\n');
  else
    await printData(
      table([['AGENT', 'STATE', 'LOAD', 'CALLS', 'FAILED', 'RESTARTS', 'LAG', 'HEAP', 'LAST END'], ...agents.map(row)]),
    );
  if (queued > 0) process.stderr.write(`${queued} calls wait, the first of them since ${(longestWaitMs / 1000).toFixed(1)} s.\n`);
}

const MEBIBYTE = 1024 * 1024;

function row({ id, state, running, capacity, calls, failures, restarts, health, lastEnd }: AgentStatus): string[] {
  const lag = health ? `${health.eventLoopLagMs} ms` : '-';
  const heap = health ? `${(health.heapUsedBytes / MEBIBYTE).toFixed(1)} MiB` : '-';
  return [id, state, `${running}/${capacity}`, `${calls}`, `${failures}`, `${restarts}`, lag, heap, lastEnd ?? '-'];
}
