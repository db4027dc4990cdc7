/** The files a command names, as far as they are known, and whether they may be read and written. */
import { normalPath } from '../normal-path.ts';
import { knownWord, type Redirection, type Word } from '../shell/script.ts';
import type { Finding } from './decision.ts';
import type { Unfolded } from './unfold.ts';

export type FileUse = 'read' | 'write' | 'work in';

interface NamedFile {
  readonly use: FileUse;
  readonly path: Word;
  /** Folders that what runs the command works in (`env -C`), outermost first: it may be there, or stay where it was. */
  readonly bases: readonly Word[];
  /** Folder the command works in by an option of its own (`git -C`), relative to the shell's. */
  readonly base: Word | undefined;
}

/** Files that every process has, or that nothing is kept in. */
const HARMLESS_DEVICES = /^\/dev\/(?:null|zero|full|random|urandom|tty|stdin|stdout|stderr|fd\/\d+)$/;
/** What is written there git runs, or obeys, the next time it is used. */
const GIT_RUNS = /\/\.git\/(?:hooks(?:\/|$)|config(?:\.worktree)?$|info\/attributes$|modules\/.*\/(?:hooks|config))/i;
/** Not files: Bash opens connections for them. */
const NETWORK_DEVICES = /^\/dev\/(?:tcp|udp)\//;

export interface Places {
  /** What speaks against the files that this command names. */
  findings(program: Unfolded): Promise<Finding[]>;
  /** Whether the script itself writes the file, so that what is in it is not known. */
  isWritten(path: string): boolean;
  /** Where the relative name of a program may lead; undefined when that cannot be known. */
  possible(name: string, bases: readonly Word[]): readonly string[] | undefined;
  /** Whether the script writes a file of the kind that programs run by themselves: a Makefile, a module, a package.json. */
  readonly writesCode: boolean;
}

const CODE =
  /(?:^|\/)(?:[Mm]akefile|GNUmakefile|package\.json|CMakeLists\.txt|Rakefile|Gemfile|[Jj]ustfile|Dockerfile|\.npmrc|conftest\.py|[^/]*\.(?:py|pth|[mc]?[jt]s|jsx|tsx|rb|mk|cmake|gradle|kts|lua|pl|pm|php|sh|awk|el|r|go|rs|c|cc|cpp|h|java|toml|cfg|ini|ya?ml))$|\*$/;

export interface PlaceRules {
  readonly cwd: string;
  readonly home: string;
  /** Refuse to write where the name is not known. */
  readonly refuseUnknown: boolean;
  /** Why an absolute path may not be used so; undefined when it may. */
  objection(path: string, use: FileUse): Promise<string | undefined>;
}

/** More than any script goes through that is written by hand. */
const MAX_FOLDERS = 200;

/** They change files and not what is in them. */
const LEAVES_CONTENT = new Set(['chmod', 'chown', 'chgrp', 'touch', 'mkdir', 'rm', 'rmdir']);

export function createPlaces(programs: readonly Unfolded[], rules: PlaceRules): Places {
  const { cwd, home, refuseUnknown, objection } = rules;
  const folders = workingFolders();
  const asked = new Map<string, Promise<string | undefined>>();
  let writesUnknown = false;
  const written = new Set<string>();
  for (const program of programs) {
    for (const file of namedFiles(program)) {
      if (file.use !== 'write' || LEAVES_CONTENT.has(program.name ?? '')) continue;
      const paths = absolutes(file);
      if (paths) for (const each of paths) written.add(each);
      else writesUnknown = true;
    }
  }

  function ask(path: string, use: FileUse): Promise<string | undefined> {
    const key = `${use} ${path}`;
    const known = asked.get(key);
    if (known) return known;
    const answer = objection(path, use);
    asked.set(key, answer);
    return answer;
  }

  /** Every folder the script may be in, for `cd` may or may not have worked; undefined when that cannot be known. */
  function workingFolders(): readonly string[] | undefined {
    const reached = new Set([cwd]);
    const setsOldFolder = programs.some(({ command }) =>
      command.assignments.some(({ name }) => name === 'OLDPWD' || name === 'CDPATH'),
    );
    for (const { name, readings, bases } of programs) {
      if (name !== 'cd' && name !== 'pushd') continue;
      for (const effect of readings.flatMap(({ effects }) => effects)) {
        if (effect.kind !== 'works in') continue;
        const target = plainPath(effect.path, home);
        if (target === undefined) return undefined;
        // The folder before, which was reached already unless somebody has said otherwise.
        if (target === '-') {
          if (setsOldFolder) return undefined;
          continue;
        }
        const from = inBases([...reached], bases);
        if (!from) return undefined;
        for (const each of from) reached.add(below(each, target));
        if (reached.size > MAX_FOLDERS) return undefined;
      }
    }
    return [...reached];
  }

  /** Where a word may lead; undefined when that cannot be known. */
  function absolutes({ path, base, bases }: Omit<NamedFile, 'use'>): readonly string[] | undefined {
    const known = plainPath(path, home);
    if (known === undefined) return undefined;
    if (known.startsWith('/')) return [normalPath(known)];
    const folder = base ? plainPath(base, home) : '.';
    if (folder === undefined) return undefined;
    if (folder.startsWith('/')) return [below(folder, known)];
    const from = folders && inBases(folders, bases);
    return from && [...new Set(from.map((each) => below(each, `${folder}/${known}`)))];
  }

  /** The folders, and those that the bases lead to from them: whether a runner goes there, its options do not always tell. */
  function inBases(from: readonly string[], bases: readonly Word[]): readonly string[] | undefined {
    let all = from;
    for (const base of bases) {
      const folder = plainPath(base, home);
      if (folder === undefined) return undefined;
      all = [...new Set([...all, ...all.map((each) => below(each, folder))])];
      if (all.length > MAX_FOLDERS) return undefined;
    }
    return all;
  }

  async function judge(file: NamedFile): Promise<Finding | undefined> {
    const { use, path } = file;
    const paths = absolutes(file);
    if (!paths) {
      if (use !== 'write' || !refuseUnknown) return undefined;
      return { verdict: 'deny', rule: 'paths', reason: `where ${path.source} leads cannot be known before it runs` };
    }
    for (const each of paths) {
      if (HARMLESS_DEVICES.test(each)) continue;
      if (use === 'write' && GIT_RUNS.test(each))
        return { verdict: 'deny', rule: 'paths', reason: `${each} is where git looks for what it runs` };
      const reason = await ask(each, use);
      if (reason) return { verdict: 'deny', rule: 'paths', reason };
    }
    return undefined;
  }

  return {
    async findings(program) {
      const judged = await Promise.all(namedFiles(program).map(judge));
      return judged.filter((each): each is Finding => each !== undefined);
    },
    isWritten(path) {
      if (writesUnknown) return true;
      const asked = normalPath(path.startsWith('/') ? path : `${cwd}/${path}`);
      // Also by a folder above it that is moved, a file in it when it is a folder, or `*` for anything in one.
      return [...written].some((each) => {
        const folder = each.replace(/\/\*$/, '');
        return asked === each || asked.startsWith(`${folder}/`) || each.startsWith(`${asked}/`);
      });
    },
    possible: (name, bases) => absolutes({ path: knownWord(name), base: undefined, bases }),
    writesCode: writesUnknown || [...written].some((each) => CODE.test(each)),
  };
}

/** Files in redirections and, as the table of programs tells, in arguments. */
function namedFiles({ name, command, readings, bases, inherits }: Unfolded): NamedFile[] {
  const effects = readings.flatMap((reading) => reading.effects);
  const isShells = name === 'cd' || name === 'pushd';
  const base = isShells ? undefined : effects.find((effect) => effect.kind === 'works in')?.path;
  const files: NamedFile[] = [];
  for (const redirection of inherits ? [] : command.redirections) {
    const use = redirectedUse(redirection);
    if (use && redirection.target) files.push({ use, path: redirection.target, base: undefined, bases });
  }
  for (const effect of effects) {
    if (effect.kind === 'reads') files.push({ use: 'read', path: effect.path, base, bases });
    else if (effect.kind === 'writes') files.push({ use: 'write', path: effect.path, base, bases });
    else if (effect.kind === 'works in') files.push({ use: 'work in', path: effect.path, base: undefined, bases });
    else if (effect.kind === 'runs file' && effect.path) files.push({ use: 'read', path: effect.path, base, bases });
  }
  return files;
}

/** Whether a redirection reads or writes a file; undefined when it joins descriptors or holds its text. */
export function redirectedUse({ operator, target }: Redirection): FileUse | undefined {
  if (operator.startsWith('<<') || target === undefined) return undefined;
  if (operator.endsWith('&')) {
    const joins = target.value !== undefined && /^(?:\d+-?|-)$/.test(target.value);
    if (joins) return undefined;
    return operator === '<&' ? 'read' : 'write';
  }
  return operator === '<' ? 'read' : 'write';
}

/** Whether the word is one of Bash's names for a connection. */
export function isConnection({ target }: Redirection): boolean {
  return target?.value !== undefined && NETWORK_DEVICES.test(target.value);
}

const below = (folder: string, path: string) => normalPath(path.startsWith('/') ? path : `${folder}/${path}`);

/** The path a word stands for, `~` resolved; undefined when it is not known. */
function plainPath({ value, source, expands }: Word, home: string): string | undefined {
  if (value !== undefined) return value;
  if (expands && /^~(?:\/[\w./+@%:,=-]*)?$/.test(source)) return home + source.slice(1);
  return undefined;
}
