import { chmod, mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { editFile } from '../../src/tools/edit-file.ts';
import { writeFile as writeFileTool } from '../../src/tools/write-file.ts';
import { type FileMachine, openFileMachine } from './file-machine.ts';

let machine: FileMachine;
beforeAll(async () => {
  machine = await openFileMachine();
});
afterAll(() => machine[Symbol.asyncDispose]());

const at = (name: string) => join(machine.folder, name);
const write = (values: object) => machine.run(writeFileTool, values);
const edit = (values: object) => machine.run(editFile, values);

describe('write_file', () => {
  test('makes a file with its folders, then replaces it and keeps its permissions', async () => {
    expect(await write({ file_path: 'new/deep/a.txt', content: 'größe' })).toEqual({
      path: at('new/deep/a.txt'),
      bytes_written: 7,
      created: true,
    });
    await chmod(at('new/deep/a.txt'), 0o750);
    expect(await write({ file_path: 'new/deep/a.txt', content: '' })).toMatchObject({ bytes_written: 0, created: false });
    expect((await stat(at('new/deep/a.txt'))).mode & 0o777).toBe(0o750);
    expect(await readdir(at('new/deep'))).toEqual(['a.txt']);
  });

  test('makes no folders when told not to', async () => {
    await expect(write({ file_path: 'nowhere/a.txt', content: 'x', create_dirs: false })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('writes bytes from base64, and refuses what is none', async () => {
    await write({ file_path: 'bytes', content: 'AP/+\nAQ==', encoding: 'base64' });
    expect([...(await readFile(at('bytes')))]).toEqual([0, 255, 254, 1]);
    for (const content of ['a', 'ab!c', 'ab=c', 'a===']) {
      await expect(write({ file_path: 'bytes', content, encoding: 'base64' })).rejects.toMatchObject({ code: 'invalid_input' });
    }
    expect((await readFile(at('bytes'))).length).toBe(4);
  });

  test('a folder is not replaced by a file', async () => {
    await mkdir(at('folder'));
    await expect(write({ file_path: 'folder', content: 'x' })).rejects.toMatchObject({ name: 'Failure' });
  });
});

describe('edit_file', () => {
  test('changes the file and answers with the diff', async () => {
    await writeFile(at('code.ts'), 'const a = 1;\nconst b = 2;\nconst c = 3;\n');
    const values = { file_path: 'code.ts', edits: [{ old_text: 'b = 2', new_text: 'b = 4' }] };
    const diff = `--- ${at('code.ts')}\n+++ ${at('code.ts')}\n@@ -1,3 +1,3 @@\n const a = 1;\n-const b = 2;\n+const b = 4;\n const c = 3;\n`;
    expect(await machine.show(editFile, { ...values, dry_run: true })).toBe(`${diff}[dry run: nothing was written]`);
    expect(await edit(values)).toEqual({
      path: at('code.ts'),
      applied: true,
      replacements: 1,
      lines_added: 1,
      lines_removed: 1,
      diff,
      diff_truncated: false,
    });
    expect(await readFile(at('code.ts'), 'utf8')).toBe('const a = 1;\nconst b = 4;\nconst c = 3;\n');
  });

  test('keeps the byte order mark, CRLF endings and a missing last line break', async () => {
    await writeFile(at('windows.txt'), '\uFEFFone\r\ntwo\r\nthree');
    const { diff } = await edit({ file_path: 'windows.txt', edits: [{ old_text: 'one\ntwo', new_text: '1\n2\n2b' }] });
    expect(await readFile(at('windows.txt'), 'utf8')).toBe('\uFEFF1\r\n2\r\n2b\r\nthree');
    expect(diff).not.toContain('\r');
  });

  test('does not touch the file when one edit does not fit', async () => {
    await writeFile(at('same.txt'), 'a\nb\n');
    const edits = [
      { old_text: 'a', new_text: 'x' },
      { old_text: 'nothing', new_text: 'y' },
    ];
    await expect(edit({ file_path: 'same.txt', edits })).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await readFile(at('same.txt'), 'utf8')).toBe('a\nb\n');
  });

  test('does not overwrite what another program wrote meanwhile', async () => {
    await writeFile(at('shared.txt'), 'mine\n');
    const { files } = machine.backend;
    const { modifiedMs, version } = await files.stat(at('shared.txt'));
    await writeFile(at('shared.txt'), 'theirs\n');
    await utimes(at('shared.txt'), new Date(), new Date(modifiedMs + 5000));
    const late = files.write(at('shared.txt'), Buffer.from('late\n'), { createParents: false, ifVersion: version });
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(at('shared.txt'), 'utf8')).toBe('theirs\n');
  });

  test('leaves files alone that are not UTF-8, or too large', async () => {
    await writeFile(at('latin.txt'), Buffer.from('größe', 'latin1'));
    const edits = [{ old_text: 'gr', new_text: 'x' }];
    await expect(edit({ file_path: 'latin.txt', edits })).rejects.toMatchObject({ code: 'invalid_input' });
    await writeFile(at('large.txt'), 'gr');
    await truncate(at('large.txt'), 17 * 1024 * 1024);
    await expect(edit({ file_path: 'large.txt', edits })).rejects.toMatchObject({ code: 'too_large' });
  });

  test('a long diff is cut', async () => {
    await writeFile(at('many.txt'), 'old word\n'.repeat(20_000));
    const result = await edit({ file_path: 'many.txt', edits: [{ old_text: 'old', new_text: 'new', replace_all: true }] });
    expect(result).toMatchObject({ replacements: 20_000, lines_added: 20_000, lines_removed: 20_000, diff_truncated: true });
    expect((result.diff as string).length).toBeLessThan(40_000);
    expect(await readFile(at('many.txt'), 'utf8')).toBe('new word\n'.repeat(20_000));
  });
});
