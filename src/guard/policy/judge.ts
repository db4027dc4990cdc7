/** What the lists, the user's rules and the profile say to one program. */

import type { Effect } from '../programs/effect.ts';
import { refusalInScript } from '../refused-variables.ts';
import type { Word } from '../shell/script.ts';
import { type Finding, strictest } from './decision.ts';
import type { Places } from './places.ts';
import { type FoundProgram, isSameProgram, namesOf, type ProgramFinder } from './programs.ts';
import { findingsOfRules } from './rules.ts';
import { isStrict, type PolicySettings } from './settings.ts';
import { needsNoLeave, runsInShell } from './shell-builtins.ts';
import type { Unfolded } from './unfold.ts';

/** Who asks, as rules name it. */
export interface Asker {
  readonly tool: string;
  readonly backend: string;
  /** Name of the principal. */
  readonly principal: string;
}

/** What the script itself writes, so that what is in it is not known. */
type Written = Pick<Places, 'isWritten' | 'writesCode'>;

export interface Judge {
  findings(program: Unfolded, places: Written): readonly Finding[];
}

/** The programs that the lists and rules name are looked up here, once for all that is judged. */
export async function createJudge(
  settings: PolicySettings,
  asker: Asker,
  finder: ProgramFinder,
  where: { readonly cwd: string; readonly searchPath: string },
): Promise<Judge> {
  const { profile, allowed, blocked, rules } = settings;
  const strict = isStrict(settings);
  const entries = [...new Set([...allowed, ...blocked, ...rules.flatMap(({ command }) => (command ? [command] : []))])];
  const files = new Map<string, FoundProgram | undefined>();
  await Promise.all(
    entries.map(async (entry) => {
      files.set(entry, await finder.find(entry, where.cwd, where.searchPath));
    }),
  );

  /** For lists that forbid: the name alone is enough, and so is the file under another name. */
  function isMeant(entry: string, { name = '', found }: Unfolded): boolean {
    if (entry.includes('/') ? found?.path === entry || name === entry : namesOf(name, found).includes(entry)) return true;
    return found !== undefined && isSameProgram(found, files.get(entry));
  }

  /** A program that nothing is known of may run what it is given, as a word or in a script. */
  function isGiven(entry: string, { command }: Unfolded): boolean {
    return command.words.slice(1).some(({ value }) => {
      const programs = value?.split(/[;&|()`\n]+/).map((piece) => piece.trim().split(/\s/, 1)[0] ?? '') ?? [];
      return programs.some((each) => namesOf(each, undefined).includes(entry) || each === entry);
    });
  }

  /** For lists that allow: it must be the very file that the entry stands for; of a builtin the name. */
  function isLeave(entry: string, { name, found, builtin }: Unfolded): boolean {
    if (builtin) return name === entry;
    const file = files.get(entry);
    if (!found || !file) return false;
    return isSameProgram(found, file) || (found.path === file.path && found.realPath === file.realPath);
  }

  function ofLists(program: Unfolded): Finding | undefined {
    const { name, builtin, found } = program;
    if (name === undefined) return undefined;
    const against = blocked.find((entry) => isMeant(entry, program));
    if (against !== undefined) {
      const alias = namesOf(name, undefined).includes(against) ? '' : `${name} is ${against}, which `;
      return deny(`blocked_commands: ${against}`, `${alias || `${against} `}is blocked`);
    }
    const told = program.readings.length === 0 && !builtin ? blocked.find((entry) => isGiven(entry, program)) : undefined;
    if (told !== undefined)
      return deny(
        `blocked_commands: ${told}`,
        `${name} is given ${told} as an argument, and what it does with that is not known`,
      );
    if (allowed.length === 0 || (builtin && (needsNoLeave(name) || !runsInShell(name)))) return undefined;
    if (allowed.some((entry) => isLeave(entry, program))) return undefined;
    return deny('allowed_commands', found ? `${name} is not among the allowed commands` : `there is no ${name} that is allowed`);
  }

  function ofEnvironment({ command, readings }: Unfolded): Finding | undefined {
    if (profile === 'unrestricted' && !strict) return undefined;
    const set = readings.flatMap(({ effects }) => effects).filter((effect) => effect.kind === 'sets variable');
    for (const { name, value } of [...command.assignments, ...set]) {
      const refusal = refusalInScript(name, value.value, strict);
      if (refusal) return deny('environment', `the variable ${name} may not be set: ${refusal}`);
    }
    return undefined;
  }

  /** What cannot be known before it runs. */
  function ofUnknown(program: Unfolded, places: Written): Finding[] {
    const { command, name, found, readings } = program;
    const unknowns: Finding[] = [];
    const [first] = command.words;
    if (first && name === undefined)
      unknowns.push(deny('script', `which program ${shown(first)} is cannot be known before it runs`));
    if (strict && [...command.words, ...command.assignments.map(({ value }) => value)].some(isLatentSubscript))
      unknowns.push(
        deny('script', `${shownCommand(program)} holds an array subscript that would run a command if it were evaluated`),
      );
    for (const effect of readings.flatMap(({ effects }) => effects)) {
      const reason = unknownOf(effect, places);
      if (reason) unknowns.push(deny('script', `${name} ${reason}`));
    }
    if (name !== undefined && /^\/(?:proc|dev)\//.test(name))
      unknowns.push(deny('script', `${name} is no program but leads into a process or device`));
    if (strict && name?.includes('/') && (!found || places.isWritten(name)))
      unknowns.push(
        deny(
          'script',
          `${name} ${found ? 'is written by the same script' : 'does not exist yet'}, so what it is cannot be known`,
        ),
      );
    return unknowns;
  }

  /** End of a sentence that begins with the program's name. */
  function unknownOf(effect: Effect, places: Written): string | undefined {
    switch (effect.kind) {
      case 'runs script':
        return effect.script.value === undefined ? 'would run a script that cannot be known before it runs' : undefined;
      case 'runs code':
        return strict ? `would run ${effect.language} code (${effect.how}), and what that runs cannot be known` : undefined;
      case 'runs file':
        if (strict && /^(?:-|\/dev\/(?:fd|stdin).*|\/proc\/.*)$/.test(effect.path?.value ?? ''))
          return `would run what comes from ${effect.path?.source}`;
        if (strict && effect.path === undefined && places.writesCode)
          return 'would run code of the project, which the same script writes';
        return strict && effect.path?.value !== undefined && places.isWritten(effect.path.value)
          ? `would run ${effect.path.value}, which the same script writes`
          : undefined;
      case 'unknown':
        return strict ? effect.reason : undefined;
      default:
        return undefined;
    }
  }

  /** What the profile has against it; rules with verdict `allow` lift it. */
  function ofProfile({ name, builtin, found, readings }: Unfolded): Finding | undefined {
    if (profile === 'unrestricted' || name === undefined) return undefined;
    const rule = `profile ${profile}`;
    const controls = readings.some(
      (reading) => reading.class === 'controls' || reading.effects.some(({ kind }) => kind === 'controls'),
    );
    if (controls) return deny(rule, `${name} acts on the machine itself, or with other rights`);
    if (profile === 'developer') return undefined;
    if (readings.length === 0) {
      if (builtin) return undefined;
      return deny(rule, found ? `what ${name} does is not known` : `there is no ${name} here`);
    }
    if (readings.some((reading) => reading.class === 'writes')) return deny(rule, `${name} changes things`);
    for (const effect of readings.flatMap(({ effects }) => effects)) {
      const reason = changeOf(effect);
      if (reason) return deny(rule, `${name} ${reason}`);
    }
    return undefined;
  }

  return {
    findings(program, places) {
      const hard = [ofLists(program), ofEnvironment(program)].filter((each): each is Finding => each !== undefined);
      const own = findingsOfRules(rules, {
        ...asker,
        args: program.command.words.slice(1),
        isProgram: (entry) => (isLeave(entry, program) ? true : isMeant(entry, program)),
      });
      const lifted = own.length > 0 && strictest(own)?.verdict === 'allow';
      if (lifted) {
        // Leave given by a rule is leave enough; what is blocked stays blocked.
        return [...hard.filter(({ rule }) => rule !== 'allowed_commands'), ...own];
      }
      const profileFinding = ofProfile(program);
      const unknown = profile === 'unrestricted' && !strict ? [] : ofUnknown(program, places);
      return [...hard, ...own, ...unknown, ...(profileFinding ? [profileFinding] : [])];
    },
  };
}

function changeOf(effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'writes':
      return HARMLESS_TARGET.test(effect.path.value ?? '') ? undefined : 'would change a file';
    case 'connects':
      return 'would talk to another machine';
    case 'runs code':
      return `would run ${effect.language} code`;
    case 'runs file':
      return 'would run code from a file';
    case 'unknown':
      return effect.reason;
    default:
      return undefined;
  }
}

const HARMLESS_TARGET = /^\/dev\/(?:null|stdout|stderr|tty|fd\/\d+)$/;

function deny(rule: string, reason: string): Finding {
  return { verdict: 'deny', rule, reason };
}

/** Bash evaluates subscripts wherever it takes text for arithmetic: `x='a[$(date)]'; echo $((x))` runs date. */
function isLatentSubscript({ value }: Word): boolean {
  return value !== undefined && /\[[^\]]*(?:\$\(|`)/.test(value);
}

function shownCommand({ name, command }: Unfolded): string {
  return name ?? command.source.slice(0, 40);
}

function shown({ source }: Word): string {
  return source.length > 40 ? `${source.slice(0, 40)}…` : source;
}
