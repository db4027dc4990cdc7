/** Says in words what the table of programs reads from a command line. */
import type { Effect } from '../../../src/guard/programs/effect.ts';
import { readProgram } from '../../../src/guard/programs/read-program.ts';
import { parseScript } from '../../../src/guard/shell/parse.ts';
import type { SimpleCommand, Word } from '../../../src/guard/shell/script.ts';

const shown = ({ value }: Word) => value ?? '?';

function said(effect: Effect): string {
  switch (effect.kind) {
    case 'runs':
      return `runs ${effect.argv.map(shown).join(' ')}`;
    case 'runs script':
      return `script ${shown(effect.script)}`;
    case 'runs code':
      return `code ${effect.language}`;
    case 'runs file':
      return effect.path ? `file ${shown(effect.path)}` : 'project';
    case 'sets variable':
      return `sets ${effect.name}=${shown(effect.value)}`;
    case 'connects':
      return effect.host ? `connects ${shown(effect.host)}` : 'connects';
    case 'reads':
    case 'writes':
    case 'works in':
      return `${effect.kind} ${shown(effect.path)}`;
    case 'controls':
    case 'unknown':
      return effect.kind;
  }
}

/**
 * Effects of the last command of a script, each once: `runs rm x`, `script rm x`, `code Python`, `file x.py`, `project`,
 * `reads f`, `writes f`, `works in d`, `sets X=1`, `connects host`, `controls`, `unknown`; `?` for what is not known.
 * Undefined for a program that the table does not know.
 */
export async function effectsOf(script: string): Promise<string[] | undefined> {
  const command = await lastCommand(script);
  const [program, ...args] = command.words;
  const input = command.redirections.find(({ operator }) => operator.startsWith('<'));
  const context = { piped: command.piped || input !== undefined, stdin: input?.text };
  const reading = readProgram(program?.value ?? '', args, context);
  if (!reading) return undefined;
  return [...new Set([...reading.effects.map(said), ...(reading.class === 'controls' ? ['controls'] : [])])];
}

async function lastCommand(script: string): Promise<SimpleCommand> {
  const { commands } = await parseScript(script);
  const command = commands.findLast(({ words }) => words.length > 0);
  if (!command) throw new Error(`There is no command in ${script}`);
  return command;
}
