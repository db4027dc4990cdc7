/** Paths that have led other servers out of their folders, tried with every file tool. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toFailure } from '../../src/errors.ts';
import type { GuardRules } from '../../src/guard/guarded-backend.ts';
import { editFile } from '../../src/tools/edit-file.ts';
import { listDirectory } from '../../src/tools/list-directory.ts';
import { readFile } from '../../src/tools/read-file.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { writeFile } from '../../src/tools/write-file.ts';
import { guardedNative } from '../fixtures/guard.ts';
import { toolsOn } from '../tools/file-machine.ts';

const CANARY = 'canary-4711';
let base: string;
let root: string;
let openFd: number;
const outside = (name = 'canary.txt') => join(base, 'outside', name);

beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-attack-')));
  root = join(base, 'ws');
});
beforeEach(() => {
  for (const name of readdirSync(base)) rmSync(join(base, name), { recursive: true, force: true });
  for (const name of ['ws/sub', 'ws-evil', 'outside', 'state/audit', 'home', 'tmp'])
    mkdirSync(join(base, name), { recursive: true });
  for (const name of [
    'ws-evil/canary.txt',
    'outside/canary.txt',
    'home/canary.txt',
    'state/key',
    'state/audit/log.jsonl',
    'ws/mcp.yaml',
  ])
    writeFileSync(join(base, name), CANARY);
  writeFileSync(join(root, 'inside.txt'), 'inside');
  if (openFd !== undefined) closeSync(openFd);
  openFd = openSync(outside(), 'r');
});
afterAll(() => {
  closeSync(openFd);
  rmSync(base, { recursive: true, force: true });
});

/** Every file and its content, so that a changed one and a new one are seen. */
function snapshot(...folders: string[]): string {
  return JSON.stringify(
    folders.map((folder) =>
      readdirSync(join(base, folder), { recursive: true, withFileTypes: true }).map((entry) => [
        join(entry.parentPath, entry.name),
        entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'utf8') : '',
      ]),
    ),
  );
}

/** What each tool tells or does with a path. */
async function tryAll(path: string, rules: Partial<GuardRules>): Promise<Record<string, string>> {
  const backend = guardedNative(base, rules);
  const run = toolsOn(backend);
  const outcome = (work: Promise<unknown>) =>
    work.then(
      (result) => `done: ${JSON.stringify(result)}`,
      (thrown) => toFailure(thrown).code as string,
    );
  return {
    read: await outcome(run(readFile, { file_path: path })),
    'read bytes': await outcome(run(readFile, { file_path: path, encoding: 'base64' })),
    edit: await outcome(run(editFile, { file_path: path, edits: [{ old_text: CANARY, new_text: 'changed' }] })),
    list: await outcome(run(listDirectory, { directory: path, show_hidden: true })),
    'list around': await outcome(run(listDirectory, { directory: `${path}/..`, show_hidden: true })),
    search: await outcome(run(searchFiles, { directory: path, pattern: '*', show_hidden: true, content: 'canary' })),
    stat: await outcome(backend.files.stat(`${path}/.`)),
    write: await outcome(run(writeFile, { file_path: path, content: 'overwritten' })),
    'write below': await outcome(run(writeFile, { file_path: `${path}/new/deep.txt`, content: 'new' })),
  };
}

const REFUSALS = ['denied', 'not_found', 'invalid_input'];

/** Ways from inside to `target`; each makes what it needs and returns the path to try. */
type Way = readonly [name: string, path: (target: string) => string];

function linked(target: string, name = 'link'): string {
  symlinkSync(target, join(root, name));
  return name;
}
function chained(target: string, length: number): string {
  symlinkSync(target, join(root, 'hop0'));
  for (let hop = 1; hop < length; hop++) symlinkSync(`hop${hop - 1}`, join(root, `hop${hop}`));
  return `hop${length - 1}`;
}
const fromRoot = (target: string) => relative(root, target);

const SPELLINGS: readonly Way[] = [
  ['..', (target) => fromRoot(target)],
  ['.. behind a folder', (target) => `sub/../${fromRoot(target)}`],
  ['.. behind folders that are not there', (target) => `no/such/../../${fromRoot(target)}`],
  ['.. behind a file', (target) => `inside.txt/../${fromRoot(target)}`],
  ['doubled slashes', (target) => fromRoot(target).replaceAll('/', '//')],
  ['dots between', (target) => `./${fromRoot(target).replaceAll('/', '/./')}`],
  ['an absolute path', (target) => target],
  ['an absolute path with doubled slashes', (target) => `/${target.replaceAll('/', '//')}`],
  ['an absolute path through the workspace', (target) => `${root}/${fromRoot(target)}`],
  ['an absolute path from the root above', (target) => `/../../..${target}`],
  ['more .. than there are folders', (target) => `${'../'.repeat(40)}${target.slice(1)}`],
  ['the home folder', (target) => `~/../${relative(base, target)}`],
  ['a slash at the end', (target) => `${fromRoot(target)}/`],
  ['a slash and a dot at the end', (target) => `${fromRoot(target)}/.`],
];

const MAGIC: readonly Way[] = [
  ['/proc/self/root', (target) => `/proc/self/root${target}`],
  ['/proc/thread-self/root', (target) => `/proc/thread-self/root${target}`],
  ['/proc/<pid>/root', (target) => `/proc/${process.pid}/root${target}`],
  ['/proc/1/root', (target) => `/proc/1/root${target}`],
  ['a task of ours', (target) => `/proc/self/task/${process.pid}/root${target}`],
  ['/proc with detours', (target) => `//proc/./self/task/../root//${target}`],
  ['/proc/self/cwd', (target) => `/proc/self/cwd/${relative(process.cwd(), target)}`],
  ['/proc/<pid>/cwd', (target) => `/proc/${process.pid}/cwd/${relative(process.cwd(), target)}`],
  ['/proc/self/fd', () => `/proc/self/fd/${openFd}`],
  ['/proc/<pid>/fd', () => `/proc/${process.pid}/fd/${openFd}`],
  ['/dev/fd', () => `/dev/fd/${openFd}`],
  ['/dev/fd with a detour', () => `/dev/../dev/./fd/${openFd}`],
];

const LINKS: readonly Way[] = [
  ['a link', (target) => linked(target)],
  ['a relative link', (target) => linked(fromRoot(target))],
  ['a link with a slash at the end', (target) => `${linked(target)}/`],
  ['a link to a link', (target) => chained(target, 2)],
  ['a chain of thirty links', (target) => chained(target, 30)],
  ['a link to the folder', (target) => `${linked(join(target, '..'))}/${target.slice(target.lastIndexOf('/') + 1)}`],
  ['a link to the root of the system', (target) => linked('/') + target],
  ['a link upwards', (target) => `${linked('..')}/${relative(base, target)}`],
  ['a link upwards in a folder', (target) => `${linked('../..', 'sub/up')}/${relative(base, target)}`],
  ['a link to a link to a folder', (target) => `${linked(linked('..', 'a'), 'b')}/${relative(base, target)}`],
  ['links in turn inside and outside', (target) => `${linked(`${linked('..', 'out')}/ws/sub`, 'in')}/../${fromRoot(target)}`],
  ['a link to /proc/self/root', (target) => linked('/proc/self/root') + target],
  ['a link to a link to /proc/self/root', (target) => linked(linked('/proc/self/root', 'a'), 'b') + target],
  ['a link through /proc/self/cwd', (target) => linked(`/proc/self/cwd/${relative(process.cwd(), target)}`)],
  ['a link to an open file', () => linked(`/proc/self/fd/${openFd}`)],
  ['a link to /dev/fd', () => `${linked('/dev/fd')}/${openFd}`],
  ['a link with a name that looks like a way back', (target) => linked(target, '...')],
  ['a hidden link', (target) => linked(target, '.link')],
  ['a link whose name ends like that of a deleted file', (target) => linked(target, 'x (deleted)')],
];

async function expectRefused(path: string, rules: Partial<GuardRules>, safe: readonly string[] = []): Promise<void> {
  const before = snapshot('outside', 'state', 'home', 'ws-evil');
  const outcomes = await tryAll(path, rules);
  expect(snapshot('outside', 'state', 'home', 'ws-evil')).toBe(before);
  expect(JSON.stringify(outcomes)).not.toContain(CANARY);
  expect(JSON.stringify(outcomes)).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 12));
  for (const [tool, outcome] of Object.entries(outcomes)) {
    if (!safe.includes(tool)) expect(REFUSALS, `${tool}: ${outcome}`).toContain(outcome);
  }
}

describe('confined to the workspace, a file outside is not reached', () => {
  // What is around a link, and the place `link/.` normalized, is the workspace itself.
  const around = ['list around', 'stat'];
  it.each(SPELLINGS)('by %s', (_, path) => expectRefused(path(outside()), { restrictions: [root] }));
  it.each(MAGIC)('by %s', (_, path) => expectRefused(path(outside()), { restrictions: [root] }, ['list around']));
  it.each(LINKS)('by %s', (_, path) => expectRefused(path(outside()), { restrictions: [root] }, around));

  it.each([
    ['a folder whose name begins alike', () => join(base, 'ws-evil', 'canary.txt')],
    ['that folder by ..', () => '../ws-evil/canary.txt'],
    ['the folder above', () => '..'],
    ['the folder outside', () => outside('.')],
    ['the root of the system', () => '/'],
    ['the home folder', () => '~'],
    ['a file in the home folder', () => '~/canary.txt'],
    ['what does not exist', () => outside('nothing.txt')],
    ['a path through a file', () => `${outside()}/x`],
  ])('nor %s', (_, path) => expectRefused(path(), { restrictions: [root] }, ['list around']));
});

describe('confined to the workspace, nothing is made outside', () => {
  it.each([
    ['a link that leads to nothing yet', () => linked(outside('new.txt'))],
    ['a relative one', () => linked('../outside/new.txt')],
    ['a chain of such links', () => chained(outside('new.txt'), 5)],
    ['one to a folder that is not there', () => `${linked(outside('later'))}/new.txt`],
    ['one in a folder to be made', () => `${linked(outside())}/../../outside/new.txt`],
    ['a linked parent', () => `${linked(outside('.'))}/new.txt`],
    ['parents to be made behind a link', () => `${linked(outside('.'))}/a/b/c/new.txt`],
    ['parents to be made behind ..', () => 'a/b/../../../outside/c/new.txt'],
    ['a link in /proc', () => `/proc/self/cwd/${relative(process.cwd(), outside('new.txt'))}`],
  ])('through %s', async (_, path) => {
    const before = snapshot('outside', 'home', 'state');
    const run = toolsOn(guardedNative(base, { restrictions: [root] }));
    const work = run(writeFile, { file_path: path(), content: 'new', create_dirs: true });
    expect(await work.catch((thrown) => toFailure(thrown).code)).toBe('denied');
    expect(snapshot('outside', 'home', 'state')).toBe(before);
  });

  it('where a hard link to a file outside is written to, only the name inside changes', async () => {
    linkSync(outside(), join(root, 'hard'));
    await toolsOn(guardedNative(base, { restrictions: [root] }))(writeFile, { file_path: 'hard', content: 'new' });
    expect([readFileSync(outside(), 'utf8'), readFileSync(join(root, 'hard'), 'utf8')]).toEqual([CANARY, 'new']);
  });
});

describe('without restrictions, writing is confined all the same', () => {
  it.each([...SPELLINGS, ...LINKS.filter(([name]) => !name.includes('/dev/fd') && !name.includes('open file'))])(
    'by %s',
    async (_, path) => {
      const before = snapshot('outside');
      const run = toolsOn(guardedNative(base, { restrictions: [] }));
      const file_path = path(outside());
      const write = run(writeFile, { file_path, content: 'new' });
      expect(await write.catch((thrown) => toFailure(thrown).code)).toBe('denied');
      const edit = run(editFile, { file_path, edits: [{ old_text: CANARY, new_text: 'x' }] });
      expect(await edit.catch((thrown) => toFailure(thrown).code)).toBe('denied');
      expect(snapshot('outside')).toBe(before);
    },
  );
});

describe('our own files are not reached where everything around them may be', () => {
  const rules = () => ({
    restrictions: [base],
    protectedPaths: [join(base, 'state'), join(root, 'mcp.yaml'), join(root, '.mcp', 'new')],
  });
  const beside = ['list around', 'stat', 'write below'];
  const key = () => join(base, 'state', 'key');
  const openKey = () => `/proc/self/fd/${openSync(key(), 'r')}`;

  it.each([...SPELLINGS, ...LINKS.filter(([name]) => !name.includes('/dev/fd') && !name.includes('open file'))])(
    'by %s',
    (_, path) => expectRefused(path(key()), rules(), beside),
  );

  it.each([
    ['another case', () => join(base, 'STATE', 'Key')],
    ['letters that have the same capital', () => join(base, '\u017ftate', 'key')],
    ['characters that are not seen', () => join(base, 'st\u200date', 'key')],
    ['an open file of ours', () => openKey()],
    ['a link to it', () => linked(openKey())],
    ['a file that is not there yet', () => join(base, 'state', 'later')],
    ['a folder that is not there yet', () => '.mcp/new'],
    ['what is below it', () => '.mcp/new/deeper/file'],
    ['it in another case', () => '.MCP/New'],
    ['a file where its folder will be', () => '.mcp'],
    ['a link to where it will be', () => linked(join(root, '.mcp', 'new'))],
    ['the folder itself', () => join(base, 'state')],
    ['a folder in it', () => join(base, 'state', 'audit')],
    ['a log in it', () => join(base, 'state', 'audit', 'log.jsonl')],
    ['the configuration in the workspace', () => 'mcp.yaml'],
    ['the configuration by a detour', () => 'sub/../mcp.yaml'],
    ['the configuration by a link', () => linked('mcp.yaml')],
  ])('nor by %s', async (_, path) => {
    await expectRefused(path(), rules(), beside);
    expect(readFileSync(join(root, 'mcp.yaml'), 'utf8')).toBe(CANARY);
    expect(readdirSync(root)).not.toContain('.mcp');
  });

  it.each([
    ['a key', () => key()],
    ['a log', () => join(base, 'state', 'audit', 'log.jsonl')],
    ['the configuration', () => join(root, 'mcp.yaml')],
  ])('nor is what a hard link to %s holds', async (_, target) => {
    const backend = guardedNative(base, rules());
    const run = toolsOn(backend);
    // Before there is a link, so that what is known of our files must be brought up to date.
    await run(readFile, { file_path: 'inside.txt' });
    linkSync(target(), join(root, 'hard'));
    const denied = { code: 'denied' };
    await expect(run(readFile, { file_path: 'hard' })).rejects.toMatchObject(denied);
    await expect(run(editFile, { file_path: 'hard', edits: [{ old_text: 'c', new_text: 'd' }] })).rejects.toMatchObject(denied);
    await expect(backend.files.stat('hard')).rejects.toMatchObject(denied);
    expect((await run(searchFiles, { pattern: '*', content: CANARY })).matches).toEqual([]);
    expect((await run(listDirectory, {})).entries.map(({ name }) => name)).toEqual(['inside.txt', 'sub']);
    await expect(run(writeFile, { file_path: 'hard', content: 'new' })).rejects.toMatchObject(denied);
    expect(readFileSync(target(), 'utf8')).toBe(CANARY);
  });

  it('and are neither named nor searched from above', async () => {
    const run = toolsOn(guardedNative(base, rules()));
    const named = await run(searchFiles, { directory: base, pattern: '*', show_hidden: true });
    const found = await run(searchFiles, { directory: base, pattern: '*', content: CANARY, show_hidden: true });
    const paths = [...named.matches, ...found.matches].map(({ path }) => relative(base, path));
    expect(paths.filter((path) => path.startsWith('state') || path.endsWith('mcp.yaml'))).toEqual([]);
    expect(paths).toContain('outside/canary.txt');
    const listed = [...(await run(listDirectory, { directory: base })).entries, ...(await run(listDirectory, {})).entries];
    expect(listed.map(({ name }) => name)).toEqual(['home', 'outside', 'tmp', 'ws', 'ws-evil', 'inside.txt', 'sub']);
  });
});

describe('what is no plain file is refused, and at once', () => {
  it.each([
    '/dev/zero',
    '/dev/random',
    '/dev/null',
    '/dev/tty',
    '/dev/stdin',
    '/dev/mem',
    '/proc/self/environ',
    '/proc/1/environ',
    '/proc/self/mem',
    '/proc/self/maps',
    '/proc/self/auxv',
    '/proc/kcore',
    '/proc/kmsg',
    '/sys/kernel/debug/tracing/trace_pipe',
  ])('%s, and a link to it', async (path) => {
    const run = toolsOn(guardedNative(base, { restrictions: ['/'] }));
    for (const file_path of [path, linked(path)]) {
      const outcome = await run(readFile, { file_path }).catch((thrown) => toFailure(thrown).code);
      expect(['denied', 'not_found']).toContain(outcome);
      await expect(run(writeFile, { file_path, content: '' })).rejects.toMatchObject({ code: 'denied' });
    }
  });

  it('a FIFO, a socket, and a link to them', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    symlinkSync('fifo', join(root, 'link'));
    const run = toolsOn(guardedNative(base, { restrictions: [root] }));
    try {
      for (const file_path of ['fifo', 'socket', 'link']) {
        await expect(run(readFile, { file_path })).rejects.toMatchObject({ code: 'invalid_input' });
        await expect(run(writeFile, { file_path, content: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
      }
      expect((await run(searchFiles, { pattern: '*', content: 'inside' })).matches.map(({ path }) => path)).toEqual([
        'inside.txt',
      ]);
    } finally {
      server.close();
    }
  });

  it('links in a circle', async () => {
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    await expectRefused('a', { restrictions: [root] }, ['list around', 'stat']);
  });
});

describe('everyday paths are not refused', () => {
  const confined = () => ({ restrictions: [root] });
  const readable = async (path: string, rules: Partial<GuardRules> = confined()) =>
    (await toolsOn(guardedNative(base, rules))(readFile, { file_path: path })).content;
  const writable = async (path: string, rules: Partial<GuardRules> = confined()) => {
    const run = toolsOn(guardedNative(base, rules));
    await run(writeFile, { file_path: path, content: 'new text' });
    await run(editFile, { file_path: path, edits: [{ old_text: 'new', new_text: 'changed' }] });
    return (await run(readFile, { file_path: path })).content;
  };

  it.each([
    ['a name', () => 'inside.txt'],
    ['./', () => './inside.txt'],
    ['.. that stays inside', () => 'sub/../inside.txt'],
    ['.. that comes back', () => '../ws/inside.txt'],
    ['.. behind a folder that is not there', () => 'no/../inside.txt'],
    ['an absolute path', () => join(root, 'inside.txt')],
    ['doubled slashes', () => `${root}//inside.txt`],
    ['a link', () => linked('inside.txt')],
    ['an absolute link', () => linked(join(root, 'inside.txt'))],
    ['a link in a folder', () => linked('../inside.txt', 'sub/link')],
    ['a linked folder', () => `${linked('.')}/inside.txt`],
    ['a chain of links', () => chained('inside.txt', 10)],
    ['a link that goes out and comes back', () => linked('../ws/inside.txt')],
  ])('a file read by %s', async (_, path) => expect(await readable(path())).toBe('inside'));

  it.each([
    '..x',
    '...',
    'a..b',
    '~',
    '~x',
    '-rf',
    '$HOME',
    '%2e%2e',
    ' leading blank',
    'with\nline break',
    'gone (deleted)',
    '.hidden',
    'größe.txt',
    '日本語',
    'x'.repeat(255),
    'a/b/c/deep.txt',
    'state/key',
    'proc/self/root',
    'dev/zero',
    'mcp.yaml.example',
  ])('a file written as %j', async (name) => {
    const path = name.startsWith('~') ? `./${name}` : name;
    expect(await writable(path)).toBe('changed text');
    expect(readFileSync(join(root, name), 'utf8')).toBe('changed text');
  });

  it('a file behind a link that is written to: the link stays', async () => {
    linked('inside.txt');
    expect(await writable('link')).toBe('changed text');
    expect(readFileSync(join(root, 'inside.txt'), 'utf8')).toBe('changed text');
  });

  it('a file with many names', async () => {
    for (const name of ['one', 'two', 'three']) linkSync(join(root, 'inside.txt'), join(root, name));
    expect(await readable('two')).toBe('inside');
  });

  it('a workspace that is a link, and one that becomes another', async () => {
    const link = join(base, 'current');
    symlinkSync(root, link);
    const backend = guardedNative(base, { restrictions: [link], workspace: link });
    const run = toolsOn(backend);
    expect((await run(readFile, { file_path: 'inside.txt' })).content).toBe('inside');
    rmSync(link);
    symlinkSync(outside('.'), link);
    expect((await run(readFile, { file_path: 'canary.txt' })).content).toBe(CANARY);
    expect((await run(writeFile, { file_path: 'new.txt', content: '' })).path).toBe(outside('new.txt'));
  });

  it('a sparse file of 100 GiB, read in part', async () => {
    writeFileSync(join(root, 'sparse'), '');
    truncateSync(join(root, 'sparse'), 100 * 2 ** 30);
    const read = await toolsOn(guardedNative(base, confined()))(readFile, { file_path: 'sparse', encoding: 'base64', limit: 16 });
    expect(read).toMatchObject({ bytes: 16, total_bytes: 100 * 2 ** 30, truncated: true });
  });

  it.runIf(process.platform === 'linux')('what the system tells about itself', async () => {
    expect(await readable('/proc/cpuinfo', {})).toContain('processor');
    expect(await readable('/proc/self/status', {})).toContain('Name:');
    expect(await readable('/etc/passwd', {})).toContain('root');
  });

  it('the workspace, listed and searched', async () => {
    const run = toolsOn(guardedNative(base, confined()));
    expect((await run(listDirectory, { directory: root })).entries.map(({ name }) => name)).toEqual([
      'inside.txt',
      'mcp.yaml',
      'sub',
    ]);
    expect((await run(searchFiles, { pattern: '*.txt', content: 'ins.de' })).matches).toMatchObject([
      { path: 'inside.txt', line: 1 },
    ]);
  });
});
