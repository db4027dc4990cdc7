import { Command, InvalidArgumentError } from 'commander';
import type { Runtime } from '../runtime.ts';
import { stateFolder } from '../state/folders.ts';
import { messagesAt } from '../telemetry/messages.ts';
import type { AccessEntry } from '../transports/http-authentication.ts';
import { printData } from './output.ts';
import { runtimeFor, wantsJson } from './session.ts';
import { untilStopped } from './signals.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
}

export function define(): Command {
  return new Command('serve')
    .description('Serve MCP over HTTP on this machine, both for clients with sessions and for MCP 2026-07-28, until interrupted.')
    .option(
      '--host <address>',
      'address to listen on; beyond this machine it takes an API key (default: server.mcp_http_host, 127.0.0.1)',
    )
    .option('--port <number>', 'port to listen on, 0 for any free one (default: server.mcp_http_port, 8001)', parsePort)
    .addHelpText('after', '\nPrints the URL of the MCP endpoint on stdout once it answers; with --json as {"url", "pid"}.')
    .action(serve);
}

/** What is odd about who can come in, although it is served. */
async function warnAboutAccess({ config }: Runtime, host: string, warn: (warning: string) => void): Promise<void> {
  const { isLoopback } = await import('../transports/http-origin.ts');
  if (!isLoopback(host)) {
    warn('Keys and answers travel unencrypted: put a proxy with TLS in front, or use it in a network you trust only.');
    return;
  }
  if (!config.authentication.required) return;
  const { createKeyLookup } = await import('../identity/key-lookup.ts');
  const { keysFolder } = await import('../identity/key-record.ts');
  if (createKeyLookup(keysFolder(stateFolder(config.state.directory))).countUsable() > 0) return;
  warn('A key is asked for, and there is none yet: make one with `mcp-python keys create --name NAME`.');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  return port;
}

async function serve({ host, port }: ServeOptions, command: Command): Promise<void> {
  const flags = { 'server.mcp_http_host': host, 'server.mcp_http_port': port };
  await using runtime = await runtimeFor(command, flags, 'serve');
  const { mcp_http_host, mcp_http_port } = runtime.config.server;
  const [{ serveHttp }, { createControl }] = await Promise.all([
    import('../transports/http.ts'),
    import('../transports/control.ts'),
  ]);
  const stopped = untilStopped();
  const onAccess = (entry: AccessEntry) => void runtime.audit?.record(entry).catch(() => {});
  const messages = await messagesAt(runtime.config.log.level);
  const onWarning = (warning: string) => messages.warn(warning);
  const [{ serviceManager }, { handedOver }] = await Promise.all([
    import('../systemd/notify.ts'),
    import('../systemd/listen-fds.ts'),
  ]);
  const [descriptor] = handedOver();
  const server = await serveHttp(
    runtime,
    { host: mcp_http_host, port: mcp_http_port, ...(descriptor !== undefined && { descriptor }) },
    { onAccess, onWarning, localSocket: true, control: createControl(runtime.orchestrator) },
  );
  await printData(wantsJson(command) ? JSON.stringify({ url: server.url, pid: process.pid }) : server.url);
  const manager = serviceManager(process.env, onWarning);
  await manager.ready(`Serving MCP at ${server.url}`);
  await warnAboutAccess(runtime, mcp_http_host, onWarning);
  messages.info(`Serving MCP at ${server.url}. Stop with Ctrl-C.`);
  const signal = await stopped;
  messages.info(`Stopping on ${signal}: running calls have ${runtime.config.server.shutdown_grace_seconds} s to end.`);
  await manager.stopping();
  await server.close();
}
