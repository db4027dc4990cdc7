import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createProgressSender } from '../../src/protocol/progress.ts';
import { redactor } from '../../src/redaction/process-redactor.ts';
import type { JsonObject } from '../../src/tools/tool.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function sender() {
  const sent: JsonObject[] = [];
  const { progress, output } = createProgressSender('p', (params) => sent.push(params));
  const write = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => output(stream, Buffer.from(text));
  return { sent, progress, write, messages: () => sent.map(({ message }) => message).join('') };
}

it('a secret that is written in two pieces is masked, whichever notification they would be in', () => {
  redactor.addSecret('quiet-river-stone');
  const { write, messages } = sender();
  write('key quiet-riv');
  vi.advanceTimersByTime(300);
  write('warning: ', 'stderr');
  vi.advanceTimersByTime(300);
  write('er-stone.\n');
  vi.advanceTimersByTime(300);
  expect(messages()).toBe('key warning: [redacted].\n');
});

it('a secret that colours run through is masked', () => {
  redactor.addSecret('quiet-river-stone');
  const { write, messages } = sender();
  write('found quiet-\u001b[31mriver\u001b[0m-stone here\n');
  vi.advanceTimersByTime(300);
  expect(messages()).toBe('found [redacted] here\n');
});

it("a tool's own words are masked too", () => {
  const { progress, sent } = sender();
  progress({ progress: 1, message: `fetching https://me:pa55word@host/${'x'.repeat(3)}\u202e` });
  expect(sent).toEqual([{ progressToken: 'p', progress: 1, message: 'fetching https://me:[redacted:password]@host/xxx' }]);
});

it('of much output the end is told, and no end of a secret in it', () => {
  redactor.addSecret('quiet-river-stone');
  const { write, messages } = sender();
  write(`${'quiet-river-stone '.repeat(5000)}\n`);
  vi.advanceTimersByTime(300);
  expect(messages().length).toBeLessThanOrEqual(2000);
  expect(messages()).not.toMatch(/quiet|river|stone/);
});

it.each([0, 0.5, 3, 2 ** 40])(
  'a call that says nothing for ten seconds (after %d) tells that it goes on, with a value that grows',
  (value) => {
    const { progress, sent } = sender();
    progress({ progress: value });
    vi.advanceTimersByTime(9_000);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(22_000);
    expect(sent.map(({ message }) => message)).toEqual([
      undefined,
      'Still running after 10 s.',
      'Still running after 20 s.',
      'Still running after 30 s.',
    ]);
    const values = sent.map((each) => each.progress as number);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    expect(values.at(-1)).toBeLessThan(value * 1.0001 + 0.001);
  },
);

it('what was told puts the sign of life off, and nothing comes after the end', () => {
  const sent: JsonObject[] = [];
  const { progress, stop } = createProgressSender('p', (params) => sent.push(params));
  for (let step = 1; step <= 4; step++) {
    vi.advanceTimersByTime(6_000);
    progress({ progress: step });
  }
  expect(sent).toHaveLength(4);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(sent).toHaveLength(4);
});
