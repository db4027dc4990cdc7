import type { Backend } from '../backends/backend.ts';
import { baseEnvironment, checkVariables } from './environment.ts';
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

  return {
    name: backend.name,
    limits: rules.limits,
    absolute: (path) => policy.absolute(path),
    environment(extra = {}) {
      checkVariables(extra);
      return { ...baseEnvironment(process.env, rules.environmentPassthrough), ...extra };
    },
    async exec(request, io) {
      return backend.exec(
        {
          ...request,
          cwd: await policy.allow(request.cwd, 'work in'),
          timeoutMs: Math.min(request.timeoutMs, maxExecutionSeconds * 1000),
          maxOutputBytes: Math.min(request.maxOutputBytes, maxOutputBytes),
        },
        io,
      );
    },
    files: {
      // The entry itself is told, not what a link points to; so only the folder it is in must be in bounds.
      async stat(path) {
        const asked = policy.absolute(path);
        const cut = asked.lastIndexOf('/');
        const folder = await policy.allow(asked.slice(0, cut) || '/', 'read');
        return files.stat(`${folder === '/' ? '' : folder}/${asked.slice(cut + 1)}`);
      },
      resolve: (path) => policy.allow(path, 'read'),
      open: async (path) => files.open(await policy.allow(path, 'read')),
      write: async (path, data, options) => files.write(await policy.allow(path, 'write'), data, options),
      list: async (path, options) => files.list(await policy.allow(path, 'read'), options),
      async search(request, signal) {
        const directory = await policy.allow(request.directory, 'read');
        const found = await files.search({ ...request, directory }, signal);
        const hidden = await Promise.all(found.matches.map((match) => policy.isProtected(`${directory}/${match.path}`)));
        return { ...found, matches: found.matches.filter((_, index) => !hidden[index]) };
      },
    },
    which: (name, path) => backend.which(name, path),
    info: () => backend.info(),
    status: (signal) => backend.status(signal),
    health: () => backend.health(),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
