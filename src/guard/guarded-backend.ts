import type { Backend } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { baseEnvironment, checkVariables } from './environment.ts';
import { guardFiles } from './guarded-files.ts';
import { createPathPolicy, type PathRules } from './paths.ts';

/**
 * A backend behind the policy. Tools only ever see this one: every path, working directory and environment that
 * passes through it has been decided by the guard.
 */
export interface GuardedBackend extends Backend {
  readonly limits: CommandLimits;
  /** The absolute path a relative one means: below the workspace. `~` is the home directory. */
  absolute(path: string): string;
  /** The environment a command starts with: a minimal one of ours plus what the caller adds. @throws Failure `denied` */
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
}

/** What no command may exceed, whatever its caller asks for. */
export interface CommandLimits {
  readonly maxExecutionSeconds: number;
  /** Bytes kept of each output stream. */
  readonly maxOutputBytes: number;
}

export interface GuardRules extends PathRules {
  /** Names of our own environment variables handed to commands beside the minimal set. */
  readonly environmentPassthrough: readonly string[];
  readonly limits: CommandLimits;
}

export function guardBackend(backend: Backend, rules: GuardRules): GuardedBackend {
  const { files } = backend;
  const policy = createPathPolicy(rules, (path) => files.resolve(path));
  const { maxExecutionSeconds, maxOutputBytes } = rules.limits;
  const ownEnvironment = () => baseEnvironment(process.env, rules.environmentPassthrough);

  async function workingDirectory(path: string): Promise<string> {
    const cwd = await policy.allow(path, 'work in');
    const { kind } = await files.stat(cwd);
    if (kind !== 'directory') throw new Failure('invalid_input', `The working directory ${cwd} is not a folder.`);
    return cwd;
  }

  return {
    name: backend.name,
    limits: rules.limits,
    absolute: (path) => policy.absolute(path),
    environment(extra = {}) {
      checkVariables(extra);
      return { ...ownEnvironment(), ...extra };
    },
    async exec(request, io) {
      // Also for tools that make up an environment of their own.
      const own = ownEnvironment();
      checkVariables(Object.fromEntries(Object.entries(request.env).filter(([name, value]) => own[name] !== value)));
      return backend.exec(
        {
          ...request,
          cwd: await workingDirectory(request.cwd),
          timeoutMs: Math.min(request.timeoutMs, maxExecutionSeconds * 1000),
          maxOutputBytes: Math.min(request.maxOutputBytes, maxOutputBytes),
        },
        io,
      );
    },
    files: guardFiles(files, policy),
    enforcement: () => backend.enforcement(),
    which: (name, path) => backend.which(name, path),
    info: () => backend.info(),
    status: (signal) => backend.status(signal),
    health: () => backend.health(),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
