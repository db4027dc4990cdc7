import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Failure } from '../../src/errors.ts';
import { presentFailure, presentOutput, presentRaw } from '../../src/orchestrator/tool-values.ts';
import { redactor } from '../../src/redaction/process-redactor.ts';
import { defineTool, RawResult } from '../../src/tools/tool.ts';

const SECRET = 'sunny-meadow-12';
redactor.addSecret(SECRET);
const TRICKS = 'a\u001b[31m\u202eb\u200b\u{e0041}';

function tool(present?: (output: { text: string }) => string) {
  return defineTool({
    name: 'tell',
    title: 'Tell',
    description: 'tell',
    toolset: 'plugin',
    scope: 'tools:read',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({}),
    output: z.object({ text: z.string() }),
    execute: async () => ({ text: '' }),
    ...(present && { present }),
  });
}

describe("a tool's result", () => {
  it('has no known secret and no credential, in its structure and its text', () => {
    const text = `x ${SECRET} ghp_${'a1B2'.repeat(9)}`;
    const masked = 'x [redacted] [redacted:github-token]';
    expect(presentOutput(tool(), { text })).toEqual({
      content: [{ type: 'text', text: `{"text":"${masked}"}` }],
      structuredContent: { text: masked },
      isError: false,
    });
    expect(
      presentOutput(
        tool(({ text: shown }) => `${shown}, and ${SECRET}`),
        { text },
      ).content,
    ).toEqual([{ type: 'text', text: `${masked}, and [redacted]` }]);
  });

  it('has text without tricks, and its structure as the tool gave it', () => {
    const outcome = presentOutput(
      tool(({ text }) => text),
      { text: TRICKS },
    );
    expect(outcome.content).toEqual([{ type: 'text', text: 'ab' }]);
    expect(outcome.structuredContent).toEqual({ text: TRICKS });
  });

  it('shows a secret to nobody that invisible characters run through', () => {
    const text = `${SECRET.slice(0, 5)}\u200b${SECRET.slice(5)}`;
    expect(
      presentOutput(
        tool(({ text: shown }) => shown),
        { text },
      ).content,
    ).toEqual([{ type: 'text', text: '[redacted]' }]);
  });

  it("in the wire's own words is masked and cleaned too, and its images are left alone", () => {
    const image = { type: 'image' as const, data: Buffer.from('\u0089PNG image').toString('base64'), mimeType: 'image/png' };
    const raw = new RawResult([{ type: 'text', text: `${TRICKS} ${SECRET}` }, image], {
      structuredContent: { password: 'pa55word', text: SECRET },
      meta: { note: SECRET },
    });
    expect(presentRaw(raw)).toEqual({
      content: [{ type: 'text', text: 'ab [redacted]' }, image],
      isError: false,
      structuredContent: { password: '[redacted:password]', text: '[redacted]' },
      meta: { note: '[redacted]' },
    });
  });
});

describe("a tool's failure", () => {
  it('has neither secrets nor tricks in its sentence, its hint and its facts', () => {
    const failure = new Failure('not_found', `No ${TRICKS} ${SECRET}.`, { hint: `See ${SECRET}.`, details: { path: [SECRET] } });
    const outcome = presentFailure(failure);
    expect(outcome).toMatchObject({
      content: [{ type: 'text', text: '[not_found] No ab [redacted].\nSee [redacted].' }],
      isError: true,
      failure: { code: 'not_found', message: 'No ab [redacted].', hint: 'See [redacted].', details: { path: ['[redacted]'] } },
      meta: { 'mcp-python/failure': { code: 'not_found', message: 'No ab [redacted].', details: { path: ['[redacted]'] } } },
    });
    expect(`${outcome.failure?.stack}`).not.toContain(SECRET);
  });

  it('is handed on as it is when there is nothing to take out', () => {
    const failure = new Failure('denied', 'It may not.', { hint: 'Ask.' });
    expect(presentFailure(failure).failure).toBe(failure);
  });
});
