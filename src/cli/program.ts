/** The command line: the table of subcommands, what they share, and how they end. */
import { Command, CommanderError, Option } from 'commander';
import { Failure, toFailure } from '../errors.ts';
import { VERSION } from '../version.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { tellFailure } from './output.ts';

/** Each subcommand is loaded when it is used, or when its help is asked for. */
const SUBCOMMANDS: readonly { readonly name: string; readonly summary: string; load(): Promise<{ define(): Command }> }[] = [
  { name: 'serve', summary: 'serve MCP over HTTP on this machine', load: () => import('./serve.ts') },
  {
    name: 'stdio',
    summary: 'serve MCP over standard input and output, for a client that starts us',
    load: () => import('./stdio.ts'),
  },
  { name: 'call', summary: 'run one tool from a shell', load: () => import('./call.ts') },
  { name: 'tools', summary: 'list the tools, or describe one', load: () => import('./tools.ts') },
  { name: 'config', summary: 'make, show and check the configuration', load: () => import('./config.ts') },
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

/** Adds the options every subcommand takes, so that they may stand before or after its name. */
export function withGlobalOptions(command: Command): Command {
  return command
    .option('--config <file>', 'read this configuration file, and no other')
    .option('--json', 'print data as JSON, and failures too')
    .addOption(new Option('--log-level <level>', 'how much to tell on stderr').choices(['debug', 'info', 'warn', 'error']))
    .option('--plugin <file>', 'load a plug-in; may be repeated', (file: string, files: string[] = []) => [...files, file]);
}

/** The whole program with all its subcommands, for completion and documentation. */
export async function buildProgram(only?: string): Promise<Command> {
  const program = withGlobalOptions(new Command('mcp-python'))
    .description('Safe hands for AI development tools on real machines: an MCP server that executes.')
    .version(VERSION, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  for (const { name, summary, load } of SUBCOMMANDS) {
    if (only !== undefined && only !== name) program.addCommand(new Command(name).summary(summary).description(summary));
    else program.addCommand(withGlobalOptions((await load()).define().name(name).summary(summary)));
  }
  program.commands.forEach(leaveExitToUs);
  leaveExitToUs(program);
  return program;
}

function leaveExitToUs(command: Command): void {
  command.exitOverride();
  command.commands.forEach(leaveExitToUs);
}

/** Runs the program and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  // The reader of a pipe went away (`| head`): nobody is left to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.defect));
  try {
    const program = await buildProgram(firstWord(args) ?? '');
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    process.exitCode = end(thrown, args.includes('--json'));
  }
}

function end(thrown: unknown, json: boolean): number {
  // Commander has printed its own message by then; help and version are not errors.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const failure = toFailure(thrown);
  tellFailure(failure, json);
  if (!(thrown instanceof Failure) && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
  return exitCodeOf(failure.code);
}

/** The subcommand's name: the first word that is neither an option nor an option's value. */
function firstWord(args: readonly string[]): string | undefined {
  const takesValue = new Set(['--config', '--log-level', '--plugin']);
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (takesValue.has(word)) index++;
    else if (!word.startsWith('-')) return word === 'help' ? args[index + 1] : word;
  }
  return undefined;
}
