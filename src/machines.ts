/** The machines of one thread behind the guard, as the configuration has them; each is opened when it is first used. */
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AuditLog } from './audit/audit-log.ts';
import type { Backend, Surroundings } from './backends/backend.ts';
import { createBackendTable } from './backends/table.ts';
import type { Config } from './config/schema.ts';
import type { Approvals } from './guard/approvals.ts';
import { baseEnvironment } from './guard/environment.ts';
import { type GuardedMachine, guardBackend } from './guard/guarded-backend.ts';
import { recordRefusedHosts } from './guard/refused-hosts.ts';
import { auditFolder, configFolder, SYSTEM_CONFIG_FOLDER, stateFolder } from './state/folders.ts';

export interface MachinesOptions {
  readonly config: Config;
  /** Configuration files that were read: no tool touches them. */
  readonly files: readonly string[];
  readonly approvals: Approvals;
  readonly audit?: AuditLog | undefined;
  /** Whoever calls waits as long as a command takes: a shell, unlike many clients. */
  readonly patient?: boolean;
}

export interface Machines extends AsyncDisposable {
  /** The configured one, or a named one. @throws Failure `not_found` */
  machine(name?: string): Promise<GuardedMachine>;
}

export function createMachines({ config, files, approvals, audit, patient = false }: MachinesOptions): Machines {
  const { execution } = config;
  const { security } = execution;
  const { resource_limits: limits } = security;
  const state = stateFolder(config.state.directory);
  const table = createBackendTable({
    jobsFolder: join(state, 'jobs'),
    state,
    hostAgents: config.host_agents,
    ...(audit && { onRefusedHost: recordRefusedHosts(audit) }),
  });
  const here: Surroundings = {
    workspace: resolve(execution.workspace || process.cwd()),
    temporary: tmpdir(),
    home: homedir(),
    environment: baseEnvironment(process.env, execution.environment_passthrough),
    // Also where a configuration could be put, and code that is loaded at the next start.
    protectedPaths: [
      state,
      auditFolder(config.audit.directory, state),
      configFolder(),
      SYSTEM_CONFIG_FOLDER,
      ...files,
      ...config.plugins,
    ],
  };
  const machines = new Map<string, Promise<GuardedMachine>>();

  async function guard(backend: Backend): Promise<GuardedMachine> {
    const surroundings = (await backend.surroundings?.()) ?? here;
    return guardBackend(
      backend,
      {
        ...surroundings,
        restrictions: security.path_restrictions,
        limits: {
          maxExecutionSeconds: limits.max_execution_time,
          maxOutputBytes: limits.max_output,
          resources: { memoryBytes: limits.max_memory, cpus: limits.max_cpu, processes: limits.max_processes },
          jobs: {
            softLimitSeconds: patient ? Number.POSITIVE_INFINITY : execution.soft_limit,
            maxSeconds: execution.jobs.max_time,
            maxOutputBytes: execution.jobs.max_output,
            maxRunning: execution.jobs.max_running,
            retentionSeconds: execution.jobs.retention,
          },
        },
        sandbox: security.sandbox,
        networkHosts: security.network_hosts,
        policy: security.command_validation
          ? {
              profile: security.profile,
              allowed: security.allowed_commands,
              blocked: security.blocked_commands,
              rules: security.rules,
            }
          : undefined,
      },
      { approvals, ...(audit && { audit }) },
    );
  }

  function machine(name: string = execution.mode): Promise<GuardedMachine> {
    const known = machines.get(name);
    if (known) return known;
    const made = table.get(name).then((backend) => guard(backend));
    machines.set(name, made);
    made.catch(() => machines.delete(name));
    return made;
  }

  return { machine, [Symbol.asyncDispose]: () => table[Symbol.asyncDispose]() };
}
