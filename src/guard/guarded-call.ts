/** On whose behalf the guard decides. */
import type { Principal } from '../identity/principal.ts';

/** The call behind a use of a backend: rules, approvals and the audit log name it. */
export interface GuardedCall {
  readonly principal: Principal;
  /** The tool that was called. */
  readonly tool: string;
  /** UUID of the call. */
  readonly taskId: string;
  /** Id of the MCP session, where the client has one. */
  readonly session?: string | undefined;
  /** Asks the person behind the client; undefined when there is nobody to ask that way. */
  askPerson?(question: PersonQuestion): Promise<PersonAnswer>;
  readonly signal: AbortSignal;
}

export interface PersonQuestion {
  /** Stable for the same matter, so that an answer of an earlier round is found again (MCP 2026-07-28). */
  readonly key: string;
  /** Plain text, safe to show. */
  readonly message: string;
}

export type PersonAnswer = 'once' | 'session' | 'declined';
