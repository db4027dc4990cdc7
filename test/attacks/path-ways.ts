/** A workspace with canaries around it, and the ways that lead to them. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, expect } from 'vitest';
import { toFailure } from '../../src/errors.ts';
import type { GuardRules } from '../../src/guard/guarded-backend.ts';
import { editFile } from '../../src/tools/edit-file.ts';
import { listDirectory } from '../../src/tools/list-directory.ts';
import { readFile } from '../../src/tools/read-file.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { writeFile } from '../../src/tools/write-file.ts';
import { guardedNative } from '../fixtures/guard.ts';
import { type RunTool, toolsOn } from '../tools/file-machine.ts';

/** What no tool may ever tell. */
export const CANARY = 'canary-4711';
export const base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-attack-')));
/** The workspace. */
export const root = join(base, 'ws');
export const outside = (name = 'canary.txt') => join(base, 'outside', name);
let openFd: number | undefined;

/** Every test starts with the same files. */
export function freshFiles(): void {
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
    if (openFd !== undefined) closeSync(openFd);
    rmSync(base, { recursive: true, force: true });
  });
}

/** The tools on this machine, behind the guard. */
export const toolsWith = (rules: Partial<GuardRules>): RunTool => toolsOn(guardedNative(base, rules));

/** Every file and its content, so that a changed one and a new one are seen. */
export function snapshot(...folders: string[]): string {
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
export type Way = readonly [name: string, path: (target: string) => string];

export function linked(target: string, name = 'link'): string {
  symlinkSync(target, join(root, name));
  return name;
}
export function chained(target: string, length: number): string {
  symlinkSync(target, join(root, 'hop0'));
  for (let hop = 1; hop < length; hop++) symlinkSync(`hop${hop - 1}`, join(root, `hop${hop}`));
  return `hop${length - 1}`;
}
const fromRoot = (target: string) => relative(root, target);

export const SPELLINGS: readonly Way[] = [
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

export const MAGIC: readonly Way[] = [
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

export const LINKS: readonly Way[] = [
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

export async function expectRefused(path: string, rules: Partial<GuardRules>, safe: readonly string[] = []): Promise<void> {
  const before = snapshot('outside', 'state', 'home', 'ws-evil');
  const outcomes = await tryAll(path, rules);
  expect(snapshot('outside', 'state', 'home', 'ws-evil')).toBe(before);
  expect(JSON.stringify(outcomes)).not.toContain(CANARY);
  expect(JSON.stringify(outcomes)).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 12));
  for (const [tool, outcome] of Object.entries(outcomes)) {
    if (!safe.includes(tool)) expect(REFUSALS, `${tool}: ${outcome}`).toContain(outcome);
  }
}
