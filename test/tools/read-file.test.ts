import { appendFile, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFile } from '../../src/tools/read-file.ts';
import { type FileMachine, openFileMachine } from './file-machine.ts';

let machine: FileMachine;
beforeAll(async () => {
  machine = await openFileMachine();
});
afterAll(() => machine[Symbol.asyncDispose]());

const put = (name: string, content: string | Uint8Array) => writeFile(join(machine.folder, name), content);
const read = (values: object) => machine.run(readFile, values);

test('a small file comes whole, with its facts', async () => {
  await put('small.txt', 'one\ntwo\n');
  expect(await read({ file_path: 'small.txt' })).toEqual({
    path: join(machine.folder, 'small.txt'),
    content: 'one\ntwo\n',
    encoding: 'utf-8',
    first_line: 1,
    last_line: 2,
    bytes: 8,
    total_bytes: 8,
    total_lines: 2,
    modified: expect.stringMatching(/^\d{4}-.*Z$/),
    truncated: false,
  });
  expect(await machine.show(readFile, { file_path: 'small.txt' })).toBe('one\ntwo\n');
});

test('a long file comes in parts that join to the whole', async () => {
  const text = Array.from({ length: 4500 }, (_, index) => `line ${index + 1}\n`).join('');
  await put('long.txt', text);
  let whole = '';
  let parts = 0;
  for (let offset: number | undefined = 1; offset !== undefined; parts += 1) {
    const part: Awaited<ReturnType<typeof read>> = await read({ file_path: 'long.txt', offset });
    whole += part.content;
    offset = part.next_offset as number | undefined;
  }
  expect(whole).toBe(text);
  expect(parts).toBe(3);
  expect(await machine.show(readFile, { file_path: 'long.txt', limit: 2 })).toBe(
    `line 1\nline 2\n[lines 1 to 2 of a file of ${text.length} bytes; go on with offset=3]`,
  );
});

test('a negative offset reads the end, numbered, and can be gone on with', async () => {
  expect(await machine.show(readFile, { file_path: 'long.txt', offset: -2 })).toBe(
    'line 4499\nline 4500\n[lines 4499 to 4500 of 4500]',
  );
  expect(await read({ file_path: 'long.txt', offset: -10, limit: 4 })).toMatchObject({ first_line: 4491, next_offset: 4495 });
});

test('an offset behind the end says how many lines there are', async () => {
  expect(await machine.show(readFile, { file_path: 'small.txt', offset: 9 })).toBe('[the file has 2 lines]');
});

test('head, tail and a range far inside of a 10 GB file need little memory and time', async () => {
  const path = join(machine.folder, 'sparse.log');
  await put('sparse.log', 'first line\nsecond line\n');
  await truncate(path, 10 * 2 ** 30);
  const file = await open(path, 'a');
  await file.write(`\n${'tail line\n'.repeat(50)}the end\n`);
  await file.close();
  const before = process.memoryUsage().rss;
  const started = performance.now();
  expect(await read({ file_path: path, limit: 2 })).toMatchObject({
    content: 'first line\nsecond line\n',
    truncated: true,
    next_offset: 3,
  });
  expect(await read({ file_path: path, offset: -2 })).toMatchObject({ content: 'tail line\nthe end\n', truncated: false });
  expect(performance.now() - started).toBeLessThan(1000);
  expect(await read({ file_path: path })).toMatchObject({ last_line: 2, next_offset: 3 });
  // Its third line is 10 GB of NULs, which are not text.
  await expect(read({ file_path: path, offset: 3 })).rejects.toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining('base64'),
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);

  const stop = new AbortController();
  const running = machine.run(readFile, { file_path: path, offset: 10 }, stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await expect(running).rejects.toThrow('enough');
});

test('a line without an end is cut, and says where its rest is', async () => {
  await put('line.txt', `${'é'.repeat(400_000)}\nafter`);
  const part = await read({ file_path: 'line.txt' });
  expect(part).toMatchObject({ first_line: 1, last_line: 1, truncated: true, next_offset: 2 });
  expect(part.content).toMatch(/^é+$/);
  expect(part.note).toContain(`offset=${part.bytes}`);
  expect(await read({ file_path: 'line.txt', offset: 2 })).toMatchObject({ content: 'after', total_lines: 2 });
});

test('the end of a file that begins with gigabytes of hole is found at once', async () => {
  await put('hole.log', '');
  await truncate(join(machine.folder, 'hole.log'), 10 * 1024 ** 3);
  await appendFile(join(machine.folder, 'hole.log'), 'after the hole\nlast\n');
  const startedMs = Date.now();
  expect(await read({ file_path: 'hole.log', offset: -1 })).toMatchObject({ content: 'last\n', truncated: false });
  expect(await read({ file_path: 'hole.log', offset: -2 })).toMatchObject({
    content: 'after the hole\nlast\n',
    note: expect.stringContaining('hole'),
  });
  expect(Date.now() - startedMs).toBeLessThan(5000);
});

test('a tail that begins too far from the end says so, and gives the lines within reach', async () => {
  await put('far.log', 'first\n');
  await truncate(join(machine.folder, 'far.log'), 1024 ** 3);
  await appendFile(join(machine.folder, 'far.log'), '\nA\nB\n');
  expect(await read({ file_path: 'far.log', offset: -3 })).toMatchObject({
    content: 'A\nB\n',
    note: expect.stringContaining('too far from the end'),
  });
});

test('base64 reads any bytes by position', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await put('bytes.bin', bytes);
  await expect(read({ file_path: 'bytes.bin' })).rejects.toMatchObject({ code: 'invalid_input' });
  const part = await read({ file_path: 'bytes.bin', encoding: 'base64', offset: 10, limit: 20 });
  expect(part).toMatchObject({ offset: 10, bytes: 20, total_bytes: 256, truncated: true, next_offset: 30 });
  expect(Buffer.from(part.content as string, 'base64')).toEqual(Buffer.from(bytes.subarray(10, 30)));
  expect(await read({ file_path: 'bytes.bin', encoding: 'base64', offset: -6 })).toMatchObject({
    offset: 250,
    bytes: 6,
    truncated: false,
  });
  expect(await machine.show(readFile, { file_path: 'bytes.bin', encoding: 'base64', offset: 300 })).toContain(
    'the file ends at byte 256',
  );
});

test('marks and encodings are understood', async () => {
  await put('bom.txt', '\uFEFFtext');
  expect(await read({ file_path: 'bom.txt' })).toMatchObject({ content: 'text', bytes: 7 });
  await put('latin.txt', Buffer.from('größe\n', 'latin1'));
  expect(await read({ file_path: 'latin.txt', encoding: 'latin1' })).toMatchObject({ content: 'größe\n' });
  expect(await read({ file_path: 'latin.txt' })).toMatchObject({ note: expect.stringContaining('not UTF-8') });
  await put('wide.txt', Buffer.from('\uFEFFgröße\nzwei\n', 'utf16le'));
  expect(await read({ file_path: 'wide.txt', encoding: 'utf-16le', limit: 1 })).toMatchObject({
    content: 'größe\n',
    next_offset: 2,
  });
  await expect(read({ file_path: 'wide.txt' })).rejects.toMatchObject({ hint: expect.stringContaining('utf-16le') });
});

test('an empty file is said to be empty, a missing one not to be there', async () => {
  await put('empty.txt', '');
  expect(await machine.show(readFile, { file_path: 'empty.txt' })).toBe('[The file is empty.]');
  expect(await read({ file_path: 'empty.txt' })).toMatchObject({ content: '', total_lines: 0, truncated: false });
  await expect(read({ file_path: 'missing.txt' })).rejects.toMatchObject({ code: 'not_found' });
});
