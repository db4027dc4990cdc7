import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listDirectory } from '../../src/tools/list-directory.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { type FileMachine, openFileMachine } from './file-machine.ts';

let machine: FileMachine;
beforeAll(async () => {
  machine = await openFileMachine();
  const put = (name: string, content: string) => writeFile(join(machine.folder, name), content);
  await mkdir(join(machine.folder, 'src/inner'), { recursive: true });
  await put('a.txt', 'hello\n');
  await put('.hidden', '');
  await put('strange\n\u001b[31mname', '');
  await put('src/one.ts', 'const one = 1;\n\u001b[2Jconst two = 2;\n');
  await put('src/inner/two.tsx', 'const three = 3;\n');
  await put('.gitignore', 'a.txt\n');
  await symlink('a.txt', join(machine.folder, 'link'));
});
afterAll(() => machine[Symbol.asyncDispose]());

describe('list_directory', () => {
  test('lists names with kinds, sizes and times', async () => {
    const { entries, truncated } = await machine.run(listDirectory, {});
    expect(entries).toEqual([
      { name: 'a.txt', kind: 'file', size: 6, modified: expect.stringMatching(/Z$/) },
      { name: 'link', kind: 'symlink', size: 5, modified: expect.any(String), link_target: 'a.txt' },
      { name: 'src', kind: 'directory', size: expect.any(Number), modified: expect.any(String) },
      { name: 'strange\n\u001b[31mname', kind: 'file', size: 0, modified: expect.any(String) },
    ]);
    expect(truncated).toBe(false);
  });

  test('shows one line for each entry, whatever its name', async () => {
    const lines = (await machine.show(listDirectory, { directory: '.', show_hidden: true, limit: 3 })).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^\[Only the first 3/);
    const all = await machine.show(listDirectory, {});
    expect(all.split('\n')).toHaveLength(4);
    expect(all).toContain('link -> a.txt');
    expect(all).toContain('src/');
    expect(all).not.toContain('\u001b');
  });

  test('a folder that is not there is said', async () => {
    await expect(machine.run(listDirectory, { directory: 'nowhere' })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('search_files', () => {
  test('finds names, with paths the next tool can take', async () => {
    expect(await machine.show(searchFiles, { pattern: '*.ts*', directory: 'src' })).toBe('src/inner/two.tsx\nsrc/one.ts');
    expect(await machine.show(searchFiles, { pattern: join(machine.folder, 'src/*.ts') })).toBe('src/one.ts');
  });

  test('finds lines, and shows them without what would move a cursor', async () => {
    expect(await machine.run(searchFiles, { pattern: '*', content: 'const \\w+ = [12]', file_type: 'ts, .tsx' })).toEqual({
      directory: machine.folder,
      matches: [
        { path: 'src/one.ts', line: 1, text: 'const one = 1;' },
        { path: 'src/one.ts', line: 2, text: '\u001b[2Jconst two = 2;' },
      ],
      truncated: false,
    });
    const shown = await machine.show(searchFiles, { pattern: '*', content: 'two', limit: 1 });
    expect(shown).toBe('src/one.ts:2:\uFFFD[2Jconst two = 2;');
  });

  test('follows ignore files unless told not to, and says when nothing is found', async () => {
    expect(await machine.show(searchFiles, { pattern: 'a.txt' })).toMatch(/^Nothing matches/);
    expect(await machine.show(searchFiles, { pattern: 'a.txt', include_ignored: true })).toBe('a.txt');
  });

  test('says when there is more', async () => {
    expect(await machine.show(searchFiles, { pattern: '*', limit: 1 })).toMatch(/^link\n\[Only the first 1 matches/);
  });
});
