import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, eventually, firstLine, isAlive, run, start, temporaryFile, temporaryFolder } from './run-program.ts';

const PLUGIN = `
export default ({ defineTool, RawResult, Failure, z }) => {
  const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
  const tool = (name, input, execute) =>
    defineTool({ name, title: name, description: name, toolset: 'plugin', scope: 'tools:read', annotations, input, execute });
  return {
    tools: [
      tool('fail_with', z.object({ code: z.string() }), async ({ code }) => {
        throw new Failure(code, 'It was told to fail.', { hint: 'Tell it otherwise.' });
      }),
      tool('says_error', z.object({}), async () => new RawResult([{ type: 'text', text: 'went wrong' }], { isError: true })),
      tool('prints', z.object({}), async () => { console.log('noise'); return { ok: true }; }),
      tool('asks', z.object({}), async (_, context) =>
        context.ask.request({ name: { method: 'elicitation/create', params: {} } })),
    ],
  };
};`;

function plugin(): string[] {
  return ['--plugin', temporaryFile('tools.mjs', PLUGIN)];
}

describe('call', () => {
  it("streams a command's output to its own streams", async () => {
    const ending = await run(['call', 'execute_command', 'command=echo out; echo err >&2']);
    expect(ending).toEqual({ status: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  it('shows output while the command still runs', async () => {
    const child = start(['call', 'execute_command', 'command=echo first; sleep 30']);
    expect(await firstLine(child)).toBe('first');
    expect(child.exitCode).toBeNull();
  });

  it('prints bytes as they are', async () => {
    const child = start(['call', 'execute_command', String.raw`command=printf '\377\033[31m\000'`]);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => child.on('close', resolve));
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0xff, 0x1b, ...Buffer.from('[31m'), 0]));
  });

  it('prints the structured result once with --json, and nothing else', async () => {
    const { status, stdout, stderr } = await run(['call', 'execute_command', 'command=echo hi', '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: 0, stdout: 'hi\n', stderr: '' });
  });

  it('prints nothing for a command without output', async () => {
    expect(await run(['call', 'execute_command', 'command=true'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it("ends with the command's own exit status only when asked to", async () => {
    expect(await run(['call', 'execute_command', 'command=exit 7'])).toMatchObject({ status: 0 });
    expect(await run(['call', 'execute_command', 'command=exit 7', '--exit-code'])).toMatchObject({ status: 7 });
    const killed = await run(['call', 'execute_command', 'command=kill -KILL $$', '--exit-code']);
    expect(killed.status).toBe(128 + constants.signals.SIGKILL);
  });

  it('tells a failure on stderr and nothing on stdout', async () => {
    const ending = await run(['call', 'read_file', 'file_path=/nonexistent']);
    expect(ending).toMatchObject({ status: 6, stdout: '' });
    expect(ending.stderr).toMatch(/^mcp-python: .*\/nonexistent.*\.\n/);
    const json = await run(['call', 'read_file', 'file_path=/nonexistent', '--json']);
    expect(json).toMatchObject({ status: 6, stdout: '' });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'not_found' } });
  });

  it('takes its arguments as JSON from standard input, or the command its text', async () => {
    const json = await run(['call', 'execute_command', '-'], { input: '{"command": "echo from stdin"}' });
    expect(json).toEqual({ status: 0, stdout: 'from stdin\n', stderr: '' });
    const text = await run(['call', 'execute_command', 'command=tr a-z A-Z', 'stdin=-'], { input: 'text\n' });
    expect(text).toEqual({ status: 0, stdout: 'TEXT\n', stderr: '' });
  });

  it('refuses arguments the tool does not take with 2, naming them', async () => {
    const { status, stdout, stderr } = await run(['call', 'execute_command', 'comand=true']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('comand');
  });

  it('names the nearest tool for one that does not exist', async () => {
    const { status, stderr } = await run(['call', 'read_fil', 'file_path=/etc/hosts']);
    expect(status).toBe(6);
    expect(stderr).toContain('Did you mean "read_file"?');
  });

  it("tells a tool's failure with what to do next", async () => {
    const ending = await run(['call', 'fail_with', 'code=denied', ...plugin()]);
    expect(ending).toEqual({ status: 5, stdout: '', stderr: 'mcp-python: It was told to fail.\n  Tell it otherwise.\n' });
  });

  it("tells a tool's own error on stderr", async () => {
    expect(await run(['call', 'says_error', ...plugin()])).toEqual({ status: 1, stdout: '', stderr: 'went wrong\n' });
  });

  it('keeps what plug-ins print out of the data', async () => {
    const { stdout, stderr } = await run(['call', 'prints', '--json', ...plugin()]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    expect(stderr).toBe('noise\n');
  });

  it('says that it has nobody to ask', async () => {
    const { status, stdout, stderr } = await run(['call', 'asks', ...plugin()]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('nobody to ask');
  });
});

describe('a call that is not wanted any more', () => {
  /** A call whose command has started a process of its own, and that process's id. */
  async function startTree(): Promise<{ child: ReturnType<typeof start>; pid: number }> {
    const file = join(temporaryFolder(), 'pid');
    const child = start(['call', 'execute_command', `command=sleep 60 & echo $! > ${file}; echo up; wait`], {
      // In a sandbox it would have another process id than here.
      env: { TMPDIR: '/tmp', MCP_PYTHON_EXECUTION_SECURITY_SANDBOX: 'off' },
    });
    await firstLine(child);
    return { child, pid: Number(readFileSync(file, 'utf8')) };
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 130 on %s, and so does all that the command started', async (signal) => {
    const { child, pid } = await startTree();
    const ending = ended(child);
    child.kill(signal);
    expect(await ending).toMatchObject({ status: 130, stderr: 'mcp-python: Interrupted.\n' });
    expect(await eventually(() => !isAlive(pid))).toBe(true);
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const child = start(['call', 'execute_command', 'command=yes']);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(stderr).toBe('');
  });

  it('ends with 124 past --timeout, also where it tells how far a task is', async () => {
    const words = ['title=t', 'description=d', 'task_type=x', 'run={"command":"sleep 60"}', 'wait=true'];
    const { status, stdout, stderr } = await run(['call', 'create_task', ...words, '--timeout', '1.5']);
    expect(status).toBe(124);
    expect(stdout).toMatch(/^(?:running|queued) /);
    expect(stderr).toContain('did not finish within 1.5 s');
  });

  it('ends with 124 past --timeout', async () => {
    const { status, stdout, stderr } = await run(['call', 'execute_command', 'command=sleep 60', '--timeout', '0.3']);
    expect({ status, stdout }).toEqual({ status: 124, stdout: '' });
    expect(stderr).toContain('did not finish within 0.3 s');
  });

  it('gives up waiting for standard input', async () => {
    const child = start(['call', 'execute_command', '-', '--timeout', '0.2']);
    expect(await ended(child)).toMatchObject({ status: 124, stdout: '' });
  });
});
