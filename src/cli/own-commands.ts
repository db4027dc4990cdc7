import { SERVER_MARK } from '../backends/process-tree.ts';
import { Failure } from '../errors.ts';

/**
 * Keeps subcommands that change what is allowed out of the hands of tools: a command that a tool runs carries our mark
 * in its environment. A guard rail; what holds is that the sandbox hides our state from it.
 * @throws Failure `denied`
 */
export function refuseInsideCommands(subcommand: string): void {
  if (process.env[SERVER_MARK] === undefined) return;
  throw new Failure('denied', `\`mcp-python ${subcommand}\` is for people: a command that a tool runs may not use it.`, {
    hint: 'Run it in a terminal.',
  });
}
