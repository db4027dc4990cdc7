/** Names that are swapped, as fast as a thread can, while the file tools use them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toFailure } from '../../src/errors.ts';
import type { GuardedFiles } from '../../src/guard/guarded-files.ts';
import { guardedNative } from '../fixtures/guard.ts';

const CANARY = 'canary-4711';
let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-race-')));
  root = join(base, 'ws');
  for (const name of ['ws/folder/sub', 'outside/sub', 'state']) mkdirSync(join(base, name), { recursive: true });
  for (const name of ['outside/file', 'outside/sub/file', 'state/file']) writeFileSync(join(base, name), CANARY);
  for (const name of ['folder/file', 'folder/sub/file', 'file']) writeFileSync(join(root, name), 'inside');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Does one of these for ever: `name` moved `aside` and back, with a link to `target` in its place, or with nothing. */
const SWAPPER = `
  const { renameSync, rmSync, symlinkSync } = require('node:fs');
  const { workerData: { name, aside, target }, parentPort } = require('node:worker_threads');
  let going = true;
  let rounds = 0;
  parentPort.on('message', () => { going = false; });
  (function round() {
    for (let turn = 0; turn < 200; turn++, rounds++) {
      renameSync(name, aside);
      // Somebody may write where nothing is; it goes with the link.
      if (target) try { symlinkSync(target, name); } catch {}
      for (;;) {
        try {
          rmSync(name, { recursive: true, force: true });
          renameSync(aside, name);
          break;
        } catch {}
      }
    }
    if (going) setImmediate(round);
    else { parentPort.postMessage(rounds); parentPort.close(); }
  })();
`;

interface Swap {
  readonly name: string;
  readonly aside?: string;
  readonly target?: string;
}

/** Runs `work` while names are swapped. */
async function whileSwapped({ name, aside = `${name}.aside`, target }: Swap, work: () => Promise<void>): Promise<void> {
  const swapper = new Worker(SWAPPER, { eval: true, workerData: { name, aside, target } });
  const swapped = new Promise<number>((resolve, reject) => {
    swapper.once('message', resolve);
    swapper.once('error', reject);
  });
  try {
    await work();
  } finally {
    swapper.postMessage('stop');
    expect(await swapped).toBeGreaterThan(100);
    await swapper.terminate();
  }
}

/** What comes of `times` tries, counted. */
async function count(times: number, attempt: () => Promise<string>): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let time = 0; time < times; time++) {
    const outcome = await attempt().catch((thrown) => toFailure(thrown).code as string);
    seen[outcome] = (seen[outcome] ?? 0) + 1;
  }
  return seen;
}

const read = async (files: GuardedFiles, path: string) => {
  await using file = await files.open(path);
  return Buffer.from(await file.read(0, 100)).toString();
};
const written = async (files: GuardedFiles, path: string, createParents = false) =>
  (await files.write(path, Buffer.from('written'), { createParents })) && 'written';

const confined = () => guardedNative(base, { restrictions: [root] }).files;
const HARMLESS = ['inside', 'written', 'denied', 'not_found', 'conflict', 'invalid_input'];

function expectHarmless(seen: Record<string, number>): void {
  expect(HARMLESS, JSON.stringify(seen)).toEqual(expect.arrayContaining(Object.keys(seen)));
}
function expectOutsideUntouched(): void {
  expect(readdirSync(join(base, 'outside'), { recursive: true }).sort()).toEqual(['file', 'sub', 'sub/file']);
  expect(readdirSync(join(base, 'state'))).toEqual(['file']);
  for (const name of ['outside/file', 'outside/sub/file', 'state/file'])
    expect(readFileSync(join(base, name), 'utf8')).toBe(CANARY);
}

describe.runIf(process.platform === 'linux')('while names are swapped', { timeout: 60_000 }, () => {
  it('a folder for a link to outside: nothing outside is read or written', async () => {
    const files = confined();
    await whileSwapped({ name: join(root, 'folder'), target: join(base, 'outside') }, async () => {
      const reads = await count(1000, () => read(files, 'folder/sub/file'));
      expectHarmless(reads);
      expect(reads.inside).toBeGreaterThan(0);
      expectHarmless(await count(500, () => written(files, 'folder/sub/new')));
      expectHarmless(await count(300, () => written(files, 'folder/a/b/new', true)));
      expectHarmless(await count(200, () => written(files, 'folder/file')));
    });
    expectOutsideUntouched();
  });

  it('a file for a link to outside: what is outside is not read, and the link is replaced, not followed', async () => {
    const files = confined();
    await whileSwapped({ name: join(root, 'file'), target: join(base, 'outside', 'file') }, async () => {
      expectHarmless(await count(1000, () => read(files, 'file')));
      expectHarmless(await count(500, () => written(files, 'file')));
    });
    expectOutsideUntouched();
  });

  it('a folder for a link to our own files: they are not read, written, listed or searched', async () => {
    const files = guardedNative(base, { restrictions: [base] }).files;
    const options = { caseSensitive: true, hidden: true, respectIgnores: false, limit: 10 };
    await whileSwapped({ name: join(root, 'folder'), target: join(base, 'state') }, async () => {
      expectHarmless(await count(500, () => read(files, 'ws/../folder/file')));
      expectHarmless(await count(500, () => read(files, 'folder/file')));
      expectHarmless(await count(200, () => written(files, 'folder/file')));
      const search = async () => {
        const { matches } = await files.search(
          { ...options, directory: 'folder', content: 'canary' },
          new AbortController().signal,
        );
        return matches.length === 0 ? 'inside' : JSON.stringify(matches);
      };
      expectHarmless(await count(50, search));
    });
    expectOutsideUntouched();
  });

  it('a folder for a link to outside: listings and searches tell nothing of outside', async () => {
    const files = confined();
    rmSync(join(base, 'outside', 'sub'), { recursive: true });
    writeFileSync(join(base, 'outside', 'secret-name'), `${CANARY}\ninside\n`);
    const options = { caseSensitive: true, hidden: true, respectIgnores: false, limit: 10 };
    await whileSwapped({ name: join(root, 'folder'), target: join(base, 'outside') }, async () => {
      const list = async (directory: string) => {
        const { entries } = await files.list(directory, { hidden: true, limit: 10 });
        return entries.some(({ path }) => path.includes('secret')) ? 'leaked' : 'inside';
      };
      expectHarmless(await count(300, () => list('folder')));
      for (const directory of ['.', 'folder']) {
        for (const content of [undefined, 'canary|inside']) {
          const search = async () => {
            const request = { ...options, directory, ...(content && { content }) };
            const { matches } = await files.search(request, new AbortController().signal);
            return matches.some(({ path, text }) => path.includes('secret') || text?.includes(CANARY)) ? 'leaked' : 'inside';
          };
          expectHarmless(await count(40, search));
        }
      }
    });
    expect(readdirSync(join(base, 'outside')).sort()).toEqual(['file', 'secret-name']);
  });

  it('a folder that is moved outside and back: nothing of ours lies outside in the end', async () => {
    const files = confined();
    await whileSwapped({ name: join(root, 'folder'), aside: join(base, 'outside', 'other') }, async () => {
      expectHarmless(await count(500, () => read(files, 'folder/file')));
      expectHarmless(await count(300, () => written(files, 'folder/file')));
    });
    for (const name of ['outside/file', 'outside/sub/file']) expect(readFileSync(join(base, name), 'utf8')).toBe(CANARY);
  });

  it('a file that others replace all the time is read all the same', async () => {
    const files = confined();
    let going = true;
    const writing = (async () => {
      while (going) await written(files, 'folder/file');
    })();
    const seen = await count(500, () => read(files, 'folder/file'));
    going = false;
    await writing;
    expect((seen.inside ?? 0) + (seen.written ?? 0)).toBe(500);
  });
});
