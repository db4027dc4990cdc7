import { Command } from 'commander';
import type { Command as BackendCommand } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import type { DecidedCommand, Decision, Verdict } from '../guard/policy/decision.ts';
import type { PolicyProblem } from '../guard/policy/lint.ts';
import { safeText } from '../guard/text.ts';
import { LOCAL_PRINCIPAL } from '../identity/principal.ts';
import { EXIT } from './exit-codes.ts';
import { printData, printJson, table } from './output.ts';
import { runtimeFor, wantsJson } from './session.ts';

interface TestOptions {
  readonly backend?: string;
  readonly as: string;
  readonly tool: string;
  readonly workingDirectory?: string;
  readonly stdin?: string;
}

export function define(): Command {
  const policy = new Command('policy').description(
    'Ask the command policy: what it says to a command, what holds, and what is odd in it.',
  );
  policy
    .command('test')
    .description('print the parsed command, the verdict on each program it would run, and the rule; nothing is run')
    .argument('<command...>', 'one word: a script for the shell; several: a program and its arguments')
    .option('--backend <name>', 'where it would run (default: execution.mode)')
    .option('--as <principal>', 'who would ask: local, or the name of an API key', LOCAL_PRINCIPAL.name)
    .option('--tool <name>', 'the tool it would come through', 'execute_command')
    .option('--working-directory <folder>', 'where it would work (default: the workspace)')
    .option('--stdin <text>', 'what it would be fed on standard input')
    .addHelpText('after', '\nExit status: 0 allowed · 5 denied · 8 needs approval.')
    .action(test);
  policy
    .command('explain')
    .description('print what holds for commands; for a program, what is understood of its arguments')
    .argument('[program]', 'a program, `find`')
    .action(explain);
  policy
    .command('lint')
    .description('look for what is odd in the policy: names that match nothing, lists that give more away than they seem to')
    .addHelpText('after', '\nExit status: 0 nothing odd · 7 something is.')
    .action(lint);
  return policy;
}

const EXIT_OF: Readonly<Record<Verdict, number>> = { allow: EXIT.ok, ask: EXIT.needsApproval, deny: EXIT.denied };

async function test(words: readonly string[], options: TestOptions, command: Command): Promise<void> {
  await using runtime = await runtimeFor(command);
  const machine = await runtime.machine(options.backend);
  const backend = await runtime.backend(options.backend);
  const decision = await machine.decide(
    {
      command: commandOf(words),
      cwd: backend.absolute(options.workingDirectory ?? '.'),
      ...(options.stdin !== undefined && { stdin: new TextEncoder().encode(options.stdin) }),
    },
    { tool: options.tool, principal: { ...LOCAL_PRINCIPAL, name: options.as } },
  );
  await (wantsJson(command) ? printJson(decision) : printData(page(decision)));
  process.exitCode = EXIT_OF[decision.verdict];
}

function commandOf([first = '', ...rest]: readonly string[]): BackendCommand {
  return rest.length === 0 ? { kind: 'script', script: first } : { kind: 'argv', argv: [first, ...rest] };
}

function page(decision: Decision): string {
  const { verdict, rule, reason, commands, shell } = decision;
  const head = `${verdict}: ${safeText(reason)} (${rule})`;
  const rows = commands.map((each) => [each.verdict, shown(each), each.program ?? '', because(each)]);
  const by = shell === 'bash' ? ['', 'Run by bash: other shells read it differently.'] : [];
  return [head, ...(rows.length > 0 ? ['', table(rows)] : []), ...by].join('\n');
}

const MAX_SHOWN = 60;

function shown({ words, within, source }: DecidedCommand): string {
  const text = safeText(words.length > 0 ? words.join(' ') : source).replaceAll('\n', '⏎');
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `${'  '.repeat(within.length)}${cut}`;
}

function because({ verdict, rule, reason }: DecidedCommand): string {
  return verdict === 'allow' ? rule : `${rule}: ${safeText(reason)}`;
}

async function explain(program: string | undefined, _: unknown, command: Command): Promise<void> {
  const json = wantsJson(command);
  if (program !== undefined) {
    const { describeProgram } = await import('../guard/programs/read-program.ts');
    const described = describeProgram(program);
    if (described === undefined) {
      throw new Failure('not_found', `Nothing is known of ${program}: its arguments are not looked into.`, {
        hint: 'The lists and rules of `execution.security` hold for it all the same; profile read-only refuses it.',
      });
    }
    await (json ? printJson({ program, description: described }) : printData(`${program}: ${described}`));
    return;
  }
  await using runtime = await runtimeFor(command);
  const { explainPolicy } = await import('../guard/policy/explain.ts');
  const enforcement = await (await runtime.backend()).enforcement();
  const facts = explainPolicy(runtime.config, enforcement);
  await (json ? printJson(Object.fromEntries(facts)) : printData(table(facts.map(([what, said]) => [what, said]))));
}

async function lint(_: unknown, command: Command): Promise<void> {
  await using runtime = await runtimeFor(command);
  const { lintPolicy } = await import('../guard/policy/lint.ts');
  const backend = await runtime.backend();
  const problems = await lintPolicy(runtime.config, backend);
  await (wantsJson(command)
    ? printJson({ problems })
    : printData(problems.length > 0 ? table(problems.map(row)) : 'Nothing odd.'));
  process.exitCode = problems.length > 0 ? EXIT.partial : EXIT.ok;
}

function row({ key, message, hint }: PolicyProblem): string[] {
  return [key, `${message} ${hint}`];
}
