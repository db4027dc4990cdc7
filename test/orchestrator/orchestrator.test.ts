import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Failure } from '../../src/errors.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createOrchestrator } from '../../src/orchestrator/orchestrator.ts';
import type { Caller } from '../../src/orchestrator/tool-run.ts';
import { createCatalogue } from '../../src/tools/catalogue.ts';
import { type AnyTool, defineTool, type ToolContext } from '../../src/tools/tool.ts';

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

function tool(name: string, execute: (input: { text: string }, context: ToolContext) => Promise<{ text: string }>): AnyTool {
  return defineTool({
    name,
    title: name,
    description: name,
    toolset: 'plugin',
    scope: 'tools:read',
    annotations,
    input: z.strictObject({ text: z.string().default('') }),
    output: z.object({ text: z.string() }),
    execute,
  });
}

function orchestrator(
  tools: AnyTool[],
  limits: Partial<{ capacity: number; maxQueueSize: number; timeoutSeconds: number }> = {},
) {
  const catalogue = createCatalogue([]);
  catalogue.contribute({ tools });
  return createOrchestrator({
    catalogue,
    backend: async () => {
      throw new Failure('unavailable', 'These tests have no machine.');
    },
    capacity: 2,
    maxQueueSize: 2,
    timeoutSeconds: 30,
    healthCheckSeconds: 10,
    ...limits,
  });
}

function caller(signal = new AbortController().signal): Caller {
  return {
    principal: LOCAL_PRINCIPAL,
    signal,
    ask: {
      can: { elicitation: false, sampling: false, roots: false },
      state: undefined,
      request: () => Promise.reject(new Error('nobody')),
    },
  };
}

/** A tool that runs until it is told to end. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let running = 0;
  return {
    open: resolve,
    running: () => running,
    tool: tool('wait', async ({ text }) => {
      running++;
      await promise;
      return { text };
    }),
  };
}

const echo = tool('echo', async ({ text }) => ({ text }));

describe('a tool call', () => {
  it('ends with structured content and its text', async () => {
    const outcome = await orchestrator([echo]).call({ tool: 'echo', arguments: { text: 'hi' } }, caller());
    expect(outcome).toMatchObject({
      isError: false,
      structuredContent: { text: 'hi' },
      content: [{ type: 'text', text: '{"text":"hi"}' }],
    });
  });

  it('names the nearest argument when one is unknown', async () => {
    const outcome = await orchestrator([echo]).call({ tool: 'echo', arguments: { txt: 'hi' } }, caller());
    expect(outcome.failure?.code).toBe('invalid_input');
    expect(outcome.content[0]).toMatchObject({ text: expect.stringContaining('did you mean "text"?') });
  });

  it('refuses an unknown tool and names the nearest', async () => {
    await expect(orchestrator([echo]).call({ tool: 'ecko', arguments: {} }, caller())).rejects.toMatchObject({
      code: 'not_found',
      hint: 'Did you mean "echo"?',
    });
  });

  it('reports a defect of a tool as internal, and goes on serving', async () => {
    const broken = tool('broken', async () => {
      throw new TypeError('x is not a function');
    });
    const pool = orchestrator([broken, echo]);
    expect((await pool.call({ tool: 'broken', arguments: {} }, caller())).failure?.code).toBe('internal');
    expect((await pool.call({ tool: 'echo', arguments: { text: 'still here' } }, caller())).isError).toBe(false);
  });

  it('ends with a time-out when it takes longer than allowed, told as such to the tool', async () => {
    const slow = tool(
      'slow',
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const outcome = await orchestrator([slow], { timeoutSeconds: 0.05 }).call({ tool: 'slow', arguments: {} }, caller());
    expect(outcome.failure?.code).toBe('timeout');
  });

  it('ends as cancelled when its caller goes away', async () => {
    const slow = tool(
      'slow',
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const abort = new AbortController();
    const outcome = orchestrator([slow]).call({ tool: 'slow', arguments: {} }, caller(abort.signal));
    setTimeout(() => abort.abort(), 10);
    expect((await outcome).failure?.code).toBe('cancelled');
  });
});

describe('the queue', () => {
  it('runs no more calls at once than its capacity', async () => {
    const { tool: wait, open, running } = gate();
    const pool = orchestrator([wait]);
    const calls = [1, 2, 3, 4].map(() => pool.call({ tool: 'wait', arguments: {} }, caller()));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(running()).toBe(2);
    expect(pool.status()).toMatchObject({ queued: 2, agents: [{ running: 2, capacity: 2 }] });
    open();
    expect((await Promise.all(calls)).every(({ isError }) => !isError)).toBe(true);
    expect(pool.status()).toMatchObject({ queued: 0, agents: [{ running: 0, calls: 4 }] });
  });

  it('refuses at once what it cannot hold, and says when to try again', async () => {
    const { tool: wait, open } = gate();
    const pool = orchestrator([wait]);
    const calls = [1, 2, 3, 4].map(() => pool.call({ tool: 'wait', arguments: {} }, caller()));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const refused = await pool.call({ tool: 'wait', arguments: {} }, caller());
    expect(refused.failure).toMatchObject({ code: 'unavailable', details: { retry_after_seconds: 2 } });
    open();
    await Promise.all(calls);
  });

  it('lets a waiting call be cancelled without running it', async () => {
    const { tool: wait, open, running } = gate();
    const pool = orchestrator([wait], { capacity: 1 });
    const first = pool.call({ tool: 'wait', arguments: {} }, caller());
    const abort = new AbortController();
    const second = pool.call({ tool: 'wait', arguments: {} }, caller(abort.signal));
    await new Promise((resolve) => setTimeout(resolve, 10));
    abort.abort();
    expect((await second).failure?.code).toBe('cancelled');
    open();
    await first;
    expect(running()).toBe(1);
  });

  it('remembers tasks with their state, newest first', async () => {
    const pool = orchestrator([echo]);
    await pool.call({ tool: 'echo', arguments: { text: 'a' } }, caller());
    await pool.call({ tool: 'echo', arguments: { text: 1 } }, caller());
    expect(pool.tasks(LOCAL_PRINCIPAL)).toMatchObject([
      { tool: 'echo', state: 'failed', code: 'invalid_input' },
      { tool: 'echo', state: 'completed' },
    ]);
    expect(pool.tasks({ ...LOCAL_PRINCIPAL, id: 'somebody else' })).toEqual([]);
  });

  it('stops running calls and refuses new ones when it is disposed of', async () => {
    const slow = tool(
      'slow',
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const pool = orchestrator([slow]);
    const running = pool.call({ tool: 'slow', arguments: {} }, caller());
    await new Promise((resolve) => setTimeout(resolve, 10));
    await pool[Symbol.asyncDispose]();
    expect((await running).failure?.code).toBe('unavailable');
    await expect(pool.call({ tool: 'slow', arguments: {} }, caller())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a call with an idempotency key', () => {
  const counting = () => {
    let runs = 0;
    return { tool: tool('count', async ({ text }) => ({ text: `${text}${++runs}` })), runs: () => runs };
  };
  const submit = (text: string, idempotencyKey: string) => ({ tool: 'count', arguments: { text }, idempotencyKey });

  it('runs once, however often it is submitted, and has one outcome', async () => {
    const { tool: count, runs } = counting();
    const pool = orchestrator([count]);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => pool.call(submit('a', 'key'), caller())));
    outcomes.push(await pool.call(submit('a', 'key'), caller()));
    expect(outcomes.map(({ structuredContent }) => structuredContent)).toEqual(Array(6).fill({ text: 'a1' }));
    expect(runs()).toBe(1);
  });

  it('is another call under another key, and for another principal', async () => {
    const { tool: count, runs } = counting();
    const pool = orchestrator([count]);
    await pool.call(submit('a', '1'), caller());
    await pool.call(submit('a', '2'), caller());
    await pool.call(submit('a', '1'), { ...caller(), principal: { ...LOCAL_PRINCIPAL, id: 'key:other' } });
    expect(runs()).toBe(3);
  });

  it('is refused when the key was used for something else', async () => {
    const { tool: count, runs } = counting();
    const pool = orchestrator([count]);
    await pool.call(submit('a', 'key'), caller());
    await expect(pool.call(submit('b', 'key'), caller())).rejects.toMatchObject({ code: 'conflict' });
    expect(runs()).toBe(1);
  });
});
