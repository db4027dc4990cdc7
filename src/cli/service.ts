/** `service`: units for systemd, looked at, installed and taken away. */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { AGENT_SOURCE } from '../agent-threads.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import { configFolder } from '../state/folders.ts';
import { type Role, type Unit, unitFolder, unitNames } from '../systemd/units.ts';
import { printData, table } from './output.ts';
import { refuseInsideCommands } from './own-commands.ts';
import type { GlobalOptions } from './program.ts';
import { loadConfigFor, wantsJson } from './session.ts';

interface PlaceOptions {
  readonly user?: boolean;
  readonly directory?: string;
}

interface UnitFlags extends PlaceOptions {
  readonly credential?: readonly string[];
  readonly network?: readonly string[];
  readonly writable?: readonly string[];
}

interface InstallOptions extends UnitFlags {
  readonly start: boolean;
}

const ROLES: readonly Role[] = ['serve', 'host-agent'];

export function define(): Command {
  const service = new Command('service').description(
    'Run `serve` or `host-agent` as a service of systemd, with as few rights as it can do with.',
  );
  const role = () => new Argument('<role>', 'what runs').choices(ROLES);
  withUnitOptions(service.command('print').description('print the units, and change nothing').addArgument(role())).action(print);
  withUnitOptions(service.command('install').description('write the units, and start them').addArgument(role()))
    .option('--directory <folder>', 'where the units go (default: where systemd looks)')
    .option('--no-start', 'only write them: start nothing, now or at boot')
    .action(install);
  service
    .command('uninstall')
    .description('stop the service, and take its units away; state and configuration stay')
    .addArgument(role())
    .option('--user', 'of your own service manager')
    .option('--directory <folder>', 'where the units are (default: where systemd looks)')
    .action(uninstall);
  service
    .command('status')
    .description('tell whether it runs; ends with 4 when it does not')
    .addArgument(role())
    .option('--user', 'of your own service manager')
    .action(status);
  return service;
}

function withUnitOptions(command: Command): Command {
  return command
    .option('--user', 'for your own service manager, which can keep less from a service')
    .option(
      '--credential <name:path>',
      'secret that systemd hands over as a file in /run/credentials; may be repeated',
      parseCredential,
    )
    .option('--network <addresses>', 'addresses that may be reached beside this machine, or `any`; may be repeated', collect)
    .option('--writable <folder>', 'further folder that commands may write to; may be repeated', collectPath);
}

function collect(value: string, all: readonly string[] = []): readonly string[] {
  if (!/^[\w.:/-]+$/.test(value))
    throw new InvalidArgumentError('It must be an address, a network such as 10.0.0.0/8, or `any`.');
  return [...all, value];
}

function collectPath(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, resolve(value)];
}

function parseCredential(value: string, all: readonly string[] = []): readonly string[] {
  if (!/^[\w.-]+:\/\S+$/.test(value)) throw new InvalidArgumentError('It must be a name, a colon and an absolute path.');
  return [...all, value];
}

async function unitsOf(role: Role, flags: UnitFlags, command: Command): Promise<readonly Unit[]> {
  const { config } = await loadConfigFor(command, {}, 'check');
  const { config: file } = command.optsWithGlobals<GlobalOptions>();
  const { hostAgentUnits, serveUnits } = await import('../systemd/units.ts');
  const options = {
    program: ownProgram(),
    config: file === undefined ? undefined : resolve(file),
    user: flags.user === true,
    credentials: flags.credential ?? [],
    network: flags.network ?? [],
    writable: flags.writable ?? [],
  };
  if (!options.user && IN_HOME.test(options.program.join(' '))) throw notInHome(options.program);
  const { mcp_http_host: host, mcp_http_port: port } = config.server;
  if (role === 'serve') return serveUnits({ ...options, host, port });
  return hostAgentUnits({ ...options, ...(await hostAgentFacts(config, options.user)) });
}

/** What runs as a service of the machine sees no homes. */
const IN_HOME = /(?:^| )\/(?:home|root|run\/user)\//;

function notInHome(program: readonly string[]): Failure {
  return new Failure('invalid_input', `${program.join(' ')} is in a home directory, which services of the machine do not see.`, {
    hint: 'Install it with `./install.sh --prefix /usr/local` and use that one, or take --user.',
  });
}

/** How systemd starts us: the executable, or Node with the source. */
function ownProgram(): string[] {
  const isExecutable = typeof Reflect.get(globalThis, AGENT_SOURCE) === 'string';
  return isExecutable ? [process.execPath] : [process.execPath, resolve(process.argv[1] ?? '')];
}

async function hostAgentFacts({ host_agent: settings }: Config, user: boolean) {
  const [{ SYSTEM_SOCKET }, { findAccount }] = await Promise.all([
    import('../backends/host-agent/default-socket.ts'),
    import('../host-agent/accounts.ts'),
  ]);
  if (!user && settings.users.length === 0) {
    throw new Failure('not_configured', 'Nothing says whom the host agent runs commands as.', {
      hint: 'Set `host_agent.users` in /etc/mcp-python/config.yaml (or the file of --config), such as `[deploy]`.',
    });
  }
  const accounts = user ? [] : settings.users.map(findAccount);
  // Some users have the folder of a program, or none.
  const homes = accounts
    .filter(({ home, uid }) => statSync(home, { throwIfNoEntry: false })?.uid === uid)
    .map(({ home }) => home);
  return {
    socket: settings.socket || (user ? '%t/mcp-python/host-agent.sock' : SYSTEM_SOCKET),
    socketGroup: settings.socket_group,
    networked: settings.host !== '' || settings.network_hosts.length > 0 || settings.sandbox === 'off',
    places: [...homes, ...(settings.workspace ? [settings.workspace] : []), ...settings.path_restrictions],
    tlsKey: settings.tls.key_file,
  };
}

async function print(role: Role, flags: UnitFlags, command: Command): Promise<void> {
  const units = await unitsOf(role, flags, command);
  if (wantsJson(command)) return printData(JSON.stringify({ units }));
  await printData(units.map(({ name, text }) => `# ${name}\n${text}`).join('\n'));
}

function folderOf({ user = false, directory }: PlaceOptions): string {
  return directory === undefined ? unitFolder(user, configFolder()) : resolve(directory);
}

async function install(role: Role, flags: InstallOptions, command: Command): Promise<void> {
  refuseInsideCommands('service install');
  const units = await unitsOf(role, flags, command);
  const folder = folderOf(flags);
  try {
    await mkdir(folder, { recursive: true });
    for (const unit of units)
      await printData(`${(await put(folder, unit)) ? 'installed' : 'unchanged'} ${join(folder, unit.name)}`);
  } catch (thrown) {
    throw notWritable(folder, thrown);
  }
  if (!flags.start) return;
  await systemctl(flags, 'daemon-reload');
  await systemctl(flags, 'enable', '--now', unitNames(role)[0] as string);
  await printData(`started ${unitNames(role)[0]}`);
}

/** In one step. @returns false when it is there already */
async function put(folder: string, { name, text }: Unit): Promise<boolean> {
  const path = join(folder, name);
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return false;
  const unfinished = `${path}.new-${process.pid}`;
  await writeFile(unfinished, text, { mode: 0o644 });
  await rename(unfinished, path);
  return true;
}

async function uninstall(role: Role, options: PlaceOptions): Promise<void> {
  refuseInsideCommands('service uninstall');
  const folder = folderOf(options);
  const paths = unitNames(role).map((name) => join(folder, name));
  const there = paths.filter(existsSync);
  if (there.length === 0) throw new Failure('not_found', `There is no unit of ${role} in ${folder}.`);
  if (options.directory === undefined) await systemctl(options, 'disable', '--now', ...unitNames(role));
  try {
    for (const path of there) {
      await rm(path);
      await printData(`removed ${path}`);
    }
  } catch (thrown) {
    throw notWritable(folder, thrown);
  }
  if (options.directory === undefined) await systemctl(options, 'daemon-reload');
}

const FACTS = ['Id', 'LoadState', 'ActiveState', 'SubState', 'MainPID', 'StatusText'] as const;

async function status(role: Role, options: PlaceOptions, command: Command): Promise<void> {
  const told = await systemctl(options, 'show', `--property=${FACTS.join(',')}`, ...unitNames(role));
  const units = told
    .trim()
    .split('\n\n')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string])));
  if (wantsJson(command)) await printData(JSON.stringify({ units }));
  else {
    await printData(
      table(
        units.map(({ Id = '', ActiveState = '', SubState = '', StatusText = '' }) => [
          Id,
          `${ActiveState} (${SubState})`,
          StatusText,
        ]),
      ),
    );
  }
  if (units.some(({ ActiveState }) => ActiveState === 'active')) return;
  throw new Failure('unavailable', `The service ${role} does not run.`, {
    hint: `Install it with \`mcp-python service install ${role}\`, or look at \`journalctl -u ${unitNames(role).at(-1)}\`.`,
  });
}

/** @throws Failure `unavailable` with what systemctl said */
function systemctl({ user }: PlaceOptions, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('systemctl', [...(user ? ['--user'] : []), '--no-pager', ...args], (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const said = missing ? 'there is no systemctl' : stderr.trim().split('\n')[0] || error.message;
      reject(
        new Failure('unavailable', `systemd could not be asked to ${args[0]}: ${said}.`, {
          hint: missing ? 'This machine does not run systemd.' : 'Run it as root, or with --user for your own service manager.',
        }),
      );
    });
  });
}

function notWritable(folder: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('denied', `${folder} cannot be written: ${(thrown as Error).message}.`, {
    hint: 'Run it as root, with --user for your own service manager, or with --directory.',
    cause: thrown,
  });
}
