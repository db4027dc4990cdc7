/** Who is asking: sessions, tasks and event logs belong to a principal. */

/** What a credential must be allowed to do before it may call a tool. `admin` includes the others. */
export const SCOPES = ['tools:read', 'tools:execute', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Principal {
  /** Stable id, compared for ownership. `local` is the person who started the process, `key:<id>` the holder of an API key. */
  readonly id: string;
  readonly kind: 'local' | 'key';
  /** As rules and people name it: `local`, or the name the API key was given. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** The person at this machine: the parent of a stdio server, a shell running `call`, or a loopback HTTP client. */
export const LOCAL_PRINCIPAL: Principal = { id: 'local', kind: 'local', name: 'local', scopes: new Set(SCOPES) };

/** Whether the principal may do what the scope stands for. */
export function hasScope({ scopes }: Principal, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}
