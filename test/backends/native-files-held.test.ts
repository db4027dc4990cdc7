import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Judge } from '../../src/backends/backend.ts';
import { createNativeFiles } from '../../src/backends/native-files.ts';
import { hold } from '../../src/backends/native-files-held.ts';
import { Failure } from '../../src/errors.ts';

const anybody: Judge = { admit: async () => {}, conceals: () => false };
let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-held-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A judge in whose time something else happens, once. */
function meanwhile(happens: () => void): Judge & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    async admit({ realPath }) {
      seen.push(realPath);
      if (seen.length === 1) happens();
    },
    conceals: () => false,
  };
}

describe.runIf(process.platform === 'linux')('what happens between judgement and use changes nothing', () => {
  const files = createNativeFiles();
  const searched = { caseSensitive: true, hidden: true, respectIgnores: false, limit: 10 };
  const outside = () => readdirSync(at('outside')).map((name) => [name, readFileSync(at(`outside/${name}`), 'utf8')]);
  const replaceFolder = () => {
    renameSync(at('in'), at('moved'));
    symlinkSync('outside', at('in'));
  };

  beforeEach(() => {
    for (const name of ['in', 'outside']) mkdirSync(at(name));
    writeFileSync(at('in/file'), 'inside');
    writeFileSync(at('outside/file'), 'outside');
  });

  it('a file is read that was replaced by a link', async () => {
    const judge = meanwhile(() => {
      rmSync(at('in/file'));
      symlinkSync('../outside/file', at('in/file'));
    });
    await using file = await files.open(at('in/file'), judge);
    expect(Buffer.from(await file.read(0, 10)).toString()).toBe('inside');
  });

  it('a file is written in a folder that was moved, and its new place is judged', async () => {
    const judge = meanwhile(replaceFolder);
    const { path } = await files.write(at('in/file'), Buffer.from('new'), { createParents: false }, judge);
    expect(path).toBe(at('moved/file'));
    expect(judge.seen.at(-1)).toBe(at('moved/file'));
    expect(readFileSync(at('moved/file'), 'utf8')).toBe('new');
    expect(outside()).toEqual([['file', 'outside']]);
  });

  it('nothing is written where the new place is refused, and nothing is left behind', async () => {
    const judge = meanwhile(replaceFolder);
    const strict: Judge = {
      ...judge,
      async admit(object) {
        await judge.admit(object);
        if (object.realPath.startsWith(at('moved'))) throw new Failure('denied', 'It was moved.');
      },
    };
    const work = files.write(at('in/new'), Buffer.from('new'), { createParents: false }, strict);
    await expect(work).rejects.toMatchObject({ code: 'denied' });
    expect(readdirSync(at('moved'))).toEqual(['file']);
    expect(outside()).toEqual([['file', 'outside']]);
  });

  it('folders are made, but not through a link that was put in the place of one', async () => {
    const judge = meanwhile(() => symlinkSync('../outside', at('in/a')));
    const work = files.write(
      at('in/a/b/new'),
      Buffer.from('new'),
      { createParents: true },
      {
        ...judge,
        async admit(object) {
          await judge.admit(object);
          if (object.realPath.startsWith(at('outside'))) throw new Failure('denied', 'It is outside.');
        },
      },
    );
    await expect(work).rejects.toMatchObject({ code: 'denied' });
    expect(outside()).toEqual([['file', 'outside']]);
  });

  it('a name that became a link is judged again, for where the link leads', async () => {
    const judge = meanwhile(() => symlinkSync('../outside/new', at('in/new')));
    await files.write(at('in/new'), Buffer.from('new'), { createParents: false }, judge);
    expect(judge.seen.at(-1)).toBe(at('outside/new'));
  });

  it('a folder is listed and searched that a link took the place of', async () => {
    expect((await files.list(at('in'), { hidden: true, limit: 10 }, meanwhile(replaceFolder))).entries).toMatchObject([
      { path: at('in/file'), size: 6 },
    ]);
    rmSync(at('in'));
    renameSync(at('moved'), at('in'));
    const found = await files.search(
      { ...searched, directory: at('in'), content: 'side' },
      AbortSignal.timeout(5000),
      meanwhile(replaceFolder),
    );
    expect(found.matches).toEqual([{ path: 'file', line: 1, text: 'inside' }]);
  });
});

describe.runIf(process.platform === 'linux')('a held object', () => {
  it('is found where it is, also under a name that looks like one of a deleted file', async () => {
    writeFileSync(at('gone (deleted)'), 'here');
    using held = await hold(at('gone (deleted)'));
    expect(held.realPath).toBe(at('gone (deleted)'));
    renameSync(at('gone (deleted)'), at('other'));
    expect(await held.whereNow()).toBe(at('other'));
  });

  it('is nowhere once it is deleted, also when a file has the name the system gives it then', async () => {
    writeFileSync(at('file'), 'here');
    using held = await hold(at('file'));
    rmSync(at('file'));
    await expect(held.whereNow()).rejects.toMatchObject({ code: 'conflict' });
    writeFileSync(at('file (deleted)'), 'another');
    await expect(held.whereNow()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keeps no descriptor open when it is let go, nor when it is refused', async () => {
    writeFileSync(at('file'), 'here');
    const open = () => readdirSync('/proc/self/fd').length;
    const files = createNativeFiles();
    const never: Judge = { ...anybody, admit: async () => Promise.reject(new Failure('denied', 'Never.')) };
    const useAll = async (judge: Judge) => {
      const request = { directory: folder, content: 'h', caseSensitive: true, hidden: true, respectIgnores: true, limit: 1 };
      await files.open(at('file'), judge).then(
        (file) => file[Symbol.asyncDispose](),
        () => {},
      );
      await files.open(at('missing'), judge).catch(() => {});
      await files.stat(at('file'), judge).catch(() => {});
      await files.list(folder, { hidden: true, limit: 1 }, judge).catch(() => {});
      await files.write(at('a/b/c'), Buffer.from('x'), { createParents: true }, judge).catch(() => {});
      await files.write(at('no/where'), Buffer.from('x'), { createParents: false }, judge).catch(() => {});
      await files.search(request, AbortSignal.timeout(5000), judge).catch(() => {});
    };
    await useAll(anybody);
    const before = open();
    for (let round = 0; round < 10; round++) for (const judge of [anybody, never]) await useAll(judge);
    expect(open()).toBe(before);
  });
});
