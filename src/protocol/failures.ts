import { Failure } from '../errors.ts';
import { redactFailure } from '../redaction/redact-failure.ts';
import { reportDefect } from '../telemetry/defects.ts';
import { ERROR_CODES, ProtocolError } from './jsonrpc.ts';

/** The protocol error for anything thrown while a request was answered; what we did not expect is told as -32603. */
export function toProtocolError(method: string, thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  if (thrown instanceof Failure) {
    const code = thrown.code === 'invalid_input' ? ERROR_CODES.invalidParams : ERROR_CODES.internal;
    const { message, hint } = redactFailure(thrown);
    return new ProtocolError(code, hint ? `${message} ${hint}` : message, { code: thrown.code });
  }
  reportDefect(method, thrown);
  return new ProtocolError(ERROR_CODES.internal, 'Internal error: the server logged what went wrong.');
}
