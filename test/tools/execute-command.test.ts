import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createOrchestrator, type Orchestrator, type ToolOutcome } from '../../src/orchestrator/orchestrator.ts';
import { createCatalogue } from '../../src/tools/catalogue.ts';
import { BUILT_IN_TOOLS } from '../../src/tools/table.ts';
import { guardedNative } from '../fixtures/guard.ts';

let workspace: string;
let orchestrator: Orchestrator;

beforeAll(() => {
  workspace = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-execute-')));
  const backend = guardedNative(workspace, {
    workspace,
    temporary: tmpdir(),
    home: workspace,
    limits: { maxExecutionSeconds: 5, maxOutputBytes: 2000, resources: { memoryBytes: 2 * 1024 ** 3, cpus: 4, processes: 512 } },
  });
  orchestrator = createOrchestrator({
    catalogue: createCatalogue(BUILT_IN_TOOLS),
    backend: async () => backend,
    capacity: 10,
    maxQueueSize: 10,
    timeoutSeconds: 30,
    healthCheckSeconds: 10,
  });
});
afterAll(async () => {
  await orchestrator[Symbol.asyncDispose]();
  rmSync(workspace, { recursive: true });
});

function call(tool: string, values: object, signal = new AbortController().signal): Promise<ToolOutcome> {
  const ask = {
    can: { elicitation: false, sampling: false, roots: false },
    state: undefined,
    request: () => Promise.reject(new Error('nobody')),
  };
  return orchestrator.call({ tool, arguments: { ...values } }, { principal: LOCAL_PRINCIPAL, signal, ask });
}
const execute = (values: object, signal?: AbortSignal) => call('execute_command', values, signal);
const text = ({ content }: ToolOutcome) => (content[0]?.type === 'text' ? content[0].text : '');

describe('execute_command', () => {
  it('runs a script in the workspace and tells what happened', async () => {
    const outcome = await execute({ command: 'pwd; echo oops >&2; exit 2' });
    expect(outcome).toMatchObject({
      isError: false,
      structuredContent: {
        outcome: 'exited',
        exit_code: 2,
        signal: null,
        stdout: `${workspace}\n`,
        stderr: 'oops\n',
        working_directory: workspace,
      },
    });
    expect(text(outcome)).toBe(`${workspace}\n[stderr]\noops\n[exit code 2]`);
  });

  it('runs a program with arguments as they are', async () => {
    expect(text(await execute({ command: 'echo', args: ['$HOME', '; rm x'] }))).toBe('$HOME ; rm x');
  });

  it('stops at its time limit, with the output until then and what to do', async () => {
    const { failure } = await execute({ command: 'echo started; sleep 20', timeout: 0.3 });
    expect(failure).toMatchObject({ code: 'timeout', details: { outcome: 'timeout', stdout: 'started\n' } });
    expect(failure?.message).toContain('started');
    expect(failure?.hint).toContain('up to 5');
  });

  it('has no more time than the configuration allows', async () => {
    const startedMs = Date.now();
    const { failure } = await execute({ command: 'sleep 20', timeout: 1000 });
    expect(failure).toMatchObject({ code: 'timeout', hint: expect.stringContaining('max_execution_time') });
    expect(Date.now() - startedMs).toBeLessThan(9000);
  });

  it('ends as cancelled when its caller goes away', async () => {
    const abort = new AbortController();
    const running = execute({ command: 'echo begun; touch begun; sleep 20' }, abort.signal);
    await vi.waitFor(() => expect(existsSync(join(workspace, 'begun'))).toBe(true), 10_000);
    abort.abort();
    const { failure } = await running;
    expect(failure?.code).toBe('cancelled');
    expect(failure?.details).toMatchObject({ outcome: 'cancelled', stdout: 'begun\n' });
  });

  it('says how much of a long output is left out', async () => {
    const { structuredContent } = await execute({ command: 'seq 1 10000' });
    expect(structuredContent).toMatchObject({ stdout_omitted_bytes: 48_894 - 2000 });
    expect(structuredContent?.stdout).toMatch(/^1\n2\n[\s\S]*\[… 46894 bytes left out …\][\s\S]*\n10000\n$/);
  });

  it('shows output without terminal tricks, and binary as such', async () => {
    expect(text(await execute({ command: "printf '\\033[31mred\\033[0m\\n'" }))).toBe('red');
    expect(text(await execute({ command: "printf '\\000\\001\\002'" }))).toContain('binary, 3 bytes');
  });

  it('says when bytes were no UTF-8, and takes names that NUL separates for text', async () => {
    const latin = await execute({ command: "printf 'gr\\374\\337e aus Berlin'" });
    expect(latin.structuredContent).toMatchObject({ stdout: 'gr\ufffd\ufffde aus Berlin', stdout_flaw: 'invalid_utf8' });
    expect(text(latin)).toContain('not UTF-8');
    const names = await execute({ command: "printf 'one.txt\\000two.txt\\000'" });
    expect(names.structuredContent).toMatchObject({ stdout: 'one.txt␀two.txt␀' });
    expect(names.structuredContent).not.toHaveProperty('stdout_flaw');
  });

  it('feeds standard input and adds variables', async () => {
    expect(
      text(await execute({ command: 'read line; echo "$line $COLOUR"', stdin: 'sky\n', env_vars: { COLOUR: 'blue' } })),
    ).toBe('sky blue');
  });

  it.each([
    ['no folder', { command: 'true', working_directory: '/nonexistent' }, 'not_found'],
    ['a file as its folder', { command: 'true', working_directory: '/etc/passwd' }, 'invalid_input'],
    ['a NUL character', { command: 'true\0' }, 'invalid_input'],
    ['a program that is not there', { command: 'no-such-program', args: [] }, 'not_found'],
    ['a variable without a name', { command: 'true', env_vars: { '': 'x' } }, 'invalid_input'],
    ['an argument it does not know', { command: 'true', cwd: '/' }, 'invalid_input'],
  ])('cannot work with %s', async (_, values, code) => {
    expect((await execute(values)).failure).toMatchObject({ code });
  });

  it('refuses variables that would run other code', async () => {
    expect((await execute({ command: 'true', env_vars: { LD_PRELOAD: '/tmp/x.so' } })).failure).toMatchObject({
      code: 'denied',
      message: expect.stringContaining('LD_PRELOAD'),
    });
  });
});

describe('the other system tools', () => {
  it('tell what the machine is and how it does', async () => {
    const { structuredContent: info } = await call('get_system_info', {});
    expect(info).toMatchObject({ platform: process.platform, architecture: process.arch });
    const { structuredContent: status } = await call('get_system_status', {});
    expect(status).toMatchObject({ memory: { total_bytes: info?.memory_total_bytes } });
    expect(status?.disks).not.toEqual([]);
    expect(status?.cpu_busy).toBeGreaterThanOrEqual(0);
    expect(status?.cpu_busy).toBeLessThanOrEqual(1);
  });

  it.each([
    ['sh', true],
    ['/bin/sh', true],
    ['no-such-program', false],
    ['sh; rm -rf /', false],
    ['/etc', false],
    ['/etc/passwd', false],
  ])('say whether %j is a program: %s', async (command, exists) => {
    expect((await call('check_command_exists', { command })).structuredContent).toMatchObject({ command, exists });
  });
});
