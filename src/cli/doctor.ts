import { Console } from 'node:console';
import { Command } from 'commander';
import type { LoadedConfig } from '../config/load.ts';
import { type Failure, toFailure } from '../errors.ts';
import { type Check, fail, ok } from './checks/check.ts';
import { EXIT } from './exit-codes.ts';
import { printData, printJson } from './output.ts';
import { loadConfigFor, wantsJson } from './session.ts';

export function define(): Command {
  return new Command('doctor')
    .description('Check that everything works, and say what to do where it does not.')
    .addHelpText(
      'after',
      '\nExit status: 0 when nothing failed, warnings included · 3 when the configuration or a plug-in is bad · 4 when\nsomething else failed.',
    )
    .action(doctor);
}

async function doctor(_: unknown, command: Command): Promise<void> {
  const checks = await runChecks(command);
  const failed = checks.filter(({ status }) => status === 'fail');
  await (wantsJson(command) ? printJson({ ok: failed.length === 0, checks }) : printData(page(checks)));
  const badConfig = failed.some(({ name }) => name === CONFIGURATION || name === PLUG_IN);
  process.exitCode = failed.length === 0 ? EXIT.ok : badConfig ? EXIT.config : EXIT.unreachable;
}

const CONFIGURATION = 'configuration';
const PLUG_IN = 'plug-in';

async function runChecks(command: Command): Promise<Check[]> {
  const [machine, folders, { checkPort }, { checkClients }, { checkTools }, { checkSandbox }, { checkMachines }] =
    await Promise.all([
      import('./checks/machine.ts'),
      import('./checks/folders.ts'),
      import('./checks/port.ts'),
      import('./checks/clients.ts'),
      import('./checks/tools.ts'),
      import('./checks/sandbox.ts'),
      import('./checks/machines.ts'),
    ]);
  const [loaded, configuration] = await configurationOf(command);
  const { config } = loaded;
  const { createRuntime } = await import('../runtime.ts');
  // Plug-ins are looked at one by one: a bad one must not hide the rest.
  await using runtime = await createRuntime({ ...loaded, config: { ...config, plugins: [] } });
  const backend = await runtime.backend();
  const which = (name: string) => backend.which(name, process.env.PATH ?? '');
  // What a plug-in prints must not get between the data.
  globalThis.console = new Console(process.stderr, process.stderr);
  const checks = await Promise.all<Check | Check[]>([
    machine.checkRuntime(),
    configuration,
    folders.checkWorkspace(config, backend),
    folders.checkPathRestrictions(config),
    folders.checkState(config),
    folders.checkBackend(config, backend),
    checkSandbox(config),
    checkMachines(config, runtime.backend),
    checkTools(config),
    checkPort(config),
    machine.checkOpenFiles(config.server.max_sessions),
    machine.checkPrograms(which),
    checkClients(which),
  ]);
  return checks.flat();
}

/** The configuration in force, or the defaults where it is bad, so that the rest can still be looked at. */
async function configurationOf(command: Command): Promise<[LoadedConfig, Check]> {
  try {
    const loaded = await loadConfigFor(command);
    const from = loaded.files.length > 0 ? loaded.files.join(', ') : 'no file, all values are defaults or from the environment';
    return [loaded, ok(CONFIGURATION, from)];
  } catch (thrown) {
    const { configSchema } = await import('../config/schema.ts');
    const defaults: LoadedConfig = {
      config: configSchema.parse({}),
      originOf: () => ({ kind: 'default' }),
      files: [],
      warnings: [],
      references: new Map(),
      secrets: [],
    };
    return [defaults, badConfiguration(toFailure(thrown))];
  }
}

function badConfiguration({ message, hint }: Failure): Check {
  return fail(CONFIGURATION, message, `${hint ?? 'Correct it.'} The other checks used the defaults.`);
}

/** One line a check, and what to do below those that need it. */
function page(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(6 + width + 2);
  const lines = checks.flatMap(({ status, name, message, hint }) => [
    `${status.padEnd(4)}  ${name.padEnd(width)}  ${message.replaceAll('\n', `\n${indent}`)}`,
    ...(hint === undefined ? [] : [`${indent}→ ${hint}`]),
  ]);
  const count = (status: Check['status']) => checks.filter((each) => each.status === status).length;
  return [...lines, '', `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`].join('\n');
}
