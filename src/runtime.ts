/** Puts the house together: configuration in, a service that transports can serve out. */
import { homedir, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createBackendTable } from './backends/table.ts';
import { redactConfig } from './config/keys.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { type GuardedBackend, guardBackend } from './guard/guarded-backend.ts';
import { createOrchestrator, type Orchestrator } from './orchestrator/orchestrator.ts';
import { loadPlugins } from './plugins/load.ts';
import { createService, type McpService } from './protocol/service.ts';
import { builtInResources } from './resources/built-in.ts';
import { configFolder, SYSTEM_CONFIG_FOLDER, stateFolder } from './state/folders.ts';
import { type Catalogue, createCatalogue } from './tools/catalogue.ts';
import { BUILT_IN_TOOLS } from './tools/table.ts';
import { VERSION } from './version.ts';

export interface Runtime extends AsyncDisposable {
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly orchestrator: Orchestrator;
  readonly service: McpService;
  /** A machine behind the guard: the configured one, or a named one. */
  backend(name?: string): Promise<GuardedBackend>;
  /** The key that seals what multi-round calls remember, 32 bytes. */
  requestStateKey(): Promise<Uint8Array>;
}

const INSTRUCTIONS = [
  'These tools act on a real machine: run commands, read and change files, look at the system.',
  'Prefer read_file, edit_file, list_directory and search_files over shell commands for files; they are exact and bounded.',
  'A failed call says [code] and what to do next.',
].join(' ');

/**
 * @throws Failure `invalid_config` for a plug-in that cannot be loaded.
 */
export async function createRuntime({ config, files }: LoadedConfig): Promise<Runtime> {
  const { execution, orchestrator: pool } = config;
  const state = stateFolder(config.state.directory);
  const table = createBackendTable();
  const guarded = new Map<string, Promise<GuardedBackend>>();

  function backend(name: string = execution.mode): Promise<GuardedBackend> {
    const known = guarded.get(name);
    if (known) return known;
    const made = table.get(name).then((plain) =>
      guardBackend(plain, {
        restrictions: execution.security.path_restrictions,
        workspace: resolve(execution.workspace || process.cwd()),
        temporary: tmpdir(),
        home: homedir(),
        // Also where a configuration could be put, and code that is loaded at the next start.
        protectedPaths: [state, configFolder(), SYSTEM_CONFIG_FOLDER, ...files, ...config.plugins],
        environmentPassthrough: execution.environment_passthrough,
        limits: {
          maxExecutionSeconds: execution.security.resource_limits.max_execution_time,
          maxOutputBytes: execution.security.resource_limits.max_output,
        },
      }),
    );
    guarded.set(name, made);
    made.catch(() => guarded.delete(name));
    return made;
  }

  const catalogue = createCatalogue(BUILT_IN_TOOLS, config.tools.disabled);
  const orchestrator = createOrchestrator({
    catalogue,
    backend,
    capacity: pool.max_agents * pool.max_concurrent_tasks,
    maxQueueSize: pool.max_queue_size,
    timeoutSeconds: execution.timeout,
    healthCheckSeconds: pool.health_check_interval,
  });
  catalogue.contribute({ resources: builtInResources({ orchestrator, backend, effectiveConfig: () => redactConfig(config) }) });
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
    }),
    backend,
    requestStateKey: async () => (await import('./state/secret-key.ts')).loadSecretKey(state, 'request-state.key'),
    async [Symbol.asyncDispose]() {
      await orchestrator[Symbol.asyncDispose]();
      await table[Symbol.asyncDispose]();
    },
  };
}
