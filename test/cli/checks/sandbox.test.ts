import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeGaps } from '../../../src/backends/sandbox/gaps.ts';
import { folderWith, noSandbox, runProgram } from '../../backends/sandbox/in-sandbox.ts';
import { run } from '../run-program.ts';

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string;
}

const ENTRY = join(import.meta.dirname, '../../../bin/mcp-python.ts');
const DOCTOR = ['doctor', '--json'];
const PORT = { MCP_PYTHON_SERVER_MCP_HTTP_PORT: '0' };
const mode = (value: string) => ({ MCP_PYTHON_EXECUTION_SECURITY_SANDBOX: value });

function checkIn(stdout: string): Check | undefined {
  return (JSON.parse(stdout) as { checks: Check[] }).checks.find(({ name }) => name === 'sandbox');
}

async function doctor(env: Readonly<Record<string, string>>) {
  const { status, stdout } = await run(DOCTOR, { env: { ...PORT, ...env } });
  return { status, check: checkIn(stdout) };
}

/** Where there is no sandbox: in one, without bwrap or with it. */
async function doctorWithout(env: Readonly<Record<string, string>>, hidden: readonly string[]) {
  const { status, stdout } = await runProgram({ hidden }, [process.execPath, ENTRY, ...DOCTOR], {
    env: { PATH: '/usr/bin:/bin', ...PORT, ...env },
  });
  return { status, check: checkIn(stdout) };
}

describe.skipIf(noSandbox)('doctor', { timeout: 30_000 }, () => {
  it('names the sandbox and its version', async () => {
    expect((await doctor({})).check).toMatchObject({ status: 'ok', message: expect.stringMatching(/^bubblewrap \d+\.\d+/) });
  });

  it('warns when there is none, says what does not hold, and how to install it', async () => {
    const { check } = await doctorWithout({}, ['/usr/bin/bwrap', '/bin/bwrap', '/usr/local/bin/bwrap']);
    expect(check).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('commands can change every file that mcp-python can'),
      hint: expect.stringMatching(/^Bubblewrap is not installed\. Run `.* bubblewrap`\.$/),
    });
  });

  it('fails when one is required and there is none', async () => {
    const { status, check } = await doctorWithout(mode('required'), ['/usr/bin/bwrap', '/bin/bwrap', '/usr/local/bin/bwrap']);
    expect(check).toMatchObject({ status: 'fail', message: 'there is none, so no command runs' });
    expect(status).not.toBe(0);
  });

  it('tells one that is installed and forbidden from one that is not, and what to do', async () => {
    const { check } = await doctorWithout({}, []);
    expect(check).toMatchObject({ status: 'warn', hint: expect.stringMatching(/bwrap does not work here: .+\. \S.+\.$/) });
  });

  it('takes no program for it that others could have put on the PATH', async () => {
    const folder = folderWith({ bwrap: '#!/bin/sh\necho bubblewrap 9.9.9\n' });
    const { check } = await doctorWithout({ PATH: `${folder}:/usr/bin:/bin` }, [
      '/usr/bin/bwrap',
      '/bin/bwrap',
      '/usr/local/bin/bwrap',
    ]);
    expect(check?.status).toBe('warn');
  });

  it('warns when it is switched off', async () => {
    expect((await doctor(mode('off'))).check).toMatchObject({ status: 'warn', message: expect.stringMatching(/^off: /) });
  });

  it('fails for a list of hosts with something else in it', async () => {
    const { check } = await doctor({ MCP_PYTHON_EXECUTION_SECURITY_NETWORK_HOSTS: 'https://example.com' });
    expect(check).toMatchObject({ status: 'fail', message: expect.stringContaining('https://example.com') });
  });

  it.skipIf(process.getuid?.() !== 0)('warns root of a workspace that is another user’s', async () => {
    const workspace = folderWith();
    chownSync(workspace, 65_534, 65_534);
    const { check } = await doctor({ MCP_PYTHON_EXECUTION_WORKSPACE: workspace });
    expect(check).toMatchObject({ status: 'warn', message: expect.stringContaining('commands cannot write in the workspace') });
  });
});

describe('what is not enforced without a sandbox', () => {
  const none = { reason: 'It is not installed.' };
  it('is only what was asked for', () => {
    const open = { writable: ['/'], hidden: [], network: 'all' as const };
    expect(describeGaps(open, none)).not.toContain('commands can reach the whole network');
    expect(describeGaps({ ...open, hidden: ['/x'], network: ['a.test'] }, none)).toEqual([
      'commands can change every file that mcp-python can',
      'commands can read every file that mcp-python can',
      'commands can reach the whole network',
      'commands see and can end other processes of the user',
    ]);
  });
});
