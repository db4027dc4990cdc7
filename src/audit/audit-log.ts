/** What the audit log records. Values are as they were before redaction; the log itself redacts. */

/** Facts common to all records of one call. */
export interface AuditedCall {
  /** Id and name of the principal. */
  readonly principal: string;
  readonly principal_name: string;
  readonly session?: string;
  /** UUID of the call. */
  readonly task: string;
  readonly tool: string;
}

/** One entry. `when`, the sequence number and the chain are added by the log. */
export type AuditEntry =
  /** A call has ended, or was refused: one for each call. */
  | (AuditedCall & {
      readonly event: 'call';
      readonly outcome: 'completed' | 'failed' | 'denied' | 'cancelled' | 'input_required';
      /** Failure code of a call that did not complete. */
      readonly code?: string;
      readonly reason?: string;
      readonly duration_ms: number;
      /** What was acted on, where the arguments name it: a path, a URL. */
      readonly target?: string;
    })
  /** A command has been decided on: written before it starts, or when it is refused. */
  | (AuditedCall & {
      readonly event: 'command';
      readonly backend: string;
      readonly command: string;
      /** Programs that it would run with their arguments, as parsed. */
      readonly parsed: readonly string[];
      readonly verdict: 'allow' | 'ask' | 'deny';
      readonly rule: string;
      readonly reason?: string;
      readonly working_directory: string;
      readonly sandbox: string;
      readonly approval?: string;
    })
  /** The command of the `command` record before it has ended. */
  | (AuditedCall & {
      readonly event: 'command_end';
      readonly backend: string;
      readonly outcome: 'exited' | 'timeout' | 'cancelled' | 'failed';
      readonly exit_code: number | null;
      readonly signal: string | null;
      readonly stdout_bytes: number;
      readonly stderr_bytes: number;
      readonly duration_ms: number;
    })
  /** A file is about to be changed. */
  | (AuditedCall & {
      readonly event: 'write';
      readonly backend: string;
      readonly path: string;
      readonly bytes: number;
    })
  /** A person decided on a command that needs approval. */
  | (AuditedCall & {
      readonly event: 'approval';
      readonly backend: string;
      readonly command: string;
      readonly decision: 'once' | 'session' | 'declined' | 'expired';
      readonly by: string;
    })
  /** Somebody was turned away, or a credential was made or revoked. */
  | {
      readonly event: 'access';
      readonly what: 'refused' | 'forbidden' | 'limited' | 'key_created' | 'key_revoked';
      readonly principal?: string;
      readonly address?: string;
      readonly reason: string;
    }
  /** The server starts, or stops in good order: a start without the stop before it tells of a crash. */
  | { readonly event: 'start' | 'stop'; readonly version: string; readonly role: string };

export interface AuditLog extends AsyncDisposable {
  /**
   * Resolves once the record is in the file: kill -9 after that does not lose it.
   * @throws Failure `unavailable` when it cannot be written and `audit.required` is set; otherwise the failure is told on stderr once.
   */
  record(entry: AuditEntry): Promise<void>;
}
