/** This machine behind the guard of the host agent, once for each user that it is used as. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Backend, Surroundings } from '../backends/backend.ts';
import { createNativeBackend } from '../backends/native.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import { createApprovals } from '../guard/approvals.ts';
import { baseEnvironment } from '../guard/environment.ts';
import { type GuardedMachine, type GuardRules, guardBackend } from '../guard/guarded-backend.ts';
import { configFolder, SYSTEM_CONFIG_FOLDER } from '../state/folders.ts';
import { type Account, findAccount, ownAccount } from './accounts.ts';
import { asAsked } from './asked.ts';

/** The machine as one user. */
export interface Host {
  readonly machine: GuardedMachine;
  readonly surroundings: Surroundings;
  /** Without the guard: for what has been decided on before, such as the jobs that a peer has started. */
  readonly backend: Backend;
}

/** The machine for every user of the configuration. */
export interface Hosts {
  /** Names of the users, the default first. */
  readonly users: readonly string[];
  /** @throws Failure `denied` for a user that is not in the configuration */
  as(user: string | undefined): Promise<Host>;
}

/** What the machine is guarded by. */
export interface HostsOptions {
  readonly config: Config;
  /** Configuration files that were read. */
  readonly files: readonly string[];
  /** Folder of the state. */
  readonly state: string;
  readonly machines: UserMachines;
  /** Folder of what is the agent's own in it. */
  readonly folder: string;
  readonly audit: AuditLog | undefined;
}

/** The machine as each user has it, without a guard; opened once, and kept when the configuration is read anew. */
export interface UserMachines extends AsyncDisposable {
  as(account: Account, protectedPaths: readonly string[]): Promise<Backend>;
}

/** @param folder of what is the agent's own */
export function openUserMachines(folder: string): UserMachines {
  const backends = new Map<number, Promise<Backend>>();
  async function open(account: Account, protectedPaths: readonly string[]): Promise<Backend> {
    if (account.uid === process.getuid?.()) return createNativeBackend(join(folder, 'jobs'));
    return (await import('./user-process.ts')).startUserProcess(account, protectedPaths);
  }
  return {
    as(account, protectedPaths) {
      const known = backends.get(account.uid) ?? open(account, protectedPaths);
      backends.set(account.uid, known);
      known.catch(() => backends.delete(account.uid));
      return known;
    },
    async [Symbol.asyncDispose]() {
      for (const backend of backends.values()) await (await backend)[Symbol.asyncDispose]();
    },
  };
}

/** @throws Failure `invalid_config` for users that are none, and for commands that would run as root unasked */
export function createHosts({ config, files, state, folder, machines, audit }: HostsOptions): Hosts {
  const settings = config.host_agent;
  const own = ownAccount();
  if (own.uid === 0 && settings.users.length === 0) throw noUsers();
  const accounts = new Map(
    (settings.users.length > 0 ? settings.users.map(findAccount) : [own]).map((each) => [each.name, each]),
  );
  const others = [...accounts.values()].filter(({ uid }) => uid !== own.uid);
  if (others.length > 0 && own.uid !== 0 && !mayBecomeOthers()) throw cannotBecome(others);
  const approvals = createApprovals(join(state, 'approvals'), config.execution.security.approval_timeout);
  const hosts = new Map<string, Promise<Host>>();

  function surroundingsOf(account: Account): Surroundings {
    const { HOME, USER, LOGNAME, SHELL, TMPDIR, PATH, ...rest } = process.env;
    const ours = account.uid === own.uid;
    const environment = {
      ...rest,
      // Folders in our PATH may be our own, and not for others.
      ...(ours && { TMPDIR, PATH }),
      ...{ HOME: account.home, USER: account.name, LOGNAME: account.name, SHELL: account.shell },
    };
    const { certificate_file, key_file, client_ca_file } = settings.tls;
    return {
      workspace: settings.workspace || account.home,
      home: account.home,
      temporary: ours ? tmpdir() : '/tmp',
      environment: baseEnvironment(environment, config.execution.environment_passthrough),
      protectedPaths: [
        ...[state, folder, configFolder(), SYSTEM_CONFIG_FOLDER, ...files],
        ...[certificate_file, key_file, client_ca_file].filter((file) => file !== ''),
      ],
    };
  }

  async function open(account: Account): Promise<Host> {
    const surroundings = surroundingsOf(account);
    const plain = await machines.as(account, surroundings.protectedPaths);
    const backend: Backend = asAsked({ ...plain, name: settings.users.length > 0 ? `native:${account.name}` : 'native' });
    const machine = guardBackend(backend, rulesOf(config, surroundings), { approvals, ...(audit && { audit }) });
    return { machine, surroundings, backend };
  }

  return {
    users: [...accounts.keys()],
    as(user) {
      const account = user === undefined ? accounts.values().next().value : accounts.get(user);
      if (!account) throw unknownUser(user, [...accounts.keys()]);
      const known = hosts.get(account.name) ?? open(account);
      hosts.set(account.name, known);
      known.catch(() => hosts.delete(account.name));
      return known;
    },
  };
}

function rulesOf({ host_agent: settings, execution }: Config, surroundings: Surroundings): GuardRules {
  const { resource_limits: limits } = execution.security;
  return {
    ...surroundings,
    restrictions: settings.path_restrictions,
    limits: {
      maxExecutionSeconds: limits.max_execution_time,
      maxOutputBytes: limits.max_output,
      resources: { memoryBytes: limits.max_memory, cpus: limits.max_cpu, processes: limits.max_processes },
      jobs: {
        // Who waits, and how long, is the client's to say.
        softLimitSeconds: Number.POSITIVE_INFINITY,
        maxSeconds: execution.jobs.max_time,
        maxOutputBytes: execution.jobs.max_output,
        maxRunning: execution.jobs.max_running,
        retentionSeconds: execution.jobs.retention,
      },
    },
    sandbox: settings.sandbox,
    networkHosts: settings.network_hosts,
    policy: {
      profile: settings.profile,
      allowed: settings.allowed_commands,
      blocked: settings.blocked_commands,
      rules: settings.rules,
    },
  };
}

/** Whether we hold CAP_SETGID (6) and CAP_SETUID (7), see capabilities(7). */
function mayBecomeOthers(): boolean {
  if (process.platform !== 'linux') return false;
  const [, mask = '0'] = /^CapEff:\s+([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return ((BigInt(`0x${mask}`) >> 6n) & 3n) === 3n;
}

function noUsers(): Failure {
  return new Failure('invalid_config', 'The host agent runs as root, and host_agent.users does not say whom commands run as.', {
    hint: 'Set `host_agent.users` to the users that may be used, such as `[deploy]`.',
  });
}

function cannotBecome(others: readonly Account[]): Failure {
  return new Failure('invalid_config', `The host agent may not become ${others.map(({ name }) => name).join(', ')}.`, {
    hint: 'Run it as root, or with CAP_SETUID and CAP_SETGID as its systemd unit does; or take the user out of `host_agent.users`.',
  });
}

function unknownUser(user: string | undefined, users: readonly string[]): Failure {
  return new Failure('denied', `The host agent does not run commands as "${user}".`, {
    hint: `It does as ${users.join(', ')} (\`host_agent.users\` of the agent).`,
  });
}
