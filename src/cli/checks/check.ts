/** One thing `doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found, one sentence or less. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

export function ok(name: string, message: string, hint?: string): Check {
  return { name, status: 'ok', message, ...(hint !== undefined && { hint }) };
}

export function warn(name: string, message: string, hint: string): Check {
  return { name, status: 'warn', message, hint };
}

export function fail(name: string, message: string, hint: string): Check {
  return { name, status: 'fail', message, hint };
}
