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
      /** `interrupted`: nobody saw it end. */
      readonly outcome: 'exited' | 'timeout' | 'cancelled' | 'failed' | 'interrupted';
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
  /** Somebody was turned away, a command at a host among them, or a credential was made or revoked. */
  | {
      readonly event: 'access';
      readonly what: 'refused' | 'forbidden' | 'limited' | 'key_created' | 'key_revoked';
      readonly principal?: string;
      readonly address?: string;
      readonly reason: string;
    }
  /** The server starts, or stops in good order: a start without the stop before it tells of a crash. */
  | { readonly event: 'start' | 'stop'; readonly version: string; readonly role: string };

/** What the log says about itself, chained like every other record. */
export type AuditNote =
  /** First record of each file: `prev` is the hash of the last record of the file before. */
  | {
      readonly event: 'file';
      readonly file: string;
      readonly previous: string | null;
      /** Of the first file: whether the key was there before the log, so that a log may have been deleted. */
      readonly key?: 'new' | 'known';
    }
  /** A file that `audit.keep_files` leaves no room for goes; `null` where the file after it could not be read. */
  | { readonly event: 'removed'; readonly file: string; readonly last_seq: number | null; readonly last_hash: string | null }
  /** Records could not be written from `since` on: so many are not in the log. */
  | { readonly event: 'gap'; readonly lost: number; readonly since: string; readonly reason: string }
  /** A process was killed while it wrote: what it left unfinished, and nobody was told to be written, is in `kept_in`. */
  | { readonly event: 'recovered'; readonly file: string; readonly bytes: number; readonly kept_in: string }
  /** The log was not as it had been left. It goes on in a new file, and `audit verify` fails from here on. */
  | { readonly event: 'damage'; readonly what: string };

export interface AuditLog extends AsyncDisposable {
  /**
   * Resolves once the record is in the file: kill -9 after that does not lose it.
   * @throws Failure `unavailable` when it cannot be written and `audit.required` is set; otherwise the failure is told on stderr once.
   */
  record(entry: AuditEntry): Promise<void>;
}
