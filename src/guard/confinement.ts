/** What of the machine a command is given, from the configuration. */
import { tmpdir } from 'node:os';
import type { Backend, Confinement } from '../backends/backend.ts';
import { Failure } from '../errors.ts';

export interface SandboxRules {
  readonly mode: 'auto' | 'required' | 'off';
  /** Hosts that may be reached; `*` for all. */
  readonly networkHosts: readonly string[];
  /** Folders everything is confined to; empty: reading anywhere, writing below the workspace. */
  readonly restrictions: readonly string[];
  readonly workspace: string;
  /** Our own files and folders. */
  readonly hidden: readonly string[];
}

export interface SandboxDecision {
  /** Undefined where commands run unconfined. */
  readonly confinement: Confinement | undefined;
  /** As the audit log names it: `bubblewrap 0.8.0`, `none`, `off`. */
  readonly name: string;
  /** Ends of sentences: what is asked for and does not hold. */
  readonly notEnforced: readonly string[];
}

/**
 * @param real the path with its links resolved, on the backend's machine
 * @throws Failure `unavailable` when a sandbox is required and there is none
 */
export async function decideSandbox(
  rules: SandboxRules,
  backend: Pick<Backend, 'name' | 'enforcement'>,
  real: (path: string) => Promise<string>,
): Promise<SandboxDecision> {
  const { mode } = rules;
  if (mode === 'off') return { confinement: undefined, name: 'off', notEnforced: [] };
  const { sandbox, notEnforced } = await backend.enforcement();
  if (sandbox === undefined) {
    if (mode === 'required') throw noSandbox(backend.name, notEnforced);
    return { confinement: undefined, name: 'none', notEnforced };
  }
  return { confinement: await confinementOf(rules, real), name: sandbox, notEnforced };
}

async function confinementOf(rules: SandboxRules, real: (path: string) => Promise<string>): Promise<Confinement> {
  const { restrictions, workspace, hidden, networkHosts } = rules;
  const confined = restrictions.length > 0;
  const [roots, ours] = await Promise.all([
    Promise.all((confined ? restrictions : [workspace]).map(real)),
    Promise.all(hidden.map(real)),
  ]);
  // A workspace of / would make everything writable; whoever wants that says so in `path_restrictions`.
  const writable = confined ? roots : roots.filter((root) => root !== '/');
  return {
    writable,
    ...(confined && { readable: roots }),
    hidden: ours,
    network: networkHosts.includes('*') ? 'all' : networkHosts.length === 0 ? 'none' : networkHosts,
  };
}

/** In a sandbox the temporary folder is its own, wherever ours is. */
export function environmentInside(env: Readonly<Record<string, string>>): Record<string, string> {
  const { TMPDIR, ...rest } = env;
  return TMPDIR === undefined || TMPDIR !== tmpdir() ? { ...env } : rest;
}

function noSandbox(backend: string, notEnforced: readonly string[]): Failure {
  return new Failure('unavailable', `Commands must run in a sandbox, and there is none on ${backend}.`, {
    hint: 'Install bubblewrap (`apt-get install bubblewrap`), see `mcp-python doctor`; or set `execution.security.sandbox` to `auto`.',
    details: { not_enforced: notEnforced },
  });
}
