/**
 * Failures as values a caller can act on: a stable code, one sentence for a person, and what to do next.
 *
 * Every layer throws `Failure`; the command line maps the code to an exit status, the protocol to an
 * `isError` tool result. Anything else that is thrown is a defect of ours and reported as `internal`.
 */
export type FailureCode =
  | 'invalid_input'
  | 'invalid_config'
  | 'not_found'
  | 'denied'
  | 'needs_approval'
  | 'not_configured'
  | 'timeout'
  | 'cancelled'
  | 'unavailable'
  | 'conflict'
  | 'too_large'
  | 'unsupported'
  | 'partial'
  | 'agent_lost'
  | 'internal';

export interface FailureOptions {
  /** What to do about it: a sentence that names the next command, key or argument. */
  readonly hint?: string;
  /** JSON-serializable facts for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** The `Failure` behind anything thrown; what is not one already becomes `internal` with its message kept. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure('internal', message, { cause: thrown });
}

/** The shape a failure takes in JSON: tool results, `--json` output. */
export function failureToJson(failure: Failure): { code: FailureCode; message: string; hint?: string; details?: unknown } {
  return {
    code: failure.code,
    message: failure.message,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure.details === undefined ? {} : { details: failure.details }),
  };
}
