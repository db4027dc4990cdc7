import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Judge } from '../../src/backends/backend.ts';
import { createNativeFiles } from '../../src/backends/native-files.ts';
import { hold } from '../../src/backends/native-files-held.ts';
import { holdByName } from '../../src/backends/native-files-held-by-name.ts';

const anybody: Judge = { admit: async () => {}, conceals: () => false };
let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-native-files-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['by descriptor', hold],
  ['by name', holdByName],
])('files held %s', (_, hold) => {
  const files = createNativeFiles(hold);

  describe('opening', () => {
    it('reads any range of a file, and nothing past its end', async () => {
      writeFileSync(at('a'), '0123456789');
      await using file = await files.open(at('a'), anybody);
      expect(file.info).toMatchObject({ kind: 'file', size: 10 });
      expect(Buffer.from(await file.read(3, 4)).toString()).toBe('3456');
      expect(Buffer.from(await file.read(8, 100)).toString()).toBe('89');
      expect((await file.read(10, 100)).length).toBe(0);
    });

    it('reads what was opened even when its name means another file by then', async () => {
      writeFileSync(at('a'), 'old');
      await using file = await files.open(at('a'), anybody);
      rmSync(at('a'));
      writeFileSync(at('a'), 'new');
      expect(Buffer.from(await file.read(0, 10)).toString()).toBe('old');
    });

    it.each([
      ['a folder', (path: string) => mkdirSync(path)],
      ['a FIFO that nobody writes to', (path: string) => execFileSync('mkfifo', [path])],
    ])('refuses %s at once', async (_, make) => {
      make(at('odd'));
      await expect(files.open(at('odd'), anybody)).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(files.write(at('odd'), Buffer.from('x'), { createParents: false }, anybody)).rejects.toMatchObject({
        code: 'invalid_input',
      });
    });

    it.each([
      ['what does not exist', 'no/such/file', 'not_found'],
      ['a path through a file', 'file/below', 'invalid_input'],
    ])('refuses %s', async (_, path, code) => {
      writeFileSync(at('file'), '');
      await expect(files.open(at(path), anybody)).rejects.toMatchObject({ code });
    });
  });

  describe('writing', () => {
    it('shows readers the old bytes or the new ones, never a mixture', async () => {
      const [old, fresh] = [Buffer.alloc(200_000, 'a'), Buffer.alloc(300_000, 'b')];
      writeFileSync(at('a'), old);
      let going = true;
      const writing = (async () => {
        for (let round = 0; round < 15; round++)
          await files.write(at('a'), round % 2 ? old : fresh, { createParents: false }, anybody);
        going = false;
      })();
      while (going) {
        const seen = readFileSync(at('a'));
        expect(seen.equals(old) || seen.equals(fresh)).toBe(true);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
      expect(readdirSync(folder)).toEqual(['a']);
    });

    it('keeps the permissions of what it replaces', async () => {
      writeFileSync(at('script'), 'old');
      chmodSync(at('script'), 0o750);
      await files.write(at('script'), Buffer.from('new'), { createParents: false }, anybody);
      expect(statSync(at('script')).mode & 0o777).toBe(0o750);
    });

    it('makes missing folders only when told to', async () => {
      await expect(files.write(at('x/y/z'), Buffer.from('1'), { createParents: false }, anybody)).rejects.toMatchObject({
        code: 'not_found',
      });
      await files.write(at('x/y/z'), Buffer.from('1'), { createParents: true }, anybody);
      expect(readFileSync(at('x/y/z'), 'utf8')).toBe('1');
    });

    it('refuses when the file has changed since it was read', async () => {
      writeFileSync(at('a'), '1');
      const { version } = await files.stat(at('a'), anybody);
      await files.write(at('a'), Buffer.from('2'), { createParents: false, ifVersion: version }, anybody);
      await expect(
        files.write(at('a'), Buffer.from('3'), { createParents: false, ifVersion: version }, anybody),
      ).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(readFileSync(at('a'), 'utf8')).toBe('2');
    });
  });

  describe('resolving', () => {
    it('follows every link, keeps what does not exist, and goes through dangling links', async () => {
      mkdirSync(at('real'));
      symlinkSync('real', at('link'));
      symlinkSync('real/later', at('dangling'));
      symlinkSync('dangling', at('twice'));
      expect(await files.resolve(at('link/new/deep'))).toBe(at('real/new/deep'));
      expect(await files.resolve(at('dangling'))).toBe(at('real/later'));
      expect(await files.resolve(at('twice/below'))).toBe(at('real/later/below'));
      expect(await files.resolve('/')).toBe('/');
    });

    it('refuses links in a circle', async () => {
      symlinkSync('b', at('a'));
      symlinkSync('a', at('b'));
      await expect(files.resolve(at('a'))).rejects.toMatchObject({ code: 'invalid_input' });
    });
  });

  describe('listing', () => {
    it('is by name, with kinds and link targets, and says when it was cut', async () => {
      for (const name of ['b', 'a', '.hidden']) writeFileSync(at(name), name);
      mkdirSync(at('c'));
      symlinkSync('nowhere', at('d'));
      const { entries, truncated } = await files.list(folder, { hidden: false, limit: 10 }, anybody);
      expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
        [at('a'), 'file'],
        [at('b'), 'file'],
        [at('c'), 'directory'],
        [at('d'), 'symlink'],
      ]);
      expect(entries[3]).toMatchObject({ linkTarget: 'nowhere' });
      expect(truncated).toBe(false);
      expect(await files.list(folder, { hidden: true, limit: 2 }, anybody)).toMatchObject({
        truncated: true,
        entries: [{ path: at('.hidden') }, { path: at('a') }],
      });
    });
  });
});

describe('rights', () => {
  it.runIf(process.getuid?.() === 0)(
    'the owner stays who it was, and so do the bits that make a program run as its owner',
    async () => {
      writeFileSync(at('program'), 'old');
      chownSync(at('program'), 1234, 4321);
      chmodSync(at('program'), 0o6755);
      await createNativeFiles().write(at('program'), Buffer.from('new'), { createParents: false }, anybody);
      const { uid, gid, mode } = statSync(at('program'));
      expect([uid, gid, mode & 0o7777]).toEqual([1234, 4321, 0o6755]);
    },
  );
});

it('a folder of many entries is listed in order, whatever order the system has', async () => {
  for (let index = 0; index < 3000; index++) writeFileSync(at(String((index * 7919) % 3001).padStart(4, '0')), '');
  const { entries, truncated } = await createNativeFiles().list(folder, { hidden: false, limit: 5 }, anybody);
  expect(entries.map(({ path }) => path)).toEqual(readdirSync(folder).sort().slice(0, 5).map(at));
  expect(truncated).toBe(true);
});
