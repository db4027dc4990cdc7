import { Command } from 'commander';
import { serveStdio } from '../transports/stdio.ts';
import { runtimeFor } from './session.ts';
import { untilStopped } from './signals.ts';

export function define(): Command {
  return new Command('stdio')
    .description('Serve MCP over standard input and output, for a client that starts us. Ends with its input.')
    .action(stdio);
}

async function stdio(_: unknown, command: Command): Promise<void> {
  // stdout belongs to the protocol; whatever a plug-in prints goes where people look.
  globalThis.console = new console.Console(process.stderr, process.stderr);
  const runtime = await runtimeFor(command);
  await Promise.race([serveStdio(runtime, { input: process.stdin, output: process.stdout }), untilStopped()]);
  await runtime[Symbol.asyncDispose]();
  // Standard input may still be open, which would keep us alive for nobody.
  process.exit();
}
