/** What the sandbox's way to the network refuses goes to the audit log, each place once in a while: commands try again and again. */
import type { AuditLog } from '../audit/audit-log.ts';

/** A connection that a command wanted to make. */
export interface RefusedHost {
  readonly host: string;
  readonly port: number;
  /** A sentence. */
  readonly reason: string;
}

const AGAIN_AFTER_MS = 60_000;
const MAX_REMEMBERED = 1000;

/**
 * @returns records a refusal. Commands with the same list of hosts share the way out, so it cannot tell whose
 *   command it was: the records of commands around it can.
 */
export function recordRefusedHosts(audit: AuditLog): (refusal: RefusedHost) => void {
  const toldMs = new Map<string, number>();
  return ({ host, port, reason }) => {
    const place = `${host}:${port}`;
    const nowMs = performance.now();
    const before = toldMs.get(place);
    if (before !== undefined && nowMs - before < AGAIN_AFTER_MS) return;
    // The oldest goes: it is told of once more than it need be.
    if (before === undefined && toldMs.size >= MAX_REMEMBERED) toldMs.delete(toldMs.keys().next().value ?? '');
    toldMs.set(place, nowMs);
    // The connection is refused either way.
    audit.record({ event: 'access', what: 'refused', reason }).catch(() => {});
  };
}
