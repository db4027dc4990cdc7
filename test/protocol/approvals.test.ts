/** Commands that a person has to approve, as clients and people at terminals see them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../cli/run-program.ts';
import { exchange, messagesOf } from '../fixtures/http-client.ts';
import { openSession, stateless } from '../fixtures/mcp-http.ts';
import { type RunningServer, startServer } from '../fixtures/server.ts';
import { startStdio } from '../fixtures/stdio-client.ts';

const config = { execution: { security: { rules: [{ verdict: 'ask', command: 'touch', reason: 'touching is delicate' }] } } };
const touch = (name: string) => ({ name: 'execute_command', arguments: { command: `touch ${name}` } });
const accept = (decision: string) => ({ action: 'accept', content: { decision } });
const made = (server: Pick<RunningServer, 'home'>, name: string) => existsSync(join(server.home.folder, name));

describe('a client with sessions that can be asked', () => {
  it('is asked, and the answer decides: once, for the session, or not', async () => {
    await using client = startStdio({ config });
    await client.request({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'test', version: '1' } },
    });
    const call = async (id: string, name: string, answer?: object) => {
      client.send({ id, method: 'tools/call', params: touch(name) });
      if (answer) {
        const question = await client.next(({ method }) => method === 'elicitation/create');
        expect(question.params.message).toMatch(/touch .*touching is delicate/s);
        client.send({ id: question.id, result: answer });
      }
      return (await client.next((message) => message.id === id)).result;
    };
    expect((await call('1', 'a', { action: 'decline' })).content[0].text).toContain('[denied]');
    expect((await call('2', 'a', accept('no'))).isError).toBe(true);
    expect(made(client, 'a')).toBe(false);
    expect((await call('3', 'a', accept('once'))).isError).toBeFalsy();
    expect(made(client, 'a')).toBe(true);
    expect((await call('4', 'b', accept('session'))).isError).toBeFalsy();
    // Not asked any more.
    expect((await call('5', 'b')).isError).toBeFalsy();
    // But for another command.
    expect((await call('6', 'c', { action: 'cancel' })).isError).toBe(true);
  });
});

describe('a client of MCP 2026-07-28 that can be asked', () => {
  it('gets an input-required result, and the call runs with the answer', async () => {
    await using server = await startServer({ config });
    const call = (params: object) =>
      exchange(
        server.url,
        stateless(
          'tools/call',
          { ...touch('a'), ...params },
          { capabilities: { elicitation: {} }, headers: { accept: 'application/json' } },
        ),
      );
    const { result } = (await call({})).json;
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    const [[key, question]] = Object.entries<{ params: { message: string } }>(result.inputRequests) as [
      [string, { params: { message: string } }],
    ];
    expect(question.params.message).toContain('touch a');
    expect(made(server, 'a')).toBe(false);
    const second = (await call({ inputResponses: { [key]: accept('once') }, requestState: result.requestState })).json.result;
    expect(second).toMatchObject({ resultType: 'complete' });
    expect(second.isError).toBeFalsy();
    expect(made(server, 'a')).toBe(true);
  });
});

describe('a client that cannot be asked', () => {
  it('is told the line to type in a terminal, and may repeat the call after that', async () => {
    await using server = await startServer({ config });
    const session = await openSession(server.url);
    const call = async () => {
      const { json, events } = await session.send(
        { id: 1, method: 'tools/call', params: touch('a') },
        { accept: 'application/json' },
      );
      return (json ?? messagesOf(events)[0]).result;
    };
    const refused = await call();
    expect(refused.isError).toBe(true);
    const id = /mcp-python approve ([0-9a-f]{8})/.exec(refused.content[0].text)?.[1] as string;
    const terminal = (...args: string[]) => run(['approve', ...args], { env: server.home.environment });
    expect((await terminal()).stdout).toContain(`${id}  `);
    expect(JSON.parse((await terminal('--json')).stdout)).toMatchObject([{ id, command: 'touch a', principal: 'local' }]);
    expect(await terminal('ffffffff')).toMatchObject({ status: 6, stdout: '' });
    expect(await terminal(id)).toMatchObject({ status: 0 });
    expect((await call()).isError).toBeFalsy();
    expect(made(server, 'a')).toBe(true);
    expect((await call()).isError).toBe(true);
  });

  it('is a shell: exit status 8', async () => {
    await using server = await startServer({ config });
    const args = ['--config', join(server.home.folder, 'config-serve.json'), 'call', 'execute_command', 'command=touch a'];
    expect(await run(args, { env: server.home.environment, cwd: server.home.folder })).toMatchObject({
      status: 8,
      stdout: '',
      stderr: expect.stringContaining('mcp-python approve'),
    });
  });
});

describe('a command that a tool runs', () => {
  it('cannot approve anything', async () => {
    await using server = await startServer({ config: { execution: { security: { sandbox: 'off' } } } });
    const session = await openSession(server.url);
    const { result } = await session.request('tools/call', {
      name: 'execute_command',
      arguments: {
        command: process.env.TEST_MCP_BINARY ?? process.execPath,
        args: [...(process.env.TEST_MCP_BINARY ? [] : ['bin/mcp-python.ts']), 'approve'],
        working_directory: process.cwd(),
      },
    });
    expect(JSON.stringify(result)).toMatch(/for people|denied/);
  });
});
