/** The place where an attack is tried: a workspace, what lies around it, listeners, and whether any of it was reached. */
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Attack } from './attack.ts';
import { SEARCH_PATH } from './throw-away.ts';

export interface Arena extends AsyncDisposable {
  readonly base: string;
  readonly workspace: string;
  /** Makes everything new, as the attack wants to find it, and puts its texts in. */
  prepare(attack: Attack): Attack;
  /** What the attack reached, `[]` when nothing. */
  reached(): string[];
}

const KEPT = 'hello\n';

export async function createArena(): Promise<Arena> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-arena-')));
  const workspace = join(base, 'ws');
  const outside = join(base, 'outside');
  const socket = join(workspace, '.socket');
  let calls = 0;
  mkdirSync(workspace);
  const servers: Server[] = [];
  const listen = async (...where: [number, string] | [string]) => {
    const server = createServer((peer) => {
      calls++;
      peer.on('error', () => {});
      peer.destroy();
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(...(where as [number, string]), done));
    return server.address();
  };
  const address = await listen(0, '127.0.0.1');
  const port = typeof address === 'object' ? address?.port : undefined;
  await listen(socket);

  function fill(text: string): string {
    return text
      .replaceAll('@WORKSPACE@', workspace)
      .replaceAll('@OUTSIDE@', outside)
      .replaceAll('@CANARY@', join(outside, 'canary.txt'))
      .replaceAll('@NEW@', join(outside, 'new.txt'))
      .replaceAll('@PORT@', String(port))
      .replaceAll('@SOCKET@', socket);
  }

  function snapshot(): string {
    const kept = join(workspace, 'keep.txt');
    return JSON.stringify([...listing(outside), ...(isFile(kept) ? [readFileSync(kept, 'utf8')] : ['keep.txt is gone'])]);
  }

  /** Nothing is there but what is always there. */
  function isFresh(): boolean {
    const here =
      readdirSync(workspace).sort().join() === '.socket,keep.txt,sub' && readdirSync(join(workspace, 'sub')).length === 0;
    return here && readdirSync(join(base, 'home')).length === 0 && snapshot() === fresh;
  }

  function makeFresh(): void {
    for (const name of readdirSync(workspace)) {
      if (name !== '.socket') rmSync(join(workspace, name), { recursive: true, force: true });
    }
    for (const name of ['outside', 'home']) rmSync(join(base, name), { recursive: true, force: true });
    for (const name of ['outside/empty', 'home', 'ws/sub']) mkdirSync(join(base, name), { recursive: true });
    for (const path of [join(outside, 'canary.txt'), join(workspace, 'keep.txt')]) writeFileSync(path, KEPT);
  }

  makeFresh();
  const fresh = snapshot();

  return {
    base,
    workspace,
    prepare(attack) {
      if (!isFresh()) makeFresh();
      if (attack.repository) cpSync(repository(join(base, 'repository')), workspace, { recursive: true });
      for (const [name, text] of Object.entries(attack.files ?? {})) {
        place(join(workspace, name), (path) => writeFileSync(path, fill(text)));
        if (text.startsWith('#!')) chmodSync(join(workspace, name), 0o755);
      }
      for (const [name, target] of Object.entries(attack.links ?? {}))
        place(join(workspace, name), (path) => symlinkSync(target, path));
      for (const [name, source] of Object.entries(attack.copies ?? {})) {
        place(join(workspace, name), (path) => copyFileSync(source, path));
        chmodSync(join(workspace, name), 0o755);
      }
      calls = 0;
      return {
        ...attack,
        command: fill(attack.command),
        ...(attack.args && { args: attack.args.map(fill) }),
        ...(attack.env_vars && {
          env_vars: Object.fromEntries(Object.entries(attack.env_vars).map(([name, value]) => [name, fill(value)])),
        }),
      };
    },
    reached() {
      const after = snapshot();
      return [...(after === fresh ? [] : [`files: ${fresh} became ${after}`]), ...(calls === 0 ? [] : [`a listener was called`])];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function place(path: string, make: (path: string) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  make(path);
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Every entry below a folder, and what is in it. */
function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(folder.length)} ${entry.isFile() ? readFileSync(path, 'utf8').slice(0, 200) : ''}`;
    })
    .sort();
}

/** A repository with two commits, made once in the folder. */
function repository(folder: string): string {
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  mkdirSync(join(folder, 'no-template'));
  git('init', '-q', '-b', 'x', '--template=no-template');
  rmSync(join(folder, 'no-template'), { recursive: true });
  mkdirSync(join(folder, '.git', 'hooks'));
  git('config', 'user.name', 'A');
  git('config', 'user.email', 'a@example.invalid');
  git('config', 'commit.gpgsign', 'false');
  for (const text of ['one\n', 'one\ntwo\n']) {
    writeFileSync(join(folder, 'one.txt'), text);
    git('add', '.');
    git('commit', '-q', '-m', text.trim());
  }
  return folder;
}

export function isInstalled(program: string): boolean {
  return SEARCH_PATH.split(':').some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
