import type { Backend } from '../backends/backend.ts';

/**
 * A backend behind the policy. Tools only ever see this one: every path, working directory and command that
 * passes through it has been decided by the guard.
 */
export interface GuardedBackend extends Backend {
  /** The absolute path a relative one means: below the workspace. `~` is the home directory. */
  absolute(path: string): string;
  /** The environment a command starts with: a minimal one of ours plus what the caller adds. */
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
}
