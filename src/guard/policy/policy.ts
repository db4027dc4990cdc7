/**
 * The command policy: every program that a command would run is found in its parsed script and judged by itself; the
 * strictest verdict is the command's. It fails closed: what it cannot read it does not allow.
 */
import type { Command } from '../../backends/backend.ts';
import { shellParser } from '../shell/grammar.ts';
import type { ScriptProblem, Word } from '../shell/script.ts';
import { type DecidedCommand, type Decision, type Finding, strictest } from './decision.ts';
import { type Asker, createJudge, type Judge } from './judge.ts';
import { createPlaces, type FileUse, isConnection, type Places, redirectedUse } from './places.ts';
import type { ProgramFinder } from './programs.ts';
import { isStrict, type PolicySettings } from './settings.ts';
import { type Unfolded, unfold } from './unfold.ts';

export interface PolicyRequest extends Asker {
  readonly command: Command;
  /** Absolute working directory. */
  readonly cwd: string;
  /** Home directory of the user that commands run as. */
  readonly home: string;
  /** Value of PATH that the command starts with. */
  readonly searchPath: string;
  /** All the variables that it starts with. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the caller feeds to standard input. */
  readonly stdin?: string | undefined;
  /** Whether it will feed something that is not known yet. */
  readonly openInput?: boolean | undefined;
  /** Whether it runs in a terminal. */
  readonly terminal?: boolean | undefined;
}

export interface PolicyPorts {
  readonly finder: ProgramFinder;
  /** Why an absolute path may not be used so; undefined when it may. */
  objection(path: string, use: FileUse): Promise<string | undefined>;
}

/** Decides; never throws for anything a command holds. */
export async function decide(settings: PolicySettings, request: PolicyRequest, ports: PolicyPorts): Promise<Decision> {
  const [parser, judge] = await Promise.all([shellParser(), createJudge(settings, request, ports.finder, request)]);
  const { programs, problems, evaluated, shell } = await unfold(request.command, request, parser, ports.finder);
  const places = createPlaces(programs, {
    cwd: request.cwd,
    home: request.home,
    refuseUnknown: (isStrict(settings) || settings.pathsRestricted) && !settings.sandboxed,
    objection: ports.objection,
  });
  const ambiguous = isStrict(settings) ? await ambiguousNames(programs, places, ports.finder) : [];
  const commands = await Promise.all(programs.map((program) => decideOne(program, judge, places, settings)));
  const free = settings.profile === 'unrestricted' && !isStrict(settings);
  const [problem] = free
    ? []
    : [...problems, ...(isStrict(settings) ? [...evaluated.map(unevaluable), ...typed(request)] : []), ...ambiguous];
  const findings: Finding[] = problem
    ? [{ verdict: 'deny', rule: 'script', reason: `${problem.reason}: ${problem.source.trim().slice(0, 80)}` }, ...commands]
    : commands;
  const { verdict, rule, reason } = strictest(findings) ?? ALLOWED;
  return { verdict, rule, reason, commands, ...(shell && { shell }) };
}

/** In a terminal pagers, editors and debuggers run what is typed, those too that other programs start. */
function typed({ terminal, openInput }: PolicyRequest): ScriptProblem[] {
  return terminal && openInput ? [{ reason: 'what is typed into its terminal cannot be known before', source: 'pty' }] : [];
}

function unevaluable(name: string): ScriptProblem {
  return { reason: 'the variable is evaluated as arithmetic, and what it holds is not known', source: name };
}

/** Relative names of programs that stand for another file in one of the folders that the script may be in. */
async function ambiguousNames(programs: readonly Unfolded[], places: Places, finder: ProgramFinder): Promise<ScriptProblem[]> {
  const problems = await Promise.all(
    programs.map(async ({ name, found, bases, builtin }): Promise<ScriptProblem[]> => {
      if (builtin || !name?.includes('/') || name.startsWith('/')) return [];
      const possible = places.possible(name, bases) ?? [];
      const files = await Promise.all(possible.map((path) => finder.find(path, '/', '')));
      const others = files.filter((file) => file !== undefined && file.realPath !== found?.realPath);
      if (possible.length > 0 && others.length === 0) return [];
      return [{ reason: 'which program a name stands for depends on the folder that it is run in', source: name }];
    }),
  );
  return problems.flat();
}

const ALLOWED: Finding = { verdict: 'allow', rule: 'default', reason: 'nothing speaks against it' };

async function decideOne(program: Unfolded, judge: Judge, places: Places, settings: PolicySettings): Promise<DecidedCommand> {
  const { command, found, within } = program;
  const findings = [
    ...judge.findings(program, places),
    ...ofRedirections(program, settings),
    ...(await places.findings(program)),
  ];
  const { verdict, rule, reason } = strictest(findings) ?? { ...ALLOWED, rule: `profile ${settings.profile}` };
  return {
    source: command.source,
    words: command.words.map(shown),
    ...(found && { program: found.realPath }),
    within,
    verdict,
    rule,
    reason,
  };
}

/** The profile's word on redirections: to look is not to write, and a connection is no file. */
function ofRedirections({ command }: Unfolded, { profile }: PolicySettings): Finding[] {
  if (profile === 'unrestricted') return [];
  const rule = `profile ${profile}`;
  return command.redirections.flatMap((redirection): Finding[] => {
    const target = redirection.target?.source ?? '';
    if (isConnection(redirection)) return [{ verdict: 'deny', rule, reason: `${target} would open a connection` }];
    const writes = redirectedUse(redirection) === 'write' && !/^\/dev\/(?:null|stdout|stderr|tty)$/.test(target);
    return profile === 'read-only' && writes ? [{ verdict: 'deny', rule, reason: `it would write to ${target}` }] : [];
  });
}

function shown({ value }: Word): string {
  return value ?? '?';
}
