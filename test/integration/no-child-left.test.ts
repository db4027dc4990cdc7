/** Commands do not outlive the server, however it ends. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../fixtures/mcp-http.ts';
import { isRunning } from '../fixtures/processes.ts';
import { createHome, PROGRAM, programArguments, startServer } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { isHere } from '../setup/peers.ts';

/** A shell, a child of it, and a grandchild that left its process group and session; each leaves its id in a file. */
const COMMAND = (folder: string, number: number) =>
  `echo $$ > ${folder}/${number}; sleep 300 & echo $! > ${folder}/${number}.child; setsid sleep 300 & echo $! > ${folder}/${number}.left; wait`;

const call = (id: number, folder: string) => ({
  id,
  method: 'tools/call',
  params: { name: 'execute_command', arguments: { command: COMMAND(folder, id), timeout: 200 } },
});

/** The process ids of `commands` commands, once all have started. */
async function idsIn(folder: string, commands: number): Promise<number[]> {
  const read = () => readdirSync(folder).map((file) => Number(readFileSync(join(folder, file), 'utf8')));
  await eventually(() => read().filter((id) => id > 0).length === commands * 3, 20_000);
  const ids = read();
  expect(ids.filter(isRunning)).toHaveLength(commands * 3);
  return ids;
}

// macOS has no setsid.
describe.skipIf(!isHere('setsid'))('within two seconds nothing is left', { timeout: 40_000 }, () => {
  it('of 50 running commands when `serve` is killed', async () => {
    await using server = await startServer({ config: { orchestrator: { agent_count: 5, max_concurrent_tasks: 10 } } });
    const folder = join(server.home.folder, 'ids');
    mkdirSync(folder);
    const session = await openSession(server.url);
    const calls = Array.from({ length: 50 }, (_, number) => session.send(call(number, folder)).catch(() => {}));
    const ids = await idsIn(folder, 50);
    process.kill(server.pid, 'SIGKILL');
    await eventually(() => !ids.some(isRunning), 2000);
    await Promise.all(calls);
  });

  it('of the commands of `stdio` when the process that started it is killed, though its pipes stay open', async () => {
    using home = createHome();
    const folder = join(home.folder, 'ids');
    mkdirSync(folder);
    // The shell is the parent; we hold the pipes, so that only its death tells the server.
    const args = [...PROGRAM, ...programArguments(home, 'stdio', {})];
    const parent = spawn('/bin/sh', ['-c', '"$@"; exit $?', 'parent', ...args], { cwd: home.folder, env: home.environment });
    parent.stdout.resume();
    const send = (message: object) => parent.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    send({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    });
    for (let number = 0; number < 5; number++) send(call(number, folder));
    const ids = await idsIn(folder, 5);
    const closed = new Promise((resolve) => parent.stdout.on('close', resolve));
    parent.kill('SIGKILL');
    await eventually(() => !ids.some(isRunning), 2000);
    // The server itself is gone too: nobody holds its end of the pipe.
    await closed;
  });
});
