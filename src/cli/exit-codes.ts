import type { FailureCode } from '../errors.ts';

/** Exit statuses of the program, the same for every subcommand. */
export const EXIT = {
  ok: 0,
  defect: 1,
  usage: 2,
  config: 3,
  unreachable: 4,
  denied: 5,
  notFound: 6,
  partial: 7,
  needsApproval: 8,
  timeout: 124,
  interrupted: 130,
} as const;

const BY_CODE: Readonly<Record<FailureCode, number>> = {
  invalid_input: EXIT.usage,
  invalid_config: EXIT.config,
  not_found: EXIT.notFound,
  denied: EXIT.denied,
  needs_approval: EXIT.needsApproval,
  not_configured: EXIT.config,
  timeout: EXIT.timeout,
  cancelled: EXIT.interrupted,
  unavailable: EXIT.unreachable,
  conflict: EXIT.usage,
  too_large: EXIT.usage,
  unsupported: EXIT.usage,
  partial: EXIT.partial,
  agent_lost: EXIT.unreachable,
  internal: EXIT.defect,
};

/** The exit status for a failure. */
export function exitCodeOf(code: FailureCode): number {
  return BY_CODE[code];
}
