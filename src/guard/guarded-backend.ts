import type { AuditLog } from '../audit/audit-log.ts';
import type { Backend, ExecIO, ExecRequest, JobRequest, ResourceLimits } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import type { Approvals } from './approvals.ts';
import { decideSandbox, type SandboxDecision, type SandboxRules } from './confinement.ts';
import { checkVariables } from './environment.ts';
import type { GuardedCall } from './guarded-call.ts';
import type { GuardedExecResult } from './guarded-exec.ts';
import { type GuardedFiles, guardFiles } from './guarded-files.ts';
import type { GuardedJobs, JobsOfMachine } from './guarded-jobs.ts';
import { createPathPolicy, type PathPolicy, type PathRules } from './paths.ts';
import type { Decision } from './policy/decision.ts';
import type { PolicySettings } from './policy/settings.ts';

/**
 * A backend behind the policy, on behalf of one call. Tools only ever see this one: every command, path, working
 * directory and environment that passes through it has been decided by the guard.
 */
export interface GuardedBackend extends Omit<Backend, 'jobs'> {
  readonly limits: CommandLimits;
  readonly files: GuardedFiles;
  /** The absolute path a relative one means: below the workspace. `~` is the home directory. */
  absolute(path: string): string;
  /** The environment a command starts with: a minimal one of ours plus what the caller adds. @throws Failure `denied` */
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
  /**
   * @throws Failure `denied` for a command that the policy or a person refuses, `needs_approval` for one that waits
   * for a person
   */
  exec(request: ExecRequest, io: ExecIO): Promise<GuardedExecResult>;
  /**
   * The caller's own jobs; others are `not_found`.
   * @throws Failure `unsupported` where commands cannot outlive their call
   */
  jobs(): Promise<GuardedJobs>;
}

/** What no command may exceed, whatever its caller asks for. */
export interface CommandLimits {
  readonly maxExecutionSeconds: number;
  /** Bytes kept of each output stream. */
  readonly maxOutputBytes: number;
  readonly resources: ResourceLimits;
  /** Absent: commands do not outlive their call. */
  readonly jobs?: JobLimits;
}

export interface JobLimits {
  /** How long a call waits for a command before that goes on as a job. */
  readonly softLimitSeconds: number;
  /** Upper limit of a command that was started to go on by itself. */
  readonly maxSeconds: number;
  /** Bytes kept of each output stream. */
  readonly maxOutputBytes: number;
  /** At once, of all principals. */
  readonly maxRunning: number;
  /** How long what has ended can be read. */
  readonly retentionSeconds: number;
}

export interface GuardRules extends PathRules {
  /** What every command starts with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: CommandLimits;
  readonly sandbox: SandboxRules['mode'];
  readonly networkHosts: readonly string[];
  /** Undefined: commands are not validated. */
  readonly policy: Omit<PolicySettings, 'sandboxed' | 'pathsRestricted'> | undefined;
}

export interface GuardPorts {
  /** Absent where nothing is recorded: looking at the machine for `doctor`. */
  readonly audit?: AuditLog;
  readonly approvals: Approvals;
}

/** A machine behind the guard. */
export interface GuardedMachine {
  /** The backend for one call. */
  forCall(call: GuardedCall): GuardedBackend;
  /** What the policy says to a command, without running it. */
  decide(
    request: Pick<ExecRequest, 'command' | 'cwd' | 'stdin'>,
    call: Pick<GuardedCall, 'tool' | 'principal'>,
  ): Promise<Decision>;
}

/** How long the real paths of the sandbox's folders are believed, milliseconds; the mounts themselves are checked each time. */
const SANDBOX_BELIEVED_MS = 1000;

export function guardBackend(backend: Backend, rules: GuardRules, ports: GuardPorts): GuardedMachine {
  const policy = createPathPolicy(rules, backend.files);
  const files = guardFiles(backend.files, policy);
  const { maxExecutionSeconds, maxOutputBytes, resources } = rules.limits;
  const confined = rules.restrictions.length > 0;
  const ownEnvironment = rules.environment;
  let decider: ReturnType<typeof loadDecider> | undefined;
  let told = false;

  async function workingDirectory(path: string): Promise<string> {
    const cwd = await policy.allow(path, 'work in');
    const { kind } = await files.stat(cwd);
    if (kind !== 'directory') throw new Failure('invalid_input', `The working directory ${cwd} is not a folder.`);
    return cwd;
  }

  /** Also for tools that make up an environment of their own. */
  function checkEnvironment(env: Readonly<Record<string, string>>): void {
    checkVariables(Object.fromEntries(Object.entries(env).filter(([name, value]) => ownEnvironment[name] !== value)));
  }

  async function decide(
    {
      command,
      cwd,
      stdin,
      env,
      openInput,
      terminal,
    }: Pick<ExecRequest, 'command' | 'cwd' | 'stdin'> & Partial<Pick<JobRequest, 'env' | 'openInput' | 'terminal'>>,
    { tool, principal }: Pick<GuardedCall, 'tool' | 'principal'>,
    sandboxed: boolean,
  ): Promise<Decision | undefined> {
    if (!rules.policy) return undefined;
    decider ??= loadDecider(backend);
    const { decideCommand, finder } = await decider;
    const environment = env ?? ownEnvironment;
    return decideCommand(
      { ...rules.policy, pathsRestricted: confined, sandboxed },
      {
        command,
        cwd,
        tool,
        backend: backend.name,
        principal: principal.name,
        home: rules.home,
        searchPath: environment.PATH ?? '',
        environment,
        ...(stdin && { stdin: new TextDecoder().decode(stdin) }),
        openInput,
        terminal,
      },
      { finder, objection: (path, use) => objectionTo(policy, path, use, sandboxed || (use !== 'write' && !confined)) },
    );
  }

  let decided: { readonly atMs: number; readonly sandbox: Promise<SandboxDecision> } | undefined;
  function sandbox(): Promise<SandboxDecision> {
    const nowMs = performance.now();
    if (!decided || nowMs - decided.atMs > SANDBOX_BELIEVED_MS) {
      decided = { atMs: nowMs, sandbox: decideSandbox(sandboxRules, backend, realPath) };
      decided.sandbox.catch(() => {});
    }
    return decided.sandbox;
  }
  const realPath = (path: string) => backend.files.resolve(policy.absolute(path)).catch(() => policy.absolute(path));
  const sandboxRules: SandboxRules = {
    mode: rules.sandbox,
    networkHosts: rules.networkHosts,
    restrictions: rules.restrictions,
    workspace: rules.workspace,
    hidden: rules.protectedPaths,
  };

  function tellOnce(gaps: readonly string[]): readonly string[] {
    if (told || gaps.length === 0) return [];
    told = true;
    return gaps;
  }

  const { audit, approvals } = ports;
  const execGuard = { backend, audit, approvals, environment: ownEnvironment, decide, sandbox, tellOnce };
  let jobs: Promise<JobsOfMachine> | undefined;
  async function openJobs(): Promise<JobsOfMachine> {
    const opened = await backend.jobs?.();
    if (!opened || !rules.limits.jobs) throw noJobs(backend.name);
    const { createJobs } = await import('./guarded-jobs.ts');
    return createJobs(opened, execGuard, { ...rules.limits.jobs, maxExecutionSeconds });
  }

  /** Within its limits, before it is decided on. */
  async function limit<R extends ExecRequest>(request: R, maxSeconds: number, maxBytes: number): Promise<R> {
    checkEnvironment(request.env);
    // The first time all of this takes long to load and to find out: side by side.
    if (rules.policy) decider ??= loadDecider(backend);
    sandbox().catch(() => {});
    return {
      ...request,
      cwd: await workingDirectory(request.cwd),
      timeoutMs: Math.min(request.timeoutMs, maxSeconds * 1000),
      maxOutputBytes: Math.min(request.maxOutputBytes, maxBytes),
      limits: resources,
    };
  }

  return {
    async decide(request, call) {
      const { confinement } = await sandbox();
      const decision = await decide(request, call, confinement !== undefined);
      return (
        decision ?? { verdict: 'allow', rule: 'command_validation: false', reason: 'commands are not validated', commands: [] }
      );
    },
    forCall(call) {
      return {
        name: backend.name,
        limits: rules.limits,
        absolute: (path) => policy.absolute(path),
        environment(extra = {}) {
          checkVariables(extra);
          return { ...ownEnvironment, ...extra };
        },
        async exec(request, io) {
          const limiting = limit(request, maxExecutionSeconds, maxOutputBytes);
          limiting.catch(() => {});
          const { execGuarded } = await import('./guarded-exec.ts');
          return execGuarded(execGuard, await limiting, io, call);
        },
        async jobs() {
          jobs ??= openJobs();
          jobs.catch(() => {
            jobs = undefined;
          });
          return (await jobs).of(call, limit);
        },
        files: recordWrites(files, backend.name, call, ports.audit),
        enforcement: () => backend.enforcement(),
        which: (name, path) => backend.which(name, path),
        info: () => backend.info(),
        status: (signal) => backend.status(signal),
        health: () => backend.health(),
        [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
      };
    },
  };
}

function noJobs(backend: string): Failure {
  return new Failure('unsupported', `Commands on ${backend} cannot outlive their call.`, {
    hint: 'Leave `background` and `pty` out, and keep `timeout` below `execution.soft_limit`.',
  });
}

/** What decides on commands, loaded with the first one. */
async function loadDecider(backend: Backend) {
  const [{ decide: decideCommand }, { createProgramFinder }] = await Promise.all([
    import('./policy/policy.ts'),
    import('./policy/programs.ts'),
    import('./shell/grammar.ts').then(({ shellParser }) => shellParser()),
  ]);
  return { decideCommand, finder: createProgramFinder(backend) };
}

/**
 * Why a command may not use a path so; undefined when it may.
 * @param plainly where links cannot lead to more: in a sandbox, or where reading is free
 */
async function objectionTo(
  policy: PathPolicy,
  path: string,
  use: 'read' | 'write' | 'work in',
  plainly: boolean,
): Promise<string | undefined> {
  try {
    // What is not plainly allowed may be so by another name of an allowed folder.
    if (!(plainly && (await policy.plainlyAllows(path, use)))) await policy.allow(path, use);
    return undefined;
  } catch (thrown) {
    // Whatever else is wrong with the path, the command will say so itself.
    return thrown instanceof Failure && thrown.code === 'denied' ? thrown.message.replace(/\.$/, '') : undefined;
  }
}

/** Every change is in the audit log before it is made. */
function recordWrites(files: GuardedFiles, backend: string, call: GuardedCall, audit: AuditLog | undefined): GuardedFiles {
  if (!audit) return files;
  const { principal, session, taskId, tool } = call;
  return {
    ...files,
    async write(path, data, options) {
      await audit.record({
        event: 'write',
        principal: principal.id,
        principal_name: principal.name,
        ...(session !== undefined && { session }),
        task: taskId,
        tool,
        backend,
        path,
        bytes: data.byteLength,
      });
      return files.write(path, data, options);
    },
  };
}
