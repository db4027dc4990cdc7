/** MCP revisions spoken with an `initialize` handshake and a session, newest first. */
export const SESSION_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** MCP revisions without sessions, where each request carries its own version, newest first. */
export const STATELESS_VERSIONS = ['2026-07-28'] as const;

export type SessionVersion = (typeof SESSION_VERSIONS)[number];

/** All revisions, newest first, as told in `server/discover` and in version errors. */
export const SUPPORTED_VERSIONS: readonly string[] = [...STATELESS_VERSIONS, ...SESSION_VERSIONS];

export function isSessionVersion(version: unknown): version is SessionVersion {
  return (SESSION_VERSIONS as readonly unknown[]).includes(version);
}

export function isStatelessVersion(version: unknown): boolean {
  return (STATELESS_VERSIONS as readonly unknown[]).includes(version);
}
