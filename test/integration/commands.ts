/** Programs run to their end. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { type Ended, ended } from '../cli/run-program.ts';

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly cwd?: string;
}

/** Starts a program with just the given environment; it is ended with the test. */
export function startCommand(
  command: string,
  args: readonly string[],
  { env = {}, cwd = '/' }: CommandOptions = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(command, args, { env, cwd });
  onTestFinished(() => void child.kill('SIGKILL'));
  // It may end without having read its input.
  child.stdin.on('error', () => {});
  return child;
}

export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const child = startCommand(command, args, options);
  child.stdin.end(options.input ?? '');
  return ended(child);
}

/** One JSON-RPC message as a line. */
export function line(message: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
}

export const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
};
