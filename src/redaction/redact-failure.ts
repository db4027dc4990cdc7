import { Failure } from '../errors.ts';
import { redactor } from './process-redactor.ts';

/** The failure without secrets in its sentence, hint and details; the same one when there are none. */
export function redactFailure(failure: Failure): Failure {
  const { code, message, hint, details, cause, stack } = failure;
  const told = redactor.json({ message, hint, details });
  if (told.message === message && told.hint === hint && told.details === details) return failure;
  const redacted = new Failure(code, told.message, {
    ...(told.hint !== undefined && { hint: told.hint }),
    ...(told.details !== undefined && { details: told.details }),
    cause,
  });
  if (stack !== undefined) redacted.stack = redactor.text(stack);
  return redacted;
}
