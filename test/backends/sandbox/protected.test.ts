import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PROTECTED_NAMES } from '../../../src/backends/sandbox/protected-names.ts';
import { folderWith, noSandbox, OUTSIDE_TMP, run } from './in-sandbox.ts';

const AUTHOR = 'export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b;';

function git(folder: string, ...args: string[]): string {
  const environment = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function repository(parent?: string): string {
  const folder = folderWith({ file: 'one\n' }, parent);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '.');
  git(folder, 'commit', '-q', '-m', 'first');
  return folder;
}

/** A process that has made a sandbox in a folder, says so, and lets go of it at the end of its standard input. */
function otherCommandIn(workspace: string, env: Readonly<Record<string, string>>): [ChildProcess, Promise<unknown>] {
  const modules = pathToFileURL(join(import.meta.dirname, '../../../src/backends/sandbox/')).href;
  const script = `
    import { enterSandbox } from '${modules}bubblewrap.ts';
    import { findSandbox } from '${modules}find-sandbox.ts';
    const confinement = { writable: [${JSON.stringify(workspace)}], hidden: [], network: 'none' };
    const { release } = enterSandbox(await findSandbox(), confinement, { cwd: '/', env: ${JSON.stringify(env)} });
    process.stdout.write('made');
    process.stdin.on('end', release).resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  return [child, once(child, 'exit')];
}

/** A home directory of somebody who uses every program that obeys such names. */
const homeOfEverybody = () =>
  folderWith(
    Object.fromEntries(PROTECTED_NAMES.flatMap(({ readers = [] }) => readers.slice(0, 1).map((reader) => [`${reader}/x`, '']))),
  );

/** Files of a folder, `.git` left out. */
const namesIn = (folder: string) => readdirSync(folder).filter((name) => name !== '.git');

describe.skipIf(noSandbox)('a repository in a writable folder', () => {
  it('takes everyday work', async () => {
    const workspace = repository();
    const script = `set -e; ${AUTHOR} echo two >> file; git add -A; git commit -qm second; git switch -qc topic; echo three > new; git add new; git commit -qm third
      git switch -q main; git merge -q --no-edit topic; git branch -qd topic; git tag v1; git stash list; git gc -q; git worktree add -q -b other ./tree; git -C tree status --short; git clone -q . copy; git -C copy config a.b c; git log --oneline | wc -l`;
    const { stdout, stderr, status } = await run({ writable: [workspace] }, script);
    expect({
      stdout: stdout.trim(),
      status,
      stderr: stderr.replace(/^.*could not write config file.*\n|^warning: Update of config.*\n/gm, ''),
    }).toEqual({
      stdout: '3',
      status: 0,
      stderr: '',
    });
    expect(git(workspace, 'log', '--format=%s')).toBe('third\nsecond\nfirst\n');
    expect(git(workspace, 'status', '--short')).toBe('?? copy/\n?? tree/\n');
    expect(namesIn(workspace).sort()).toEqual(['copy', 'file', 'new', 'tree']);
  });

  it.each([
    ['a hook', 'echo "touch PWNED" > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit'],
    [
      'a hook in new folder of hooks',
      'rm -rf .git/hooks; mv .git/hooks .git/h; mkdir .git/hooks; echo "touch PWNED" > .git/hooks/pre-commit; chmod +x .git/hooks/*',
    ],
    [
      'a setting',
      'git config core.fsmonitor "touch PWNED; false"; echo "[core]\n\tfsmonitor = touch PWNED" >> .git/config; sed -i s/x/y/ .git/config',
    ],
    [
      'another config in its place',
      'printf "[core]\n\tfsmonitor = touch PWNED\n" > c; mv -f c .git/config; ln -sf ../c .git/config',
    ],
    [
      'another repository in its place',
      'mv .git old; cp -r .git old; cd old && echo "touch PWNED" > hooks/pre-commit && chmod +x hooks/pre-commit; cd ..; mv old .git',
    ],
    [
      'a pointer to another config',
      'cp -r .git evil; git config -f evil/config core.fsmonitor "touch PWNED; false"; echo ../evil > .git/commondir',
    ],
  ])('does not run what a command leaves there: %s', async (_, script) => {
    const workspace = repository();
    await run({ writable: [workspace] }, script);
    writeFileSync(join(workspace, 'file'), 'more\n');
    git(workspace, 'status');
    git(workspace, 'commit', '-qam', 'outside');
    expect(existsSync(join(workspace, 'PWNED'))).toBe(false);
    expect(git(workspace, 'log', '--format=%s')).toContain('first');
  });

  it('is protected below the workspace too, and so is what a submodule keeps in it', async () => {
    const workspace = folderWith();
    const inner = join(workspace, 'packages/inner');
    mkdirSync(inner, { recursive: true });
    git(inner, 'init', '-q');
    git(workspace, 'init', '-q');
    git(workspace, 'init', '-q', '--bare', '.git/modules/libs/one');
    const script =
      'for g in packages/inner/.git .git/modules/libs/one; do echo x > $g/hooks/pre-commit; echo x >> $g/config; done; mv packages other; mv packages/inner inner; mv .git/modules m';
    await run({ writable: [workspace] }, script);
    for (const folder of [join(inner, '.git'), join(workspace, '.git/modules/libs/one')]) {
      expect(existsSync(join(folder, 'hooks/pre-commit'))).toBe(false);
      expect(readFileSync(join(folder, 'config'), 'utf8')).not.toContain('x\n');
    }
  });

  it('keeps git from seeing what stands in for missing names, also when it is asked for everything', async () => {
    const workspace = repository();
    const { stdout } = await run(
      { writable: [workspace] },
      `${AUTHOR} git status --short --ignored -uall; git add -A; git stash -u; git status --short`,
      { env: { HOME: homeOfEverybody() } },
    );
    expect(stdout).toBe('No local changes to save\n');
    expect(namesIn(workspace)).toEqual(['file']);
  });
});

describe.skipIf(noSandbox)('names that others obey', () => {
  const ofRoot = PROTECTED_NAMES.filter(({ below }) => below === 'root');
  const ofHome = PROTECTED_NAMES.filter(({ below }) => below === 'home');
  const inside = ({ path, kind }: (typeof PROTECTED_NAMES)[number]) => (kind === 'folder' ? `${path}/settings` : path);

  it('cannot be changed in a workspace, by any of us that exist', async () => {
    const workspace = folderWith(Object.fromEntries(ofRoot.map((name) => [inside(name), 'ours'])));
    const script = ofRoot
      .map((name) => `echo theirs > ${inside(name)}; rm -rf ${name.path}; mv ${name.path} x; echo theirs > ${inside(name)}`)
      .join('\n');
    await run({ writable: [workspace] }, script);
    for (const name of ofRoot) expect(readFileSync(join(workspace, inside(name)), 'utf8'), name.path).toBe('ours');
  });

  it('cannot be made where that is dangerous, and nothing stays behind', async () => {
    const workspace = folderWith();
    const dangerous = ofRoot.filter(({ whenMissing }) => whenMissing === 'blocked');
    expect(dangerous.map(({ path }) => path)).toContain('.claude');
    await run(
      { writable: [workspace] },
      dangerous
        .map((name) => `rm -rf ${name.path}; mkdir -p ${name.path}; ln -s / ${name.path}; echo x > ${inside(name)}`)
        .join('\n'),
      { env: { HOME: homeOfEverybody() } },
    );
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('cannot be made by a command that goes on when one of another process ends', async () => {
    const workspace = folderWith();
    const env = { HOME: homeOfEverybody() };
    const [other, otherEnded] = otherCommandIn(workspace, env);
    await once(other.stdout as Readable, 'data');
    const script =
      'touch going; while [ -e going ]; do sleep 0.05; done; mkdir -p .claude; echo x > .claude/settings.json; ls -A';
    const going = run({ writable: [workspace] }, script, { env });
    while (!existsSync(join(workspace, 'going'))) await sleep(20);
    other.stdin?.end();
    await otherEnded;
    rmSync(join(workspace, 'going'));
    const { stdout } = await going;
    expect(stdout).toMatch(/^\.claude$/m);
    expect(readdirSync(workspace)).toEqual([]);
  });

  it('are not stood in for where nothing on this machine obeys them', async () => {
    const workspace = folderWith();
    const { stdout } = await run({ writable: [workspace] }, 'ls -A', { env: { HOME: folderWith() } });
    expect(stdout).toBe('');
  });

  it('cannot be changed or made in a home directory that is writable', async () => {
    const existing = ofHome.filter((_, index) => index % 2 === 0);
    const home = folderWith({ ...Object.fromEntries(existing.map((name) => [inside(name), 'ours'])), '.profile': 'ours' });
    const options = { env: { HOME: home } };
    const names = ofHome.filter((name) => existing.includes(name) || name.whenMissing === 'blocked');
    const script = names
      .map((name) => `rm -rf ${name.path}; mkdir -p $(dirname ${name.path}); mv ${name.path} x; echo theirs > ${inside(name)}`)
      .join('\n');
    await run(
      { writable: [home] },
      `${script}; mv .config other; mkdir -p .config/fish; echo theirs > .config/fish/settings`,
      options,
    );
    for (const name of names) {
      const path = join(home, inside(name));
      expect(existsSync(path) ? readFileSync(path, 'utf8') : 'missing', name.path).toBe(
        existing.includes(name) || name.path === '.profile' ? 'ours' : 'missing',
      );
    }
  });

  it('are left alone where a longer path makes them writable', async () => {
    const workspace = folderWith({ '.claude/settings.json': 'ours', '.claude/worktrees/one/file': 'one' });
    await run(
      { writable: [workspace, join(workspace, '.claude/worktrees')] },
      'echo x > .claude/settings.json; echo two > .claude/worktrees/one/file',
    );
    expect(readFileSync(join(workspace, '.claude/settings.json'), 'utf8')).toBe('ours');
    expect(readFileSync(join(workspace, '.claude/worktrees/one/file'), 'utf8')).toBe('two\n');
  });
});

describe.skipIf(noSandbox)('a folder that is swapped while the sandbox is made', () => {
  it.each([
    ['a protected folder', '.idea', '../target'],
    ['a repository', '.git', '../target'],
    ['a hidden folder', 'hidden', '../target'],
    ['a hidden file', 'secret', '../target/canary'],
  ])('gives the command nothing: it does not start (%s)', async (_, name, target) => {
    const parent = folderWith(
      {
        'target/canary': 'alive',
        'target/hooks/x': '',
        'workspace/.idea/x': '',
        'workspace/hidden/x': '',
        'workspace/secret': '',
      },
      OUTSIDE_TMP,
    );
    const workspace = join(parent, 'workspace');
    git(workspace, 'init', '-q');
    const place = join(workspace, name);
    const confinement = { writable: [workspace], hidden: ['hidden', 'secret'].map((each) => join(workspace, each)) };
    const script = `echo STARTED; echo dead > ../target/canary; echo dead > ${name}/canary; cat ../target/canary`;
    const { stdout, status } = await run(confinement, script, {
      meanwhile: () => {
        renameSync(place, join(parent, 'away'));
        symlinkSync(target, place);
      },
    });
    expect({ stdout, failed: status !== 0 }).toEqual({ stdout: '', failed: true });
    expect(readFileSync(join(parent, 'target/canary'), 'utf8')).toBe('alive');
  });
});
