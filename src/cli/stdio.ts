import { Command } from 'commander';
import { runtimeFor } from './session.ts';
import { untilStopped } from './signals.ts';

export function define(): Command {
  return new Command('stdio')
    .description('Serve MCP over standard input and output, for a client that starts us. Ends with its input.')
    .action(stdio);
}

async function stdio(_: unknown, command: Command): Promise<void> {
  const [runtime, { serveStdio }] = await Promise.all([runtimeFor(command, {}, 'stdio'), import('../transports/stdio.ts')]);
  try {
    await Promise.race([serveStdio(runtime, { input: process.stdin, output: process.stdout }), untilStopped()]);
  } finally {
    await runtime[Symbol.asyncDispose]();
    // Still open after a signal, it would keep us alive for nobody.
    process.stdin.destroy();
  }
}
