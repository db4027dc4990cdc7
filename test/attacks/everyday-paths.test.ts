/** What people do every day, and must not be refused. */
import { linkSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GuardRules } from '../../src/guard/guarded-backend.ts';
import { editFile } from '../../src/tools/edit-file.ts';
import { listDirectory } from '../../src/tools/list-directory.ts';
import { readFile } from '../../src/tools/read-file.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { writeFile } from '../../src/tools/write-file.ts';
import { guardedNative } from '../fixtures/guard.ts';
import { toolsOn } from '../tools/file-machine.ts';
import { base, CANARY, chained, freshFiles, linked, outside, root, toolsWith } from './path-ways.ts';

freshFiles();

describe('everyday paths are not refused', () => {
  const confined = () => ({ restrictions: [root] });
  const readable = async (path: string, rules: Partial<GuardRules> = confined()) =>
    (await toolsWith(rules)(readFile, { file_path: path })).content;
  const writable = async (path: string, rules: Partial<GuardRules> = confined()) => {
    const run = toolsWith(rules);
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
    const read = await toolsWith(confined())(readFile, { file_path: 'sparse', encoding: 'base64', limit: 16 });
    expect(read).toMatchObject({ bytes: 16, total_bytes: 100 * 2 ** 30, truncated: true });
  });

  it.runIf(process.platform === 'linux')('what the system tells about itself', async () => {
    expect(await readable('/proc/cpuinfo', {})).toContain('processor');
    expect(await readable('/proc/self/status', {})).toContain('Name:');
    expect(await readable('/etc/passwd', {})).toContain('root');
  });

  it('the workspace, listed and searched', async () => {
    const run = toolsWith(confined());
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
