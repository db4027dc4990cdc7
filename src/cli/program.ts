/** The command line: the table of subcommands, and what they share. */
import { Command, CommanderError, Option } from 'commander';
import { Failure } from '../errors.ts';
import { VERSION } from '../version.ts';

/** Each subcommand is loaded when it is used, or when its help is asked for. */
const SUBCOMMANDS: readonly { readonly name: string; readonly summary: string; load(): Promise<{ define(): Command }> }[] = [
  { name: 'serve', summary: 'serve MCP over HTTP on this machine', load: () => import('./serve.ts') },
  {
    name: 'stdio',
    summary: 'serve MCP over standard input and output, for a client that starts us',
    load: () => import('./stdio.ts'),
  },
  {
    name: 'host-agent',
    summary: 'run commands on this machine for servers, as chosen users',
    load: () => import('./host-agent.ts'),
  },
  { name: 'call', summary: 'run one tool from a shell', load: () => import('./call.ts') },
  { name: 'tools', summary: 'list the tools, or describe one', load: () => import('./tools.ts') },
  { name: 'config', summary: 'make, show and check the configuration', load: () => import('./config.ts') },
  { name: 'policy', summary: 'ask the command policy, and look for what is odd in it', load: () => import('./policy.ts') },
  { name: 'approve', summary: 'allow a command that waits for approval', load: () => import('./approve.ts') },
  { name: 'keys', summary: 'make, list and revoke API keys for clients over HTTP', load: () => import('./keys.ts') },
  { name: 'audit', summary: 'read the audit log, and check that nobody changed it', load: () => import('./audit.ts') },
  { name: 'agents', summary: 'look at the agents of the running server, and manage them', load: () => import('./agents.ts') },
  { name: 'service', summary: 'run serve or host-agent as a service of systemd', load: () => import('./service.ts') },
  { name: 'setup', summary: 'enter mcp-python in the configuration of a client', load: () => import('./setup.ts') },
  { name: 'doctor', summary: 'check that everything works, and say what to do where not', load: () => import('./doctor.ts') },
  { name: 'completion', summary: 'print a completion script for a shell', load: () => import('./completion.ts') },
  { name: 'version', summary: 'print versions', load: () => import('./version.ts') },
];

/** Options every subcommand takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: string;
  readonly plugin?: readonly string[];
}

/** The global options that are followed by a value. */
const WITH_VALUE: ReadonlySet<string> = new Set(['--config', '--log-level', '--plugin']);

const EXIT_STATUSES = `
Exit status:
  0 ok · 1 our defect, or the tool's error · 2 usage · 3 bad configuration · 4 unreachable or busy · 5 denied
  6 not found · 7 partial · 8 needs approval · 124 timed out · 130 interrupted`;

/** Adds the options every subcommand takes, so that they may stand before or after its name. */
export function withGlobalOptions(command: Command): Command {
  return command
    .option('--config <file>', 'read this configuration file, and no other')
    .option('--json', 'print data as JSON, and failures too')
    .addOption(new Option('--log-level <level>', 'how much to tell on stderr').choices(['debug', 'info', 'warn', 'error']))
    .option('--plugin <file>', 'load a plug-in; may be repeated', (file: string, files: string[] = []) => [...files, file]);
}

/**
 * The program with its subcommands.
 * @param only the one subcommand that is loaded; without it all are, for completion and documentation
 */
export async function buildProgram(only?: string): Promise<Command> {
  const program = withGlobalOptions(new Command('mcp-python'))
    .description('Safe hands for AI development tools on real machines: an MCP server that executes.')
    .version(VERSION, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_STATUSES);
  for (const { name, summary, load } of SUBCOMMANDS) {
    if (only !== undefined && only !== name) program.addCommand(new Command(name).summary(summary).description(summary));
    else program.addCommand(withGlobalOptions((await load()).define().name(name).summary(summary)));
  }
  leaveEndingToUs(program);
  return program;
}

/** Commander neither ends the process nor tells errors by itself. */
function leaveEndingToUs(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(leaveEndingToUs);
}

/**
 * Runs the subcommand that the words name.
 * @throws Failure `invalid_input` for words that make no sense, and whatever the subcommand fails with
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = await buildProgram(subcommandIn(args) ?? '');
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Asked for help or the version.
    if (thrown.exitCode === 0) return;
    throw usageFailure(thrown);
  }
}

function usageFailure({ code, message }: CommanderError): Failure {
  if (code === 'commander.help') return new Failure('invalid_input', 'Name a subcommand.');
  const [sentence = '', suggestion] = message.replace(/^error: /, '').split('\n');
  return new Failure('invalid_input', `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`.replace(/\.\.$/, '.'), {
    hint: suggestion?.replace(/^\((.*)\)$/, '$1') ?? 'See `mcp-python --help`, or --help after the subcommand.',
  });
}

/** The subcommand's name: the first word that is neither an option nor an option's value. */
function subcommandIn(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (WITH_VALUE.has(word)) index++;
    else if (!word.startsWith('-')) return word === 'help' ? args[index + 1] : word;
  }
  return undefined;
}
