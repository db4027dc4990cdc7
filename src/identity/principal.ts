/** Who is asking: sessions, tasks and event logs belong to a principal. */
export interface Principal {
  /** Stable id, compared for ownership. `local` is the person who started the process. */
  readonly id: string;
  readonly kind: 'local';
}

/** The person at this machine: the parent of a stdio server, a shell running `call`, or a loopback HTTP client. */
export const LOCAL_PRINCIPAL: Principal = { id: 'local', kind: 'local' };
