/** What a subcommand works with: its configuration, and the runtime made from it. */
import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Runtime } from '../runtime.ts';
import { messagesAt } from '../telemetry/messages.ts';
import type { GlobalOptions } from './program.ts';

/** Configuration with what the command line says over it; warnings go to stderr. */
export async function loadConfigFor(command: Command, flags: Readonly<Record<string, unknown>> = {}): Promise<LoadedConfig> {
  const { config: file, logLevel, plugin } = command.optsWithGlobals<GlobalOptions>();
  const loaded = await loadConfig({
    file,
    flags: { 'log.level': logLevel, ...flags },
    environment: process.env,
  });
  if (loaded.warnings.length > 0) {
    const messages = await messagesAt(loaded.config.log.level);
    for (const warning of loaded.warnings) messages.warn(warning);
  }
  if (!plugin) return loaded;
  return { ...loaded, config: { ...loaded.config, plugins: [...loaded.config.plugins, ...plugin] } };
}

export async function runtimeFor(command: Command, flags: Readonly<Record<string, unknown>> = {}): Promise<Runtime> {
  const loaded = await loadConfigFor(command, flags);
  const { createRuntime } = await import('../runtime.ts');
  return createRuntime(loaded);
}

/** Whether `--json` was given, before or after the subcommand's name. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json === true;
}
