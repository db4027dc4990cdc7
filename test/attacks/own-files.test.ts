/** Ways to our own configuration, keys and logs, tried with every file tool. */
import { linkSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editFile } from '../../src/tools/edit-file.ts';
import { listDirectory } from '../../src/tools/list-directory.ts';
import { readFile } from '../../src/tools/read-file.ts';
import { searchFiles } from '../../src/tools/search-files.ts';
import { writeFile } from '../../src/tools/write-file.ts';
import { guardedNative } from '../fixtures/guard.ts';
import { toolsOn } from '../tools/file-machine.ts';
import { base, CANARY, expectRefused, freshFiles, LINKS, linked, root, SPELLINGS, toolsWith } from './path-ways.ts';

freshFiles();

describe('our own files are not reached where everything around them may be', () => {
  const rules = () => ({
    restrictions: [base],
    protectedPaths: [join(base, 'state'), join(root, 'mcp.yaml'), join(root, '.mcp', 'new')],
  });
  const beside = ['list around', 'stat', 'write below'];
  const key = () => join(base, 'state', 'key');
  const openKey = () => `/proc/self/fd/${openSync(key(), 'r')}`;

  it.each([...SPELLINGS, ...LINKS.filter(([name]) => !name.includes('/dev/fd') && !name.includes('open file'))])(
    'by %s',
    (_, path) => expectRefused(path(key()), rules(), beside),
  );

  it.each([
    ['another case', () => join(base, 'STATE', 'Key')],
    ['letters that have the same capital', () => join(base, '\u017ftate', 'key')],
    ['characters that are not seen', () => join(base, 'st\u200date', 'key')],
    ['an open file of ours', () => openKey()],
    ['a link to it', () => linked(openKey())],
    ['a file that is not there yet', () => join(base, 'state', 'later')],
    ['a folder that is not there yet', () => '.mcp/new'],
    ['what is below it', () => '.mcp/new/deeper/file'],
    ['it in another case', () => '.MCP/New'],
    ['a file where its folder will be', () => '.mcp'],
    ['a link to where it will be', () => linked(join(root, '.mcp', 'new'))],
    ['the folder itself', () => join(base, 'state')],
    ['a folder in it', () => join(base, 'state', 'audit')],
    ['a log in it', () => join(base, 'state', 'audit', 'log.jsonl')],
    ['the configuration in the workspace', () => 'mcp.yaml'],
    ['the configuration by a detour', () => 'sub/../mcp.yaml'],
    ['the configuration by a link', () => linked('mcp.yaml')],
  ])('nor by %s', async (_, path) => {
    await expectRefused(path(), rules(), beside);
    expect(readFileSync(join(root, 'mcp.yaml'), 'utf8')).toBe(CANARY);
    expect(readdirSync(root)).not.toContain('.mcp');
  });

  it.each([
    ['a key', () => key()],
    ['a log', () => join(base, 'state', 'audit', 'log.jsonl')],
    ['the configuration', () => join(root, 'mcp.yaml')],
  ])('nor is what a hard link to %s holds', async (_, target) => {
    const backend = guardedNative(base, rules());
    const run = toolsOn(backend);
    // Before there is a link, so that what is known of our files must be brought up to date.
    await run(readFile, { file_path: 'inside.txt' });
    linkSync(target(), join(root, 'hard'));
    const denied = { code: 'denied' };
    await expect(run(readFile, { file_path: 'hard' })).rejects.toMatchObject(denied);
    await expect(run(editFile, { file_path: 'hard', edits: [{ old_text: 'c', new_text: 'd' }] })).rejects.toMatchObject(denied);
    await expect(backend.files.stat('hard')).rejects.toMatchObject(denied);
    expect((await run(searchFiles, { pattern: '*', content: CANARY })).matches).toEqual([]);
    expect((await run(listDirectory, {})).entries.map(({ name }) => name)).toEqual(['inside.txt', 'sub']);
    await expect(run(writeFile, { file_path: 'hard', content: 'new' })).rejects.toMatchObject(denied);
    expect(readFileSync(target(), 'utf8')).toBe(CANARY);
  });

  it('and are neither named nor searched from above', async () => {
    const run = toolsWith(rules());
    const named = await run(searchFiles, { directory: base, pattern: '*', show_hidden: true });
    const found = await run(searchFiles, { directory: base, pattern: '*', content: CANARY, show_hidden: true });
    const paths = [...named.matches, ...found.matches].map(({ path }) => relative(base, path));
    expect(paths.filter((path) => path.startsWith('state') || path.endsWith('mcp.yaml'))).toEqual([]);
    expect(paths).toContain('outside/canary.txt');
    const listed = [...(await run(listDirectory, { directory: base })).entries, ...(await run(listDirectory, {})).entries];
    expect(listed.map(({ name }) => name)).toEqual(['home', 'outside', 'tmp', 'ws', 'ws-evil', 'inside.txt', 'sub']);
  });
});
