import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { presentOutput } from '../../src/orchestrator/tool-values.ts';
import { redactor } from '../../src/redaction/process-redactor.ts';
import { editFile } from '../../src/tools/edit-file.ts';
import { readFile as readFileTool } from '../../src/tools/read-file.ts';
import type { AnyTool, JsonObject } from '../../src/tools/tool.ts';
import { writeFile as writeFileTool } from '../../src/tools/write-file.ts';
import { type FileMachine, openFileMachine } from './file-machine.ts';

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;
const OTHER = `ghp_${'c3D4'.repeat(9)}`;
const MASK = '[redacted:github-token]';

let machine: FileMachine;
beforeAll(async () => {
  machine = await openFileMachine();
});
afterAll(() => machine[Symbol.asyncDispose]());

const at = (name: string) => join(machine.folder, name);
const content = (name: string) => readFile(at(name), 'utf8');
/** What a client gets of a tool's result. */
const told = async (tool: AnyTool, values: object) => presentOutput(tool, (await machine.run(tool, values)) as JsonObject);
const edit = (name: string, old_text: string, new_text: string) =>
  machine.run(editFile, { file_path: name, edits: [{ old_text, new_text }] });

describe('a file with a secret', () => {
  test('is read with a mask, and the reader is told', async () => {
    await writeFile(at('read'), `a\nurl = https://${TOKEN}@host\nb\n`);
    const outcome = await told(readFileTool, { file_path: 'read' });
    expect(outcome.structuredContent?.content).toBe(`a\nurl = https://${MASK}@host\nb\n`);
    expect(JSON.stringify(outcome)).not.toContain(TOKEN);
    expect(outcome.content).toMatchObject([{ text: expect.stringContaining('[secrets are masked; ') }]);
  });

  test('can be edited beside it, and what is shown of the change is masked', async () => {
    await writeFile(at('beside'), `key = ${TOKEN} # old\n`);
    const outcome = await told(editFile, { file_path: 'beside', edits: [{ old_text: '# old', new_text: '# new' }] });
    expect(await content('beside')).toBe(`key = ${TOKEN} # new\n`);
    expect(outcome.structuredContent?.diff).toContain(`+key = ${MASK} # new`);
    expect(JSON.stringify(outcome)).not.toContain(TOKEN);
  });

  test('can be edited as it is shown: the secret stays, or goes with its mask', async () => {
    await writeFile(at('through'), `one = ${TOKEN}\r\ntwo = ${OTHER}\r\n`);
    await edit('through', `one = ${MASK}\ntwo = ${MASK}`, `1 = ${MASK}\n2 = ${MASK}`);
    expect(await content('through')).toBe(`1 = ${TOKEN}\r\n2 = ${OTHER}\r\n`);
    await edit('through', `1 = ${MASK}`, '1 = none');
    expect(await content('through')).toBe(`1 = none\r\n2 = ${OTHER}\r\n`);
  });

  test('is not edited where several places look alike', async () => {
    await writeFile(at('alike'), `k = ${TOKEN}\nk = ${OTHER}\n`);
    await expect(edit('alike', `k = ${MASK}`, 'k = 1')).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('several places'),
    });
    await edit('alike', `k = ${MASK}\nk = `, 'k = 1\nk = ');
    expect(await content('alike')).toBe(`k = 1\nk = ${OTHER}\n`);
  });

  test('is edited by words that only look like a mask where it has them', async () => {
    await writeFile(at('words'), `prints ${MASK}\nkey = ${TOKEN}\n`);
    await edit('words', `prints ${MASK}`, `shows ${MASK}`);
    await edit('words', `shows ${MASK}\nkey = ${MASK}`, `${MASK} is shown\nkey: ${MASK}`);
    expect(await content('words')).toBe(`${MASK} is shown\nkey: ${TOKEN}\n`);
  });

  test('never gets a mask in place of the secret', async () => {
    const before = `a = ${TOKEN}\nb\n`;
    await writeFile(at('kept'), before);
    const refused = { code: 'invalid_input', message: expect.stringContaining('instead of a secret'), hint: expect.any(String) };
    await expect(machine.run(writeFileTool, { file_path: 'kept', content: `a = ${MASK}\nc\n` })).rejects.toMatchObject(refused);
    await expect(edit('kept', 'b', `b = ${MASK}`)).rejects.toMatchObject(refused);
    await expect(edit('kept', `a = ${MASK}`, `a = ${MASK}\nc = ${MASK}`)).rejects.toMatchObject(refused);
    await expect(machine.run(writeFileTool, { file_path: 'copy', content: `a = ${MASK}\n` })).rejects.toMatchObject(refused);
    expect(await content('kept')).toBe(before);
  });
});

test('text that has had a mask all along is written as ever, and new ones by their bytes', async () => {
  await writeFile(at('manual'), `It prints ${MASK}.\n`);
  await machine.run(writeFileTool, { file_path: 'manual', content: `Instead of it ${MASK} is printed.\n` });
  expect(await content('manual')).toBe(`Instead of it ${MASK} is printed.\n`);
  const bytes = Buffer.from(`${MASK} and ${MASK}`).toString('base64');
  await machine.run(writeFileTool, { file_path: 'manual', content: bytes, encoding: 'base64' });
  expect(await content('manual')).toBe(`${MASK} and ${MASK}`);
});

test('a known secret is masked in every encoding that a file has it in', async () => {
  const secret = 'tulip/rain "42"';
  redactor.addSecret(secret);
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret), Buffer.from(`u:${secret}`).toString('base64')];
  await writeFile(at('known'), forms.join('\n'));
  for (const encoding of ['utf-8', 'latin1', 'base64']) {
    const outcome = JSON.stringify(await told(readFileTool, { file_path: 'known', encoding }));
    for (const word of ['tulip', 'rain', '42']) expect(outcome).not.toContain(word);
  }
});

test('characters that hide or reorder text are left out of the text, and that is said', async () => {
  await writeFile(at('tricks'), 'plain\n\u202egnp.exe\u001b[2K\u200b\u{e0041}\n');
  const outcome = await told(readFileTool, { file_path: 'tricks' });
  expect(outcome.content).toEqual([
    { type: 'text', text: 'plain\ngnp.exe\n[control characters and invisible ones are left out]' },
  ]);
  // The file as it is, for programs.
  expect(outcome.structuredContent?.content).toBe('plain\n\u202egnp.exe\u001b[2K\u200b\u{e0041}\n');
});
