import type { HostAgentEntry } from '../config/host-agent-section.ts';
import { nearestName } from '../config/nearest-name.ts';
import { Failure } from '../errors.ts';
import type { Backend, BackendFamily } from './backend.ts';
import type { Refusal } from './sandbox/network-proxy.ts';

/** Every kind of backend; a new one is its file and one line here. */
const KINDS: Readonly<Record<string, (options: BackendOptions) => Promise<BackendFamily>>> = {
  native: async ({ jobsFolder, onRefusedHost }) =>
    single('native', (await import('./native.ts')).createNativeBackend(jobsFolder, onRefusedHost)),
  host_agent: async ({ hostAgents = [], state = '' }) =>
    (await import('./host-agent/family.ts')).createHostAgentFamily(hostAgents, state),
};

export interface BackendOptions {
  /** Where commands that outlive their call are kept, absolute; absent: there are none. */
  readonly jobsFolder?: string;
  /** Told of each connection that a command may not make. */
  readonly onRefusedHost?: (refusal: Refusal) => void;
  /** The state folder. */
  readonly state?: string;
  /** Host agents of the configuration. */
  readonly hostAgents?: readonly HostAgentEntry[];
}

export interface BackendTable extends AsyncDisposable {
  /**
   * The backend of this name (`native`, `ssh:web1`), made when it is first asked for.
   * @throws Failure `not_found` that lists the names there are; `invalid_input` for a group
   */
  get(name: string): Promise<Backend>;
  /** Names of the backends that a name stands for: itself, or those of a group (`ssh:@web`). @throws Failure `not_found` */
  members(name: string): Promise<readonly string[]>;
}

export function createBackendTable(options: BackendOptions = {}): BackendTable {
  const families = new Map<string, Promise<BackendFamily>>();

  function find(name: string): { readonly family: Promise<BackendFamily>; readonly target: string | undefined } {
    const [, kind = '', target] = /^([^:]*)(?::(.*))?$/s.exec(name) ?? [];
    const load = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    if (!load) throw noBackend(name, kind);
    const family = families.get(kind) ?? load(options);
    families.set(kind, family);
    family.catch(() => families.delete(kind));
    return { family, target };
  }

  return {
    async get(name) {
      const { family, target } = find(name);
      return (await family).open(target);
    },
    async members(name) {
      const { family, target } = find(name);
      return (target !== undefined && (await family).members?.(target)) || [name];
    },
    async [Symbol.asyncDispose]() {
      for (const family of families.values()) await (await family)[Symbol.asyncDispose]();
    },
  };
}

function noBackend(name: string, kind: string): Failure {
  const known = Object.keys(KINDS);
  const near = nearestName(kind, known);
  return new Failure('not_found', `There is no backend named "${name}".`, {
    hint: near ? `Did you mean "${near}"?` : `Backends: ${known.join(', ')}.`,
  });
}

/** A family of one machine. */
function single(name: string, backend: Backend): BackendFamily {
  return {
    async open(target) {
      if (target === undefined) return backend;
      throw new Failure('not_found', `There is no backend named "${name}:${target}".`, { hint: `Did you mean "${name}"?` });
    },
    targets: () => [],
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
