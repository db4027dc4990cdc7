/** What a subcommand works with: its configuration, and the runtime made from it. */
import { Console } from 'node:console';
import type { Command } from 'commander';
import type { LoadedConfig } from '../config/load.ts';
import { redactor } from '../redaction/process-redactor.ts';
import type { Runtime, ServerRole } from '../runtime.ts';
import type { GlobalOptions } from './program.ts';

/**
 * Configuration with what the command line says over it; warnings go to stderr. What references in it stand for is masked
 * from here on.
 * @param commands whether references to commands are run, or only looked at
 */
export async function loadConfigFor(
  command: Command,
  flags: Readonly<Record<string, unknown>> = {},
  commands: 'run' | 'check' = 'run',
): Promise<LoadedConfig> {
  const { config: file, logLevel } = command.optsWithGlobals<GlobalOptions>();
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({
    file,
    flags: { 'log.level': logLevel, ...flags },
    plugins: pluginsOf(command),
    environment: process.env,
    commands,
  });
  for (const secret of loaded.secrets) redactor.addSecret(secret);
  await tellWarnings(loaded);
  return loaded;
}

/** What the configuration should rather not be like, for people. */
export async function tellWarnings({ warnings, config }: LoadedConfig): Promise<void> {
  if (warnings.length === 0) return;
  const { messagesAt } = await import('../telemetry/messages.ts');
  const messages = await messagesAt(config.log.level);
  for (const warning of warnings) messages.warn(warning);
}

/** Plug-in files given before the subcommand's name and those after it. */
export function pluginsOf(command: Command): readonly string[] {
  const above = command.parent ? pluginsOf(command.parent) : [];
  return [...above, ...(command.opts<GlobalOptions>().plugin ?? [])];
}

/**
 * The runtime for a subcommand. What plug-ins print goes to stderr from here on: stdout is for data.
 * @param given the configuration where it was loaded already
 */
export async function runtimeFor(
  command: Command,
  flags: Readonly<Record<string, unknown>> = {},
  role?: ServerRole,
  given?: LoadedConfig,
): Promise<Runtime> {
  globalThis.console = new Console(process.stderr, process.stderr);
  const [loaded, { createRuntime }] = await Promise.all([given ?? loadConfigFor(command, flags), import('../runtime.ts')]);
  const hosts = loaded.config.execution.security.network_hosts;
  // Told now, and not with the first command.
  if (hosts.length > 0) (await import('../backends/sandbox/network-hosts.ts')).parseHosts(hosts);
  return createRuntime(loaded, role);
}

/** Whether `--json` was given, before or after the subcommand's name. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json === true;
}
