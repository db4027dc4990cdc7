/** Puts an agent together: the thread's own tools and machines, from what the server's thread handed over. */
import { Console } from 'node:console';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadedConfig } from './config/load.ts';
import { Failure } from './errors.ts';
import { createApprovals } from './guard/approvals.ts';
import { createMachines } from './machines.ts';
import { type AgentParts, type AgentPort, type AgentPorts, serveCalls } from './orchestrator/agent-thread.ts';
import { loadPlugins } from './plugins/load.ts';
import { redactor } from './redaction/process-redactor.ts';
import { stateFolder } from './state/folders.ts';
import { type Catalogue, createCatalogue } from './tools/catalogue.ts';
import { BUILT_IN_TOOLS } from './tools/table.ts';

/** What an agent is made from; cloned into its thread. */
export type AgentSetup = Pick<LoadedConfig, 'config' | 'files' | 'secrets'>;

async function build({ config, files, secrets }: AgentSetup, { audit, onRemember }: AgentPorts): Promise<AgentParts> {
  for (const secret of secrets) redactor.addSecret(secret);
  const folder = join(stateFolder(config.state.directory), 'approvals');
  const approvals = createApprovals(folder, config.execution.security.approval_timeout, onRemember);
  const { machine, ...machines } = createMachines({ config, files, approvals, audit: config.audit.enabled ? audit : undefined });
  const catalogue = createCatalogue(BUILT_IN_TOOLS, config.tools.disabled);
  await loadPlugins(config.plugins, catalogue);
  refuseChanges(catalogue);
  return {
    catalogue,
    backend: async (name, call) => (await machine(name)).forCall(call),
    remember: approvals.recall,
    ...machines,
  };
}

const CHANGES = ['addTool', 'removeTool', 'addPrompt', 'removePrompt', 'addResource', 'removeResource'] as const;

/** What a running tool adds here no client would see: clients see the catalogue of the server's thread. */
function refuseChanges(catalogue: Catalogue): void {
  for (const change of CHANGES) {
    catalogue[change] = () => {
      throw new Failure('unsupported', `catalogue.${change} was called in an agent, which has a catalogue of its own.`, {
        hint: "Give the tool `runsIn: 'server'`.",
      });
    };
  }
}

/** The whole life of an agent's thread. */
export async function runAgent(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('An agent runs in a thread of its own.');
  // What plug-ins print goes where the server's own words go: stdout is for data.
  globalThis.console = new Console(process.stderr, process.stderr);
  await serveCalls(
    port as AgentPort,
    (ports) => build(workerData as AgentSetup, ports),
    () => port.close(),
  );
}
