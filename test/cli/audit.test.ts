import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAuditLog } from '../../src/audit/open-audit-log.ts';
import { eventually, run, start, temporaryFolder } from './run-program.ts';

/** A log with one call and one refused command; `env` leads the program to it. */
async function exampleLog() {
  const stateDirectory = temporaryFolder();
  const log = await openAuditLog({
    directory: join(stateDirectory, 'audit'),
    stateDirectory,
    required: true,
    maxFileBytes: 1024 ** 2,
    maxFileAgeSeconds: 3600,
    keepFiles: 10,
    redact: (text) => text,
    onFailure: () => {},
  });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const call = { principal: 'local', principal_name: 'local', task: '00000000-0000-4000-8000-000000000001' };
  await log.record({
    event: 'call',
    ...call,
    tool: 'read_file',
    outcome: 'failed',
    code: 'not_found',
    duration_ms: 1.26,
    target: '/a',
  });
  await log.record({
    event: 'command',
    ...call,
    tool: 'execute_command',
    backend: 'native',
    command: 'echo \u001b[31mred\nrm -rf /',
    parsed: ['echo red', 'rm -rf /'],
    verdict: 'deny',
    rule: 'developer',
    reason: 'rm may not delete /',
    working_directory: '/',
    sandbox: 'none',
  });
  return { log, file: join(stateDirectory, 'audit/audit-00000001.jsonl'), env: { MCP_PYTHON_STATE_DIRECTORY: stateDirectory } };
}

describe('audit verify', () => {
  it('tells that a log is intact, and its head', async () => {
    const { env, file } = await exampleLog();
    const { status, stdout, stderr } = await run(['audit', 'verify'], { env });
    const { hash } = JSON.parse(readFileSync(file, 'utf8').split('\n')[2] ?? '');
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `3 records in 1 file, 1 to 3: intact\nhead 3:${hash}\n`,
      stderr: '',
    });
    const anchored = await run(['audit', 'verify', '--anchor', `3:${hash}`], { env });
    expect(anchored.status).toBe(0);
  });

  it('ends with 7 and names what was changed, in words and in JSON', async () => {
    const { env, file } = await exampleLog();
    writeFileSync(file, readFileSync(file, 'utf8').replace('read_file', 'edit_file'));
    const { status, stdout } = await run(['audit', 'verify'], { env });
    expect(status).toBe(7);
    expect(stdout).toMatch(/^problem {2}changed {2}audit-00000001\.jsonl, line 2, record 2: /);
    expect(stdout).toContain('NOT intact, 1 problem');
    const json = await run(['audit', 'verify', '--json'], { env });
    expect(json.status).toBe(7);
    expect(JSON.parse(json.stdout)).toMatchObject({ intact: false, findings: [{ kind: 'changed', line: 2, seq: 2 }] });
  });

  it.each(['verify', 'tail', 'query'])('ends with 6 where there is no log (%s)', async (name) => {
    const { status, stdout, stderr } = await run(['audit', name]);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toContain('There is no audit log in ');
  });

  it('ends with 2 for an anchor that is none', async () => {
    expect((await run(['audit', 'verify', '--anchor', '5'])).status).toBe(2);
  });
});

describe('audit tail and query', () => {
  it('print one line a record, without what a terminal would act on', async () => {
    const { env } = await exampleLog();
    const { status, stdout } = await run(['audit', 'tail'], { env });
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^\S+Z {2}#2 {2}call {9}local {2}read_file failed \[not_found\] 1\.3 ms \/a$/);
    expect(lines[2]).toContain('deny on native: echo red⏎rm -rf / (rule developer; sandbox none) rm may not delete /');
  });

  it('print records as they are in the log with --json', async () => {
    const { env, file } = await exampleLog();
    expect((await run(['audit', 'tail', '-n', '2', '--json'], { env })).stdout).toBe(
      readFileSync(file, 'utf8').split('\n').slice(1).join('\n'),
    );
  });

  it('print the records that fit', async () => {
    const { env } = await exampleLog();
    const { stdout } = await run(['audit', 'query', '--verdict', 'deny', '--since', '1h', '--text', 'RM -RF', '--json'], { env });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([3]);
    expect((await run(['audit', 'query', '--until', '2020-01-01'], { env })).stdout).toBe('');
    expect((await run(['audit', 'query', '--limit', '1'], { env })).stdout).toContain('#3');
  });

  it('go on with what comes', async () => {
    const { env, log } = await exampleLog();
    const child = start(['audit', 'tail', '-n', '0', '--follow'], { env });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    for (let tries = 0; tries < 100 && !stdout.includes('#'); tries++) {
      await log.record({ event: 'start', version: '1.2.3', role: 'serve' });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await eventually(() => /^\S+Z {2}#\d+ {2}start {8}serve 1\.2\.3$/m.test(stdout))).toBe(true);
  });

  it('end with 2 for times and counts that are none', async () => {
    for (const args of [
      ['query', '--since', 'yesterday'],
      ['query', '--since', '5'],
      ['tail', '-n', 'x'],
    ]) {
      expect([args, (await run(['audit', ...args])).status]).toEqual([args, 2]);
    }
  });
});
