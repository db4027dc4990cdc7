/** `host-agent`: the service that lets servers run chosen commands on this machine as chosen users. */
import { Command } from 'commander';
import { toFailure } from '../errors.ts';
import { messagesAt } from '../telemetry/messages.ts';
import { printData } from './output.ts';
import { refuseInsideCommands } from './own-commands.ts';
import { loadConfigFor, wantsJson } from './session.ts';
import { untilStopped } from './signals.ts';

interface HostAgentOptions {
  readonly socket?: string;
}

export function define(): Command {
  return new Command('host-agent')
    .description(
      'Run commands and use files on this machine for servers that connect to its socket, or with TLS, as `host_agent` in the configuration allows.',
    )
    .option('--socket <path>', 'Unix socket to listen on (default: host_agent.socket)')
    .addHelpText(
      'after',
      '\nPrints where it listens on stdout, one place a line; with --json as {"places", "users", "pid"}. SIGHUP reads the configuration anew.',
    )
    .action(hostAgent);
}

async function hostAgent({ socket }: HostAgentOptions, command: Command): Promise<void> {
  refuseInsideCommands('host-agent');
  const flags = { 'host_agent.socket': socket };
  const loaded = await loadConfigFor(command, flags);
  const messages = await messagesAt(loaded.config.log.level);
  const [{ runHostAgent }, { serviceManager }] = await Promise.all([
    import('../host-agent/run.ts'),
    import('../systemd/notify.ts'),
  ]);
  const manager = serviceManager(process.env, (trouble) => messages.warn(trouble));
  let reload = async (): Promise<void> => {};
  const stopped = untilStopped(() => void reload());
  const agent = await runHostAgent(loaded);
  const status = `Runs commands as ${agent.users.join(', ')}`;
  reload = async () => {
    await manager.reloading();
    try {
      await agent.reload(await loadConfigFor(command, flags));
      messages.info('The configuration was read anew.');
    } catch (thrown) {
      messages.error(`The configuration stays as it was: ${toFailure(thrown).message}`);
    }
    await manager.ready(status);
  };
  const { places, users } = agent;
  await printData(wantsJson(command) ? JSON.stringify({ places, users, pid: process.pid }) : places.join('\n'));
  await manager.ready(status);
  messages.info(`${status}, for whoever may connect to ${places.join(', ')}. Stop with Ctrl-C.`);
  const signal = await stopped;
  messages.info(`Stopping on ${signal}.`);
  await manager.stopping();
  await agent.close();
}
