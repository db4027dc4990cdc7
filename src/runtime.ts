/** Puts the house together: configuration in, a service that transports can serve out. */
import { join } from 'node:path';
import type { AuditLog } from './audit/audit-log.ts';
import { openOnFirstUse } from './audit/first-use.ts';
import { redactConfig } from './config/keys.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { createDurableTasks } from './durable-tasks.ts';
import { type Approvals, createApprovals } from './guard/approvals.ts';
import type { GuardedBackend, GuardedMachine } from './guard/guarded-backend.ts';
import type { GuardedCall } from './guard/guarded-call.ts';
import { LOCAL_PRINCIPAL } from './identity/principal.ts';
import { createMachines } from './machines.ts';
import type { DurableService } from './orchestrator/durable-service.ts';
import { createOrchestrator, type Orchestrator } from './orchestrator/orchestrator.ts';
import { createPool, type Pool } from './orchestrator/pool.ts';
import { loadPlugins } from './plugins/load.ts';
import { createService, type McpService } from './protocol/service.ts';
import { redactor } from './redaction/process-redactor.ts';
import { builtInResources } from './resources/built-in.ts';
import { auditFolder, stateFolder } from './state/folders.ts';
import { type Catalogue, createCatalogue } from './tools/catalogue.ts';
import { BUILT_IN_TOOLS } from './tools/table.ts';
import { VERSION } from './version.ts';

export interface Runtime extends AsyncDisposable {
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly orchestrator: Orchestrator;
  readonly service: McpService;
  /** Tasks that outlive this process; a server runs those that are ready. */
  readonly tasks: DurableService;
  /** A machine behind the guard: the configured one, or a named one. */
  machine(name?: string): Promise<GuardedMachine>;
  /** The same on our own behalf, to look at it. */
  backend(name?: string): Promise<GuardedBackend>;
  readonly approvals: Approvals;
  /** Undefined where nothing is recorded. */
  readonly audit: AuditLog | undefined;
  /** The key that seals what multi-round calls remember, 32 bytes. */
  requestStateKey(): Promise<Uint8Array>;
}

const INSTRUCTIONS = [
  'These tools act on a real machine: run commands, read and change files, look at the system.',
  'Prefer read_file, edit_file, list_directory and search_files over shell commands for files; they are exact and bounded.',
  'A failed call says [code] and what to do next.',
].join(' ');

/** What the server itself looks at: its resources, `doctor`. */
const OWN_CALL: GuardedCall = {
  principal: LOCAL_PRINCIPAL,
  tool: 'mcp-python',
  taskId: '00000000-0000-0000-0000-000000000000',
  signal: new AbortController().signal,
};

/** What the process is for, told in the audit log; absent for one call from a shell. */
export type ServerRole = 'serve' | 'stdio';

/**
 * @throws Failure `invalid_config` for a plug-in that cannot be loaded.
 */
export async function createRuntime({ config, files, secrets, references }: LoadedConfig, role?: ServerRole): Promise<Runtime> {
  const { execution, orchestrator: settings } = config;
  const state = stateFolder(config.state.directory);
  const approvals = createApprovals(join(state, 'approvals'), execution.security.approval_timeout);
  const audit = auditLogOf(config, role);
  const { machine, ...machines } = createMachines({ config, files, approvals, audit, patient: role === undefined });
  const backend = async (name?: string) => (await machine(name)).forCall(OWN_CALL);

  const catalogue = createCatalogue(BUILT_IN_TOOLS, config.tools.disabled);
  const { tasks, port } = createDurableTasks({
    ...{ config, state, catalogue },
    orchestrator: () => orchestrator,
    serves: role !== undefined,
    onTrouble: complain,
  });
  const orchestrator: Orchestrator = createOrchestrator({
    catalogue,
    tasks: port,
    backend: async (name, call) => (await machine(name)).forCall(call),
    capacity: settings.max_agents * settings.max_concurrent_tasks,
    maxQueueSize: settings.max_queue_size,
    timeoutSeconds: execution.timeout,
    healthCheckSeconds: settings.health_check_interval,
    ...(audit && { audit }),
    // One call from a shell is over before a thread were up.
    ...(role !== undefined && settings.agent_count > 0 && { pool: (onFree) => createAgents(onFree) }),
  });
  function createAgents(onFree: () => void): Pool {
    return createPool({
      start: async () => (await import('./agent-threads.ts')).startAgentThread({ config, files, secrets }, settings.agent_heap),
      audit,
      onCatalogueChange: (change) => change.kind === 'resource' && catalogue.resourceUpdated(change.uri),
      onRemember: approvals.recall,
      count: settings.agent_count,
      minAgents: Math.min(settings.min_agents, settings.agent_count),
      maxAgents: Math.max(settings.max_agents, settings.agent_count),
      callsPerAgent: settings.max_concurrent_tasks,
      healthCheckSeconds: settings.health_check_interval,
      idleSeconds: settings.agent_idle_time,
      onFree,
      onTrouble: complain,
    });
  }
  catalogue.contribute({
    resources: builtInResources({ orchestrator, backend, effectiveConfig: () => redactConfig(config, references) }),
  });
  await loadPlugins(config.plugins, catalogue);

  return {
    config,
    catalogue,
    orchestrator,
    service: createService({
      serverInfo: { name: 'mcp-python', title: 'mcp-python', version: VERSION },
      instructions: config.server.instructions || INSTRUCTIONS,
      catalogue,
      orchestrator,
      tasks: { durable: tasks, keptMs: settings.task_retention * 1000 },
    }),
    machine,
    backend,
    approvals,
    audit,
    tasks,
    requestStateKey: async () => (await import('./state/secret-key.ts')).loadSecretKey(state, 'request-state.key'),
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]();
      await orchestrator[Symbol.asyncDispose]();
      await machines[Symbol.asyncDispose]();
      await audit?.[Symbol.asyncDispose]();
    },
  };
}

/** A word for the person who started us. */
function complain(message: string): void {
  process.stderr.write(`mcp-python: ${redactor.text(message)}\n`);
}

/** The audit log as it is configured; undefined when it is switched off. */
export function auditLogOf({ audit, state }: Config, role?: ServerRole): AuditLog | undefined {
  if (!audit.enabled) return undefined;
  const stateDirectory = stateFolder(state.directory);
  const open = async () => {
    const [{ openAuditLog }, { redactor }] = await Promise.all([
      import('./audit/open-audit-log.ts'),
      import('./redaction/process-redactor.ts'),
    ]);
    return openAuditLog({
      directory: auditFolder(audit.directory, stateDirectory),
      stateDirectory,
      required: audit.required,
      maxFileBytes: audit.max_file_bytes,
      maxFileAgeSeconds: audit.max_file_age,
      keepFiles: audit.keep_files,
      redact: (text) => redactor.text(text),
      onFailure: (message) => process.stderr.write(`mcp-python: ${message}\n`),
    });
  };
  if (role === undefined) return openOnFirstUse(open);
  const life = { version: VERSION, role };
  return openOnFirstUse(open, { start: { event: 'start', ...life }, stop: { event: 'stop', ...life } });
}
