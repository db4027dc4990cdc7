import { resolve } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { Failure } from '../errors.ts';
import { CLIENT_SCOPES, type Client, type ClientScope, type ServerTarget } from './clients/client.ts';
import { CLIENTS } from './clients/table.ts';
import { printData, printJson } from './output.ts';
import type { GlobalOptions } from './program.ts';
import { loadConfigFor, pluginsOf, wantsJson } from './session.ts';

interface SetupOptions {
  readonly print?: boolean;
  readonly remove?: boolean;
  readonly http?: string;
  readonly connect?: string;
  readonly name: string;
  readonly scope: ClientScope;
}

const HELP = `
Everything else in the client's file stays as it is, comments too; a second run changes nothing. A file that is not
valid JSON is refused and left alone. --config and --plugin are handed on to the server in the entry.

Examples:
  mcp-python setup claude-code
  mcp-python setup vscode --scope project
  mcp-python setup opencode --http http://127.0.0.1:8001/mcp
  mcp-python setup cursor --print`;

export function define(): Command {
  return new Command('setup')
    .description('Enter mcp-python in the configuration of an MCP client, so that the client starts it.')
    .addArgument(new Argument('<client>', 'the client').choices(CLIENTS.map(({ name }) => name)))
    .addOption(new Option('--print', 'print the entry instead of writing it').conflicts('remove'))
    .addOption(new Option('--remove', 'take the entry out again').conflicts('http'))
    .option('--http <url>', 'let the client connect to this URL of `mcp-python serve` instead of starting a process')
    .addOption(
      new Option(
        '--connect <server>',
        'let the process be a bridge to a running server, which its restarts do not cut off: see `stdio --connect`',
      ).conflicts(['http', 'remove']),
    )
    .option('--name <name>', 'name of the entry', 'mcp-python')
    .addOption(
      new Option('--scope <scope>', 'for all work of this user, or for the project in the working directory')
        .choices([...CLIENT_SCOPES])
        .default('user'),
    )
    .addHelpText('after', HELP)
    .action(setup);
}

async function setup(clientName: string, options: SetupOptions, command: Command): Promise<void> {
  const { name, scope } = options;
  const client = CLIENTS.find((each) => each.name === clientName) as Client;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new Failure('invalid_input', `"${name}" cannot be the name of an entry.`, {
      hint: 'Use 1 to 64 letters, digits, "-" and "_": the clients make names of tools from it.',
    });
  }
  const { putEntry, removeEntry, surroundings } = await import('./clients/entries.ts');
  const around = surroundings();
  if (options.remove) {
    const { change, paths } = await removeEntry(client, scope, name, around);
    const place = paths.join(', ') || (client.files(scope, around).at(-1) as string);
    const sentence =
      change === 'removed'
        ? `${client.title}: removed "${name}" from ${place}.`
        : `${client.title}: there is no "${name}" in ${place}.`;
    await (wantsJson(command) ? printJson({ client: client.name, name, scope, files: paths, change }) : printData(sentence));
    return;
  }
  const { target, doubt } = await targetOf(options, command);
  const entry = client.entry(target);
  if (options.print) {
    const keys = [...client.servers(undefined), name];
    await printJson(keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), entry));
    return;
  }
  const { change, path } = await putEntry(client, scope, name, entry, around);
  if (wantsJson(command)) await printJson({ client: client.name, name, scope, file: path, change, entry });
  else await printData(`${client.title}: ${sentenceOn(change, name, path)}`);
  const { messagesAt } = await import('../telemetry/messages.ts');
  const messages = await messagesAt((command.optsWithGlobals<GlobalOptions>().logLevel ?? 'info') as 'info');
  if (doubt) messages.warn(doubt);
  if (change !== 'unchanged') messages.info(client.next[scope]);
}

function sentenceOn(change: string, name: string, path: string): string {
  if (change === 'added') return `added "${name}" to ${path}.`;
  if (change === 'updated') return `updated "${name}" in ${path}.`;
  return `"${name}" in ${path} is up to date, nothing was changed.`;
}

async function targetOf({ http, connect }: SetupOptions, command: Command): Promise<{ target: ServerTarget; doubt?: string }> {
  if (http !== undefined) return { target: { kind: 'http', url: checkUrl(http) } };
  const { ownCommand } = await import('./clients/own-command.ts');
  const own = await ownCommand();
  const bridge = connect === undefined ? [] : ['--connect', connect];
  const args = [...own.args, 'stdio', ...bridge, ...(await handedOn(command))];
  return { target: { kind: 'stdio', command: own.command, args }, ...(own.doubt && { doubt: own.doubt }) };
}

/** Options of ours that the server needs too; relative paths would start somewhere else there. */
async function handedOn(command: Command): Promise<readonly string[]> {
  const { config } = command.optsWithGlobals<GlobalOptions>();
  // A client tells little about a server that does not start, so what is wrong is said now.
  if (config !== undefined) await loadConfigFor(command);
  return [
    ...(config === undefined ? [] : ['--config', resolve(config)]),
    ...pluginsOf(command).flatMap((file) => ['--plugin', resolve(file)]),
  ];
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return text;
  throw new Failure('invalid_input', `"${text}" is not the URL of an MCP endpoint.`, {
    hint: 'It is the one that `mcp-python serve` prints, like http://127.0.0.1:8001/mcp.',
  });
}
