import { Command } from 'commander';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { BridgeTarget } from '../transports/bridge-wire.ts';
import { loadConfigFor, runtimeFor } from './session.ts';
import { untilStopped } from './signals.ts';

interface StdioOptions {
  readonly connect?: string;
}

const HELP = `
With --connect it serves nothing itself: it carries messages to a server that runs already and back. While that server
restarts it waits (connect.wait_seconds), takes the session up again, and sends again what does no harm twice. A URL may
need an API key: set MCP_PYTHON_API_KEY, or connect.api_key as a reference.`;

export function define(): Command {
  return new Command('stdio')
    .description('Serve MCP over standard input and output, for a client that starts us. Ends with its input.')
    .option(
      '--connect <server>',
      'be a bridge to a running server: its URL, its local socket, or `auto` for the one of this user if it runs',
    )
    .addHelpText('after', HELP)
    .action(stdio);
}

async function stdio({ connect }: StdioOptions, command: Command): Promise<void> {
  let loaded: LoadedConfig | undefined;
  try {
    if (connect !== undefined) {
      const [found, { connectTarget }] = await Promise.all([loadConfigFor(command), import('./connect-target.ts')]);
      loaded = found;
      const target = await connectTarget(connect, loaded);
      if (target) return await bridge(target, loaded.config);
    }
    const [runtime, { serveStdio }] = await Promise.all([
      runtimeFor(command, {}, 'stdio', loaded),
      import('../transports/stdio.ts'),
    ]);
    try {
      await Promise.race([serveStdio(runtime, { input: process.stdin, output: process.stdout }), untilStopped()]);
    } finally {
      await runtime[Symbol.asyncDispose]();
    }
  } finally {
    // Still open after a signal, it would keep us alive for nobody.
    process.stdin.destroy();
  }
}

async function bridge(target: BridgeTarget, { connect, server }: Config): Promise<void> {
  const { startBridge } = await import('../transports/bridge.ts');
  const started = await startBridge({
    target,
    input: process.stdin,
    output: process.stdout,
    patienceMs: connect.wait_seconds * 1000,
    maxLength: server.max_body_bytes,
    onTrouble: (message) => void process.stderr.write(`mcp-python: ${message}\n`),
  });
  await Promise.race([started.ended, untilStopped()]);
  await started.close();
}
