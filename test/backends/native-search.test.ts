import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Judge, SearchRequest, SearchResult } from '../../src/backends/backend.ts';
import { searchNative } from '../../src/backends/native-search.ts';
import { findRipgrep } from '../../src/backends/native-search-ripgrep.ts';

let root: string;
let ripgrep: string | null;
const never = new AbortController().signal;
const anybody: Judge = { admit: async () => {}, conceals: () => false };

const FILES: Record<string, string | Buffer> = {
  '.gitignore': '*.log\nbuild/\n!keep.log\n/only-root.txt\n# a comment\nspaced\\ \nnested/deep/*.tmp\n',
  'a.txt': 'Hello world\nsecond line\n\n  indented Hello\n',
  'b.log': 'hello log\n',
  'keep.log': 'hello kept\n',
  'only-root.txt': 'hello root\n',
  'sub/only-root.txt': 'hello sub\n',
  'build/out.txt': 'hello build\n',
  'src/build/out.txt': 'hello nested build\n',
  'src/build.txt': 'hello build file\n',
  'src/.gitignore': '*.gen.ts\n!important.gen.ts\n!*.log\n',
  'src/x.gen.ts': 'hello generated\n',
  'src/important.gen.ts': 'hello important\n',
  'src/unignored.log': 'hello unignored\n',
  'src/deep/.gitignore': '/x.gen.ts\n!y.gen.ts\n',
  'src/deep/y.gen.ts': 'hello y\n',
  'src/deep/x.gen.ts': 'hello x\n',
  'nested/deep/a.tmp': 'hello tmp\n',
  'nested/deep/down/a.tmp': 'hello tmp below\n',
  'back/.gitignore': 'folder/\n!folder/\n',
  'back/folder/in.txt': 'hello back\n',
  'excluded-by-info.txt': 'hello info\n',
  '.hidden/file.txt': 'hello hidden\n',
  '.dotfile': 'hello dot\n',
  'odd [name]/.gitignore': 'x*\n',
  'odd [name]/x1': 'hello odd\n',
  'odd [name]/y1': 'hello even\n',
  'with space.txt': 'hello space\n',
  'with\nbreak.txt': 'hello break\n',
  '-dash.txt': 'hello dash\n',
  'a-b/c.txt': 'hello order one\n',
  'a/c.txt': 'hello order two\n',
  'a.d/c.txt': 'hello order three\n',
  'unicode-é/ü.txt': 'größe hello ÄÖ \u212a \u017f a\u212a\nпривет\n日本語 hello\n',
  'crlf.txt': 'hello one\r\nworld two\r\n\r\nend of hello\r\n',
  'bom.txt': '\uFEFFhello bom\nsecond hello\n',
  'no-newline.txt': 'first\nhello end',
  'empty.txt': '',
  'binary.bin': Buffer.from('hello\n\0binary hello\n'),
  'late-nul.txt': Buffer.concat([Buffer.from('hello early\n'), Buffer.alloc(9000, 'x\n'), Buffer.from('\0hello late\n')]),
  'utf16.txt': Buffer.from('\uFEFFhello utf16\n', 'utf16le'),
  'broken.txt': Buffer.from([
    ...Buffer.from('hello '),
    0xff,
    0xfe,
    0x20,
    0xe2,
    0x82,
    ...Buffer.from(' x\nfoo'),
    0xe2,
    ...Buffer.from('bar hello\n'),
  ]),
  'long-line.txt': `${'x'.repeat(30_000)}hello far\n${'y'.repeat(2000)}hello near${'z'.repeat(9000)}\nhello after\n`,
  'huge-line.txt': `${'hello '.repeat(60_000)}\nhello next\n`,
  'code.ts': 'if (x) { return foo(1); }\nconst a_b = /x+/;\n\tfoo.bar(baz)[0]\naaa\nfoo-bar foo_bar\n',
  'repository/.git/HEAD': 'ref: refs/heads/main\n',
  'repository/in.log': 'hello inner log\n',
  '.ignore': 'ignored-by-ignore.txt\n!src/build.txt\n',
  'ignored-by-ignore.txt': 'hello ignore\n',
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mcp-search-'));
  ripgrep = await findRipgrep();
  execFileSync('git', ['init', '-q', root]);
  await writeFile(join(root, '.git/info/exclude'), 'excluded-by-info.txt\n');
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await symlink('..', join(root, 'src/loop'));
  await symlink('../a.txt', join(root, 'src/link.txt'));
  await symlink('missing', join(root, 'dangling'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await mkdir(join(root, 'many'));
  for (let index = 0; index < 70; index += 1) await writeFile(join(root, 'many', `${index}.txt`), `hello ${index}\n`);
});

afterAll(() => rm(root, { recursive: true, force: true }));

const request = (more: Partial<SearchRequest>): SearchRequest => ({
  directory: root,
  caseSensitive: true,
  hidden: false,
  respectIgnores: true,
  limit: 10_000,
  ...more,
});

/** One line for each match, so that a failure can be read. */
const flat = ({ matches, truncated }: SearchResult) =>
  [...matches.map(({ path, line, text }) => `${path}:${line}:${text}`), truncated ? 'truncated' : 'complete'].join('\n');

const search = (more: Partial<SearchRequest>, options: { ripgrep: string | null } = { ripgrep: null }) =>
  searchNative(request(more), never, anybody, options);

describe('with ripgrep and without', () => {
  const contents = [
    ...[
      'hello',
      'Hello',
      '^hello',
      'hello$',
      '^hello$',
      '^$',
      'o w',
      'hello.*l',
      '^.{5} ',
      'l{2}o',
      '(hello|world) ',
      '[hH]ello',
    ],
    ...[
      '\\bfoo\\b',
      '\\Bbar',
      '\\Bk',
      '\\d+',
      '\\w+_\\w+',
      'foo\\.bar\\(',
      '\\) \\{ return',
      '[^a-z]hello',
      '^\\s+\\S',
      'a{3}?',
      '(?i)HELLO',
    ],
    ...[
      'größe',
      'GRÖSSE',
      'gr..e',
      '[äöü]',
      'привет',
      '\\p{Lu}',
      '\\pL+$',
      '日.語',
      '\\x{65e5}',
      '\\u00f6',
      'hello . ',
      'hello .* x',
      'foo.bar',
      'foo[^a]bar',
    ],
    ...[
      '\\t',
      '[[:upper:]]',
      '[]x]+',
      '[a\\]-]',
      'K',
      'k',
      's',
      'end of hello$',
      'two\\r',
      '\\w$',
      'zz$',
      'x$',
      'hello near',
      '(?P<name>hello)',
      '-b',
      '--',
      '-e',
    ],
    ...['(a|aa)+$', '.', '\\W\\W', '\\D$', '.\\b.'],
  ];
  test.each(contents)('the lines found for %j are the same', async (content) => {
    if (ripgrep === null) throw new Error('this test needs ripgrep (rg) on PATH');
    for (const caseSensitive of content === 'hello' || content.length === 1 ? [true, false] : [content.length % 2 === 0]) {
      const more = { content, caseSensitive, hidden: true, respectIgnores: false };
      expect(flat(await search(more, { ripgrep }))).toBe(flat(await search(more)));
    }
  });

  test('what neither takes is refused before anything runs', async () => {
    for (const content of [
      '(?=a)',
      '(?<!a)b',
      '(a)\\1',
      '\\k<a>',
      'a\\nb',
      '(',
      'a)',
      'x) {',
      '[a',
      '*a',
      'a**',
      'a++',
      '\\q',
      'a{2000}',
      '(?x)a',
      '\\',
      '[b-a]',
      '\\p{Nonsense}',
    ]) {
      for (const engine of [null, ripgrep]) {
        await expect(search({ content }, { ripgrep: engine }), content).rejects.toMatchObject({ code: 'invalid_input' });
      }
    }
  });

  test('globs, extensions and limits act the same', async () => {
    for (const more of [
      { glob: '*.txt' },
      { glob: 'src/**' },
      { glob: '*.{ts,log}' },
      { extensions: ['ts', '.log'] },
      { limit: 5 },
      { glob: 'many/*' },
      { limit: 1 },
    ]) {
      const without = await search({ content: 'hello', ...more });
      expect(without.matches.length).toBeGreaterThan(0);
      expect(flat(await search({ content: 'hello', ...more }, { ripgrep }))).toBe(flat(without));
    }
  });

  test('a ripgrep that does not work is done without', async () => {
    const broken = join(root, 'rg-broken');
    await writeFile(broken, '#!/bin/sh\necho "unrecognized flag" >&2\nexit 2\n');
    await chmod(broken, 0o755);
    const found = await search({ content: 'hello', glob: 'a.txt' }, { ripgrep: broken });
    await rm(broken);
    expect(found).toEqual(await search({ content: 'hello', glob: 'a.txt' }));
  });
});

test('the files found are those git would not ignore', async () => {
  const listed = execFileSync('git', ['-C', root, 'ls-files', '-coz', '--exclude-standard'], { encoding: 'utf8' }).split('\0');
  // `.ignore` is no concern of git, and git stops at other repositories.
  const asGit = listed.filter((path) => path && !path.startsWith('repository/') && path !== 'ignored-by-ignore.txt');
  const { matches } = await search({ hidden: true });
  const ours = matches.map(({ path }) => path).filter((path) => !path.startsWith('repository/') && path !== 'pipe');
  expect(ours).toEqual(asGit.sort());
});

test('.ignore wins over git, a repository inside another starts afresh, and nothing is ignored when not asked', async () => {
  const names = async (more: Partial<SearchRequest>) => (await search(more)).matches.map(({ path }) => path);
  const followed = await names({});
  expect(followed).toContain('repository/in.log');
  expect(followed).not.toContain('ignored-by-ignore.txt');
  const all = await names({ respectIgnores: false, hidden: true });
  expect(all).toEqual(expect.arrayContaining(['ignored-by-ignore.txt', 'build/out.txt', '.git/info/exclude']));
});

test('a search below the root follows the rules from above, but not those that ignore the folder itself', async () => {
  const below = await search({ directory: join(root, 'src/deep') });
  expect(below.matches).toEqual([{ path: 'y.gen.ts' }]);
  const ignored = await search({ directory: join(root, 'build') });
  expect(ignored.matches).toEqual([{ path: 'out.txt' }]);
});

test('.gitignore counts outside of a repository too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-search-plain-'));
  await writeFile(join(folder, '.gitignore'), 'no\n');
  await writeFile(join(folder, 'no'), '');
  await writeFile(join(folder, 'yes'), '');
  const found = await search({ directory: folder });
  await rm(folder, { recursive: true });
  expect(found.matches).toEqual([{ path: 'yes' }]);
});

test('results are ordered by path and line, and a cut search says so', async () => {
  const { matches } = await search({ content: 'hello' });
  const paths = matches.map(({ path }) => path);
  expect(paths).toEqual([...paths].sort());
  const cut = await search({ limit: 3 });
  expect(cut).toMatchObject({ truncated: true, matches: { length: 3 } });
  expect((await search({ glob: 'a.txt', limit: 1 })).truncated).toBe(false);
});

test('a long line is shown around its match', async () => {
  const { matches } = await search({ content: 'hello near' });
  expect(matches[0]?.text).toMatch(/^…y+hello nearz+…$/);
  expect(matches[0]?.text?.length).toBeLessThanOrEqual(500);
});

test('an expression that would take years ends with a failure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-search-slow-'));
  await writeFile(join(folder, 'slow.txt'), `${'a'.repeat(60)}b\n`);
  const outcome = search({ directory: folder, content: '(a+)+$' });
  await expect(outcome).rejects.toMatchObject({ code: 'invalid_input', message: expect.stringContaining('too long') });
  await rm(folder, { recursive: true });
});

test('an aborted search stops, with ripgrep in the middle of a large file and without', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-search-large-'));
  await writeFile(join(folder, 'large.txt'), 'text at the beginning\n'.repeat(1000));
  await truncate(join(folder, 'large.txt'), 50 * 2 ** 30);
  for (const engine of [null, ripgrep]) {
    const stop = new AbortController();
    const running = searchNative(request({ directory: folder, content: 'needle' }), stop.signal, anybody, { ripgrep: engine });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    const started = performance.now();
    await expect(running).rejects.toThrow('enough');
    expect(performance.now() - started).toBeLessThan(1500);
  }
  await rm(folder, { recursive: true });
});

test('a folder that is not there, or is none, is said', async () => {
  await expect(search({ directory: join(root, 'nowhere') })).rejects.toMatchObject({ code: 'not_found' });
  await expect(search({ directory: join(root, 'a.txt') })).rejects.toMatchObject({ code: 'invalid_input' });
});
