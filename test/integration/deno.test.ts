import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ended, firstLine, temporaryFile, temporaryFolder } from '../cli/run-program.ts';
import { clientCommand } from '../setup/clients.ts';
import { INITIALIZE, line, runCommand, startCommand } from './commands.ts';

const DENO = clientCommand('deno') ?? '';
const PROGRAM = ['run', '-A', '--no-prompt', join(import.meta.dirname, '../../bin/mcp-python.ts')];

function environment(): NodeJS.ProcessEnv {
  const home = temporaryFolder();
  return { PATH: process.env.PATH, HOME: home, DENO_DIR: join(home, 'deno'), NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };
}

function run(...args: string[]): Promise<Ended> {
  return runCommand(DENO, [...PROGRAM, ...args], { env: environment() });
}

describe.skipIf(DENO === '')('under Deno, the source', { timeout: 60_000 }, () => {
  it('calls a tool', async () => {
    const { status, stdout } = await run('call', 'check_command_exists', 'command=sh', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ command: 'sh', exists: true });
    expect(status).toBe(0);
  });

  it('runs commands and passes their exit code', async () => {
    const { status, stdout } = await run('call', 'execute_command', 'command=echo hi; exit 3', '--exit-code', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ stdout: 'hi\n', exit_code: 3 });
    expect(status).toBe(3);
  });

  it('loads a plug-in', async () => {
    const plugin = temporaryFile('plugin.ts', 'export default (): object => ({ tools: [] });');
    expect(await run('tools', '--json', '--plugin', plugin)).toMatchObject({ status: 0, stderr: '' });
  });

  it('speaks MCP over standard input and output, and ends with its input', async () => {
    const input = line(INITIALIZE) + line({ method: 'notifications/initialized' }) + line({ id: 2, method: 'tools/list' });
    const { status, stdout } = await runCommand(DENO, [...PROGRAM, 'stdio'], { env: environment(), input });
    const [initialized, tools] = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(initialized.result).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'mcp-python' } });
    expect(tools.result.tools.length).toBeGreaterThanOrEqual(9);
    expect(status).toBe(0);
  });

  it('speaks MCP over HTTP until it is stopped', async () => {
    const child = startCommand(DENO, [...PROGRAM, 'serve', '--port', '0', '--json'], { env: environment() });
    const { url } = JSON.parse(await firstLine(child));
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: line(INITIALIZE),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('mcp-session-id')).toBeTruthy();
    expect(await response.text()).toContain('"serverInfo"');
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
