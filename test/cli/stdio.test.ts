import { describe, expect, it } from 'vitest';
import { ended, firstLine, run, start, temporaryFile } from './run-program.ts';

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';

describe('stdio', () => {
  it('answers on stdout and ends with 0 when its input ends', async () => {
    const { status, stdout, stderr } = await run(['stdio'], { input: PING });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it('keeps what plug-ins print away from the protocol', async () => {
    const plugin = temporaryFile('noisy.mjs', 'export default () => { console.log("noise"); return { tools: [] }; };');
    const { stdout, stderr } = await run(['stdio', '--plugin', plugin], { input: PING });
    expect(JSON.parse(stdout)).toMatchObject({ id: 1 });
    expect(stderr).toBe('noise\n');
  });

  it('ends with 0 on SIGTERM though its input is still open', async () => {
    const child = start(['stdio']);
    const ending = ended(child);
    child.stdin.write(PING);
    await firstLine(child);
    child.kill('SIGTERM');
    expect(await ending).toMatchObject({ status: 0 });
  });

  it('says soon that the server of a bridge cannot be reached, and answers before clients give up', async () => {
    const { stdout, stderr } = await run(['stdio', '--connect', 'http://127.0.0.1:1/mcp'], {
      input: PING.replace('ping', 'tools/list'),
      env: { MCP_PYTHON_CONNECT_WAIT_SECONDS: '4' },
    });
    expect(stderr).toMatch(/^mcp-python: The server at \S+ cannot be reached: .* Waiting for it for up to 4 s\.\n$/);
    expect(JSON.parse(stdout).error.data).toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('mcp-python serve'),
    });
  });

  it('says what is wrong with a plug-in and ends with 3', async () => {
    const plugin = temporaryFile('broken.mjs', 'export default 5;');
    const { status, stdout, stderr } = await run(['stdio', '--plugin', plugin], { input: PING });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain(plugin);
  });
});
