import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readArguments } from '../../src/cli/call-arguments.ts';
import { defineTool } from '../../src/tools/tool.ts';

const tool = defineTool({
  name: 'example',
  title: 'Example',
  description: 'Takes a value of every type.',
  toolset: 'plugin',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.object({
    text: z.string().optional(),
    count: z.int().default(1),
    ratio: z.number().nullable(),
    flag: z.boolean(),
    list: z.array(z.string()),
    map: z.record(z.string(), z.unknown()),
    stdin: z.string(),
  }),
  execute: async () => ({}),
});

function read(words: readonly string[], input = '', signal = new AbortController().signal) {
  return readArguments(tool, words, Readable.from([Buffer.from(input)]), signal);
}

describe('the arguments of a call', () => {
  it.each([
    ['text=5', { text: '5' }],
    ['text=a=b:=c', { text: 'a=b:=c' }],
    ['text=', { text: '' }],
    ['text=two\nlines', { text: 'two\nlines' }],
    ['count=5', { count: 5 }],
    ['ratio=0.5', { ratio: 0.5 }],
    ['ratio:=null', { ratio: null }],
    ['flag=true', { flag: true }],
    ['flag=false', { flag: false }],
    ['list=["a", "b"]', { list: ['a', 'b'] }],
    ['map={"b": 1}', { map: { b: 1 } }],
    ['other=5', { other: '5' }],
    ['other:=5', { other: 5 }],
  ])('read %j by the schema of the tool', async (word, expected) => {
    expect(await read([word])).toEqual(expected);
  });

  it.each(['count=many', 'flag=yes', 'list=a'])("leave %s as text, for the tool's own check to refuse", async (word) => {
    expect(Object.values(await read([word]))).toEqual([word.split('=')[1]]);
  });

  it('may be one JSON object, as a word or on standard input', async () => {
    expect(await read(['{"text": "x"}'])).toEqual({ text: 'x' });
    expect(await read(['-'], '{"text": "x"}')).toEqual({ text: 'x' });
  });

  it('take standard input as text with stdin=-, and only there', async () => {
    expect(await read(['stdin=-', 'text=-'], 'some\ntext\n')).toEqual({ stdin: 'some\ntext\n', text: '-' });
  });

  it('cannot change what they are collected in', async () => {
    const values = await read(['__proto__:={"text": "sneaked in"}']);
    expect(Object.keys(values)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
    expect('text' in values).toBe(false);
  });

  it.each([
    ['a word that is not key=value', ['nonsense'], '', '"nonsense" is not key=value'],
    ['broken JSON in a value', ['list=['], '', 'The value of list is not valid JSON'],
    ['broken JSON after :=', ['count:=x'], '', 'The value of count is not valid JSON'],
    ['standard input that is no JSON', ['-'], 'text', 'Standard input is not valid JSON'],
    ['standard input that is no object', ['-'], '[1]', 'Standard input must be one JSON object'],
  ])('are refused for %s', async (_, words, input, message) => {
    await expect(read(words, input)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(message),
    });
  });

  it('are given up when the call is not wanted any more', async () => {
    const abort = new AbortController();
    const endless = new Readable({ read() {} });
    const reading = readArguments(tool, ['-'], endless, abort.signal);
    abort.abort(new Error('not wanted'));
    await expect(reading).rejects.toThrow('not wanted');
    expect(endless.destroyed).toBe(true);
  });
});
