import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Ignore } from 'ignore';

/**
 * What is ignored in one folder and, unless a deeper one says otherwise, below it.
 *
 * Git's rules (gitignore(5)): .gitignore of every folder from the repository's root down, then .git/info/exclude and
 * the user's own excludes file as the weakest; the last pattern that matches decides, and nothing below an ignored
 * folder comes back. `.ignore` files use the same language and win over git's. Outside of a repository .gitignore
 * counts as well. A repository inside another starts afresh.
 */
export interface IgnoreRules {
  /** @param path absolute path below the folder these rules were made for */
  ignores(path: string, isDirectory: boolean): boolean;
  /** The rules inside a folder below, given the names that are in it. */
  enter(directory: string, names: ReadonlySet<string>): Promise<IgnoreRules>;
}

type MakeIgnore = () => Ignore;

interface Layers {
  /** Folder that all patterns have been rewritten to start from. */
  readonly base: string;
  readonly git: Ignore;
  readonly own: Ignore;
}

/** Bytes; a larger file of patterns is not one. */
const MAX_PATTERN_FILE = 1024 * 1024;

/** Rules that ignore nothing. */
export const NO_RULES: IgnoreRules = {
  ignores: () => false,
  enter: async () => NO_RULES,
};

/** The rules that hold in a folder where a search starts: its own, and those of its parents up to the repository's root. */
export async function loadIgnoreRules(directory: string): Promise<IgnoreRules> {
  const { default: ignore } = await import('ignore');
  // Git compares names exactly on Linux.
  const make: MakeIgnore = () => ignore({ ignorecase: false });
  const root = (await repositoryRoot(directory)) ?? directory;
  let layers: Layers = { base: root, git: make().add(await userExcludes()), own: make() };
  for (const folder of foldersBetween(root, directory)) layers = await deeper(layers, folder, make);
  const rules = rulesOf(layers, make);
  if (directory === root || !rules.ignores(directory, true)) return rules;
  // Whoever searches in an ignored folder means it.
  return rulesOf(await deeper({ base: directory, git: make(), own: make() }, directory, make), make);
}

function rulesOf(layers: Layers, make: MakeIgnore): IgnoreRules {
  const combined = make().add(layers.git).add(layers.own);
  const prefix = layers.base === '/' ? 1 : layers.base.length + 1;
  return {
    ignores: (path, isDirectory) => combined.ignores(path.slice(prefix) + (isDirectory ? '/' : '')),
    async enter(directory, names) {
      if (!names.has('.git') && !names.has('.gitignore') && !names.has('.ignore')) return this;
      return rulesOf(await deeper(layers, directory, make), make);
    },
  };
}

async function deeper(outer: Layers, directory: string, make: MakeIgnore): Promise<Layers> {
  const isRepository = await exists(join(directory, '.git'));
  const below = relative(outer.base, directory);
  const git = make();
  if (isRepository && below !== '') git.add(rebase(await userExcludes(), below));
  else git.add(outer.git);
  if (isRepository) git.add(rebase(await patterns(join(directory, '.git/info/exclude')), below));
  git.add(rebase(await patterns(join(directory, '.gitignore')), below));
  const own = make()
    .add(outer.own)
    .add(rebase(await patterns(join(directory, '.ignore')), below));
  return { base: outer.base, git, own };
}

async function patterns(file: string): Promise<string[]> {
  // Without O_NONBLOCK a FIFO of that name would hold us up for ever.
  const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (!opened) return [];
  try {
    const info = await opened.stat();
    if (!info.isFile() || info.size > MAX_PATTERN_FILE) return [];
    return (await opened.readFile('utf8')).replace(/^\uFEFF/, '').split(/\r?\n/);
  } catch {
    return [];
  } finally {
    await opened.close();
  }
}

/** The excludes file a person keeps for all repositories (core.excludesFile, else git's default place). */
async function userExcludes(): Promise<string[]> {
  const configHome = process.env.XDG_CONFIG_HOME || join(homedir(), '.config');
  for (const file of [join(homedir(), '.gitconfig'), join(configHome, 'git/config')]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const named = /^\s*excludesfile\s*=\s*"?([^"\n]+?)"?\s*$/im.exec(text)?.[1];
    if (named) return patterns(named.replace(/^~(?=\/)/, homedir()));
  }
  return patterns(join(configHome, 'git/ignore'));
}

/** Patterns of a folder's file as they would be written in the file of a folder above it. */
function rebase(lines: readonly string[], below: string): string[] {
  if (below === '') return [...lines];
  const folder = below.replace(/[\\*?[\]!# ]/g, '\\$&');
  return lines.flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const negation = line.startsWith('!') ? '!' : '';
    const body = line.slice(negation.length);
    const meant = body.replace(/(?<!\\) +$/, '');
    if (meant === '' || meant === '/') return [];
    const anchored = meant.slice(0, -1).includes('/');
    return [`${negation}/${folder}/${anchored ? '' : '**/'}${body.replace(/^\//, '')}`];
  });
}

async function repositoryRoot(directory: string): Promise<string | undefined> {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function foldersBetween(root: string, directory: string): string[] {
  const below = relative(root, directory);
  const folders = [root];
  for (const name of below === '' ? [] : below.split('/')) folders.push(join(folders.at(-1) as string, name));
  return folders;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
