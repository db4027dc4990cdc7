/** Lays open everything a command would run: scripts inside scripts, programs run by programs. */
import type { Parser } from 'web-tree-sitter';
import type { Command } from '../../backends/backend.ts';
import type { ProgramReading } from '../programs/effect.ts';
import { readProgram } from '../programs/read-program.ts';
import { readScript } from '../shell/parse.ts';
import type { ParsedScript } from '../shell/reading.ts';
import { knownWord, type ScriptProblem, type SimpleCommand, type Word } from '../shell/script.ts';
import { baseName, type FoundProgram, namesOf, type ProgramFinder } from './programs.ts';
import { runsInShell } from './shell-builtins.ts';
import { dangerousArithmetic, possibleCommands } from './variables.ts';

/** One program that would run. */
export interface Unfolded {
  readonly command: SimpleCommand;
  /** What runs it, outermost first. */
  readonly within: readonly string[];
  /** Folders that what runs it says it works in (`env -C`, `make -C`), outermost first, each counting from the one before. */
  readonly bases: readonly Word[];
  /** Its redirections stand in the script for what runs it, and were opened before. */
  readonly inherits: boolean;
  /** Its name as called; undefined when it cannot be known, or when there is none (assignments, redirections). */
  readonly name: string | undefined;
  readonly found: FoundProgram | undefined;
  /** It is part of the shell, or a function of the script. */
  readonly builtin: boolean;
  /** What the table of programs knows of it under each of its names. */
  readonly readings: readonly ProgramReading[];
}

export interface Unfolding {
  readonly programs: readonly Unfolded[];
  readonly problems: readonly ScriptProblem[];
  /** Variables that are evaluated as arithmetic and could hold what runs a command then. */
  readonly evaluated: readonly string[];
  readonly shell?: 'sh' | 'bash';
}

export interface UnfoldContext {
  readonly cwd: string;
  /** Where programs are looked up: the value of PATH. */
  readonly searchPath: string;
  /** Variables that the command starts with. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the caller feeds to standard input. */
  readonly stdin?: string | undefined;
  /** Whether it will feed something that is not known yet. */
  readonly openInput?: boolean | undefined;
}

/** What runs a program or a script. */
type Runner = Pick<Unfolded, 'within' | 'bases'>;

const OUTERMOST: Runner = { within: [], bases: [] };

const MAX_PROGRAMS = 1000;
const MAX_LEVELS = 12;

export async function unfold(
  command: Command,
  { cwd, searchPath, environment, stdin, openInput = false }: UnfoldContext,
  parser: Parser,
  finder: ProgramFinder,
): Promise<Unfolding> {
  const programs: Unfolded[] = [];
  const problems: ScriptProblem[] = [];
  const scripts: ParsedScript[] = [];
  let bashOnly = false;

  function tooMany(source: string): boolean {
    if (programs.length < MAX_PROGRAMS) return false;
    problems.push({ reason: `it would run more than ${MAX_PROGRAMS} programs`, source: source.slice(0, 40) });
    return true;
  }

  async function openScript(text: string, { within, bases }: Runner, piped: boolean, input: string | undefined): Promise<void> {
    const script = readScript(parser, text);
    if (within.length === 0) bashOnly = script.bashOnly;
    problems.push(...script.problems);
    scripts.push(script);
    // Where `exec` exchanges the input, what reads a program from it reads another.
    const exchanged = script.commands.some(
      ({ words, redirections }) => words[0]?.value === 'exec' && redirections.some(({ operator }) => operator.startsWith('<')),
    );
    // What a script inside starts with is not known.
    const start = within.length === 0 ? environment : undefined;
    const commands = script.commands.flatMap((each) => (start && possibleCommands(each, script, start)) ?? [each]);
    // Looked up side by side: on another machine each look takes a round trip.
    const lookups = commands.map((each) => lookUp(each, script));
    for (const [index, each] of commands.entries()) {
      await openCommand(
        (piped || exchanged) && !each.piped ? { ...each, piped: true } : each,
        { within, bases, inherits: false },
        input,
        await lookups[index],
        script,
      );
    }
  }

  async function lookUp({ words }: SimpleCommand, script: ParsedScript | undefined): Promise<FoundProgram | undefined> {
    const name = words[0]?.value;
    if (name === undefined || name === '' || (script && runsInShell(name))) return undefined;
    return finder.find(name, cwd, searchPath);
  }

  async function openCommand(
    simple: SimpleCommand,
    { within, bases, inherits }: Runner & Pick<Unfolded, 'inherits'>,
    input: string | undefined,
    found: FoundProgram | undefined,
    script: ParsedScript | undefined,
  ): Promise<void> {
    if (tooMany(simple.source)) return;
    const [first, ...args] = simple.words;
    const name = first?.value;
    const builtin = name !== undefined && script !== undefined && (runsInShell(name) || (script.functions.has(name) && !found));
    const isFunction = name !== undefined && script?.functions.has(name) === true;
    const readings: ProgramReading[] = [];
    if (name !== undefined && !(isFunction && !found)) {
      const context = standardInput(simple, input);
      for (const each of namesOf(name, found)) {
        const reading = readProgram(each, args, { ...context, calledAs: baseName(name) });
        if (reading) readings.push(reading);
      }
    }
    programs.push({ command: simple, within, bases, inherits, name, found, builtin, readings });
    if (within.length >= MAX_LEVELS) {
      problems.push({ reason: `programs run programs more than ${MAX_LEVELS} levels deep`, source: simple.source });
      return;
    }
    for (const { effects } of readings) {
      const inner: Runner = { within: [...within, label(simple)], bases: [...bases, ...foldersOf(name, effects)] };
      for (const effect of effects) {
        if (effect.kind === 'runs') {
          const runner = effect.folder ? { ...inner, bases: [...inner.bases, effect.folder] } : inner;
          const command: SimpleCommand = {
            words: effect.argv,
            assignments: [],
            redirections: simple.redirections,
            piped: simple.piped || effect.fed === true,
            source: effect.argv
              .map(({ source }) => source)
              .join(' ')
              .slice(0, 500),
          };
          await openCommand(command, { ...runner, inherits: true }, input, await lookUp(command, undefined), undefined);
        } else if (effect.kind === 'runs script' && effect.script.value !== undefined) {
          await openScript(effect.script.value, inner, effect.fed ?? standardInput(simple, input).piped, undefined);
        }
      }
    }
  }

  if (command.kind === 'script') await openScript(command.script, OUTERMOST, openInput, stdin);
  else {
    const words = command.argv.map(knownWord);
    const simple: SimpleCommand = {
      words,
      assignments: [],
      redirections: [],
      piped: openInput,
      source: command.argv.join(' ').slice(0, 500),
    };
    await openCommand(simple, { ...OUTERMOST, inherits: false }, stdin, await lookUp(simple, undefined), undefined);
  }
  const evaluated = evaluatedNames(scripts, programs, environment);
  return { programs, problems, evaluated, ...(command.kind === 'script' && { shell: bashOnly ? 'bash' : 'sh' }) };
}

/** Scripts inside others get their variables. */
function evaluatedNames(
  scripts: readonly ParsedScript[],
  programs: readonly Unfolded[],
  environment: Readonly<Record<string, string>>,
): readonly string[] {
  const effects = programs.flatMap(({ readings }) => readings.flatMap((reading) => reading.effects));
  return dangerousArithmetic({
    evaluated: new Set(scripts.flatMap((script) => [...script.evaluated])),
    functions: new Set(scripts.flatMap((script) => [...script.functions])),
    commands: scripts.flatMap((script) => script.commands),
    set: effects.filter((effect) => effect.kind === 'sets variable'),
    environment,
    nested: scripts.length > 1,
  });
}

/** Where a program has what it runs work; the shell's own folder is told by the script. */
function foldersOf(name: string | undefined, effects: ProgramReading['effects']): readonly Word[] {
  if (name === 'cd' || name === 'pushd') return [];
  return effects.flatMap((effect) => (effect.kind === 'works in' ? [effect.path] : []));
}

/** What a program that reads a program from its standard input would get. */
function standardInput(
  { piped, redirections }: SimpleCommand,
  input: string | undefined,
): { piped: boolean; stdin?: string | undefined } {
  const redirected = redirections.findLast(({ operator }) => operator.startsWith('<') && operator !== '<&');
  if (redirected) return redirected.text === undefined ? { piped: true } : { piped: true, stdin: redirected.text };
  if (piped || redirections.some(({ operator }) => operator === '<&')) return { piped: true };
  return input === undefined ? { piped: false } : { piped: true, stdin: input };
}

/** The beginning of a command, for telling what runs another one. */
function label({ words }: SimpleCommand): string {
  return words
    .slice(0, 2)
    .map(({ value, source }: Word) => value ?? source)
    .join(' ')
    .slice(0, 60);
}
