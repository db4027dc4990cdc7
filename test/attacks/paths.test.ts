/** Paths that have led other servers out of their folders, tried with every file tool. */
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toFailure } from '../../src/errors.ts';
import { editFile } from '../../src/tools/edit-file.ts';
import { readFile } from '../../src/tools/read-file.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { writeFile } from '../../src/tools/write-file.ts';
import {
  base,
  CANARY,
  chained,
  expectRefused,
  freshFiles,
  LINKS,
  linked,
  MAGIC,
  outside,
  root,
  SPELLINGS,
  snapshot,
  toolsWith,
} from './path-ways.ts';

freshFiles();

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
    const run = toolsWith({ restrictions: [root] });
    const work = run(writeFile, { file_path: path(), content: 'new', create_dirs: true });
    expect(await work.catch((thrown) => toFailure(thrown).code)).toBe('denied');
    expect(snapshot('outside', 'home', 'state')).toBe(before);
  });

  it('where a hard link to a file outside is written to, only the name inside changes', async () => {
    linkSync(outside(), join(root, 'hard'));
    await toolsWith({ restrictions: [root] })(writeFile, { file_path: 'hard', content: 'new' });
    expect([readFileSync(outside(), 'utf8'), readFileSync(join(root, 'hard'), 'utf8')]).toEqual([CANARY, 'new']);
  });
});

describe('without restrictions, writing is confined all the same', () => {
  it.each([...SPELLINGS, ...LINKS.filter(([name]) => !name.includes('/dev/fd') && !name.includes('open file'))])(
    'by %s',
    async (_, path) => {
      const before = snapshot('outside');
      const run = toolsWith({ restrictions: [] });
      const file_path = path(outside());
      const write = run(writeFile, { file_path, content: 'new' });
      expect(await write.catch((thrown) => toFailure(thrown).code)).toBe('denied');
      const edit = run(editFile, { file_path, edits: [{ old_text: CANARY, new_text: 'x' }] });
      expect(await edit.catch((thrown) => toFailure(thrown).code)).toBe('denied');
      expect(snapshot('outside')).toBe(before);
    },
  );
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
    const run = toolsWith({ restrictions: ['/'] });
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
    const run = toolsWith({ restrictions: [root] });
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
