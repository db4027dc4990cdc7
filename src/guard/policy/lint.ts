/** Looks for what a policy does not do although it seems to. */
import type { Backend } from '../../backends/backend.ts';
import type { Config } from '../../config/schema.ts';
import { readProgram } from '../programs/read-program.ts';
import { knownWord } from '../shell/script.ts';
import { baseName, createProgramFinder, isMultiCall } from './programs.ts';
import { runsInShell } from './shell-builtins.ts';

export interface PolicyProblem {
  /** Dotted configuration key. */
  readonly key: string;
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}

export async function lintPolicy(
  config: Config,
  backend: Pick<Backend, 'which' | 'files' | 'enforcement'>,
): Promise<readonly PolicyProblem[]> {
  const { security } = config.execution;
  const { allowed_commands: allowed, blocked_commands: blocked, rules } = security;
  const problems: PolicyProblem[] = [];
  const add = (key: string, message: string, hint: string) => problems.push({ key: `execution.security.${key}`, message, hint });
  const finder = createProgramFinder(backend);
  const find = (entry: string) => finder.find(entry, '/', process.env.PATH ?? '');

  if (!security.command_validation) add('command_validation', 'Commands are not validated at all.', 'Set it to true.');
  if (security.profile === 'unrestricted' && allowed.length === 0 && blocked.length === 0)
    add('profile', 'No command is refused.', 'Choose `developer`, or name programs in `allowed_commands`.');
  const { sandbox, notEnforced } = await backend.enforcement();
  if (security.sandbox === 'off')
    add('sandbox', 'Commands run with all the rights of mcp-python.', 'Set it to `auto` or `required`.');
  else if (sandbox === undefined)
    add('sandbox', `There is no sandbox here: ${notEnforced.join(', ')}.`, 'Install bubblewrap, see `mcp-python doctor`.');

  for (const entry of blocked) {
    if (/\s/.test(entry))
      add('blocked_commands', `"${entry}" is no program but a whole command.`, 'Use `rules` with `arguments`.');
    else if (!runsInShell(entry) && !(await find(entry)))
      add('blocked_commands', `There is no program "${entry}" here: only the name is blocked.`, 'Check its spelling.');
    if (allowed.includes(entry)) add('blocked_commands', `"${entry}" is both allowed and blocked: it is blocked.`, 'Remove one.');
  }
  for (const entry of allowed) {
    const found = await find(entry);
    if (/\s/.test(entry))
      add('allowed_commands', `"${entry}" is no program but a whole command.`, 'Use `rules` with `arguments`.');
    else if (!found && !runsInShell(entry))
      add('allowed_commands', `There is no program "${entry}" here, so it allows nothing.`, 'Check its spelling.');
    else if (found && isMultiCall(found))
      add(
        'allowed_commands',
        `"${entry}" is ${baseName(found.realPath)}, which is many programs in one file.`,
        'Use a `rules` entry by name.',
      );
    else if (runsAnything(entry))
      add(
        'allowed_commands',
        `"${entry}" runs code from files: what that does, only the sandbox bounds.`,
        'Set `sandbox` to `required`.',
      );
  }
  for (const [index, rule] of rules.entries()) {
    const key = `rules[${index}]`;
    const { verdict, command } = rule;
    if (Object.keys(rule).every((name) => name === 'verdict' || name === 'reason') && verdict === 'allow')
      add(key, 'It allows everything to everybody.', 'Name a command, tool, backend or principal.');
    if (command && !runsInShell(command) && !(await find(command)))
      add(key, `There is no program "${command}" here.`, 'Check its spelling.');
    if (command && verdict === 'allow' && blocked.includes(command))
      add(key, `"${command}" is blocked, so this rule does nothing.`, 'Remove one.');
    const other = rules.findIndex(
      (each, at) => at < index && JSON.stringify({ ...each, reason: '' }) === JSON.stringify({ ...rule, reason: '' }),
    );
    if (other !== -1) add(key, `It says the same as rules[${other}].`, 'Remove it.');
  }
  return problems;
}

/** Whether the program exists to run code that its arguments or files hold. */
function runsAnything(entry: string): boolean {
  const reading = readProgram(baseName(entry), [knownWord('file')], { piped: false });
  return reading?.effects.some(({ kind }) => kind === 'runs file' || kind === 'runs code') === true;
}
