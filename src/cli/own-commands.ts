import { SERVER_MARK } from '../backends/process-tree.ts';
import { Failure } from '../errors.ts';

/** Whether this process was started by a command that a tool runs: it carries our mark in its environment. */
export function isInsideCommand(): boolean {
  return process.env[SERVER_MARK] !== undefined;
}

/**
 * Keeps subcommands that change what is allowed out of the hands of tools. A guard rail; what holds is that the sandbox
 * hides our state from commands.
 * @throws Failure `denied`
 */
export function refuseInsideCommands(subcommand: string): void {
  if (!isInsideCommand()) return;
  throw new Failure('denied', `\`mcp-python ${subcommand}\` is for people: a command that a tool runs may not use it.`, {
    hint: 'Run it in a terminal.',
  });
}
