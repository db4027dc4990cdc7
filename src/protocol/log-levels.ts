import type { LogLevel } from '../tools/tool.ts';

/** RFC 5424 severities as MCP names them, least severe first. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export function isLogLevel(value: unknown): value is LogLevel {
  return (LEVELS as readonly unknown[]).includes(value);
}

/** Whether a message of `level` is told to a client that asked for `minimum` and worse. */
export function isAtLeast(level: LogLevel, minimum: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(minimum);
}
