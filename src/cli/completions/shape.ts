/** The command line as completion scripts need it: read off the program itself, so that nothing is listed twice. */
import type { Argument, Command, Option } from 'commander';
import { configKeys } from '../../config/keys.ts';
import { describeTool } from '../../protocol/tool-description.ts';
import { BUILT_IN_TOOLS } from '../../tools/table.ts';
import { buildProgram } from '../program.ts';

/** What a word may be. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Names of tools, those of plug-ins too: asked when they are needed. */
  | { readonly kind: 'tools' }
  /** key=value words of the tool before it. */
  | { readonly kind: 'tool arguments' }
  | { readonly kind: 'files' }
  | { readonly kind: 'anything' };

export interface OptionShape {
  /** `--config`, or `-V` and `--version`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly repeatable: boolean;
  /** What it is without being given. */
  readonly initial?: string;
  /** Absent for an option without a value. */
  readonly value?: Values & { readonly name: string };
}

export interface ArgumentShape {
  readonly name: string;
  readonly description: string;
  readonly values: Values;
  readonly variadic: boolean;
}

export interface CommandShape {
  /** Words that lead to it, empty for the program. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly OptionShape[];
  readonly arguments: readonly ArgumentShape[];
  readonly subcommands: readonly CommandShape[];
}

export interface ProgramShape {
  readonly root: CommandShape;
  /** Every command, the program first. */
  readonly commands: readonly CommandShape[];
  /** Built-in tools with the names of their arguments. */
  readonly tools: ReadonlyMap<string, readonly string[]>;
}

export async function programShape(): Promise<ProgramShape> {
  const root = commandShape(await buildProgram(), [], []);
  const tools = await Promise.all(BUILT_IN_TOOLS.map(async ({ name, load }) => [name, argumentNames(await load())] as const));
  return { root, commands: flat(root), tools: new Map(tools) };
}

/** Flags that take a value, in any command: a word after one is no argument. */
export function flagsWithValue({ commands }: ProgramShape): readonly string[] {
  const flags = commands.flatMap(({ options }) => options.filter(({ value }) => value).flatMap((option) => option.flags));
  return [...new Set(flags)];
}

function argumentNames(tool: Parameters<typeof describeTool>[0]): readonly string[] {
  return Object.keys((describeTool(tool).inputSchema as { properties?: object }).properties ?? {});
}

function flat(command: CommandShape): CommandShape[] {
  return [command, ...command.subcommands.flatMap(flat)];
}

function commandShape(command: Command, path: readonly string[], inherited: readonly OptionShape[]): CommandShape {
  const help = command.createHelp();
  const own = help.visibleOptions(command).map(optionShape);
  const names = new Set(own.flatMap(({ flags }) => flags));
  // The program's options are on each subcommand too; a subcommand's are below it.
  const options = [...own, ...(path.length > 1 ? inherited.filter(({ flags }) => flags.every((flag) => !names.has(flag))) : [])];
  return {
    path,
    summary: command.summary() || command.description(),
    options,
    arguments: command.registeredArguments.map((argument) => argumentShape(argument, path)),
    subcommands: help
      .visibleCommands(command)
      .filter((each) => each.name() !== 'help')
      .map((each) => commandShape(each, [...path, each.name()], options)),
  };
}

function optionShape(option: Option): OptionShape {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const value = /<([^>]+)>/.exec(option.flags)?.[1];
  const repeatable = option.description.includes('may be repeated');
  const initial = option.defaultValue;
  const shape = { flags, description: option.description, repeatable, ...(typeof initial === 'string' && { initial }) };
  return value === undefined ? shape : { ...shape, value: { name: value, ...valuesOf(value, option.argChoices) } };
}

function argumentShape(argument: Argument, path: readonly string[]): ArgumentShape {
  const name = argument.name();
  const values = path[0] === 'tools' && name === 'name' ? { kind: 'tools' as const } : valuesOf(name, argument.argChoices);
  return { name, description: argument.description, values, variadic: argument.variadic };
}

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices) return { kind: 'words', words: choices };
  if (name === 'file') return { kind: 'files' };
  if (name === 'tool') return { kind: 'tools' };
  if (name === 'arguments') return { kind: 'tool arguments' };
  if (name === 'key') return { kind: 'words', words: configKeys().map(({ key }) => key) };
  return { kind: 'anything' };
}
