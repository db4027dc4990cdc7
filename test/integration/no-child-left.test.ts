/** Commands do not outlive the server, however it ends. */
import { spawn } from 'node:child_process';
import { describe, it } from 'vitest';
import { processesWith } from '../backends/watching.ts';
import { openSession } from '../fixtures/mcp-http.ts';
import { createHome, PROGRAM, programArguments, startServer } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { isHere } from '../setup/peers.ts';

/** How long the sleepers of one test sleep, which is how they are known: in a sandbox process ids are others than here. */
let last = 300;
const nap = () => `${++last}.${process.pid}`;

/** A shell, a child of it, and a grandchild that left its process group and session. */
const COMMAND = (seconds: string) => `sleep ${seconds} & setsid sleep ${seconds} & wait`;

const call = (id: number, seconds: string) => ({
  id,
  method: 'tools/call',
  params: { name: 'execute_command', arguments: { command: COMMAND(seconds), timeout: 200 } },
});

const sleepers = (seconds: string) => processesWith(`sleep\0${seconds}\0`).length;
const anything = (seconds: string) => processesWith(seconds).length;

// macOS has no setsid.
describe.skipIf(!isHere('setsid')).each(['off', 'auto'])(
  'within two seconds nothing is left, sandbox %s',
  { timeout: 60_000 },
  (sandbox) => {
    const execution = { security: { sandbox } };

    it('of 50 running commands when `serve` is killed', async () => {
      await using server = await startServer({
        config: { execution, orchestrator: { agent_count: 5, max_concurrent_tasks: 10 } },
      });
      const seconds = nap();
      const session = await openSession(server.url);
      const calls = Array.from({ length: 50 }, (_, number) => session.send(call(number, seconds)).catch(() => {}));
      await eventually(() => sleepers(seconds) === 100, 30_000);
      process.kill(server.pid, 'SIGKILL');
      await eventually(() => anything(seconds) === 0, 2000);
      await Promise.all(calls);
    });

    it('of the commands of `stdio` when the process that started it is killed, though its pipes stay open', async () => {
      using home = createHome();
      const seconds = nap();
      // The shell is the parent; we hold the pipes, so that only its death tells the server.
      const args = [...PROGRAM, ...programArguments(home, 'stdio', { config: { execution } })];
      const parent = spawn('/bin/sh', ['-c', '"$@"; exit $?', 'parent', ...args], { cwd: home.folder, env: home.environment });
      parent.stdout.resume();
      const send = (message: object) => parent.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      send({
        id: 'init',
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      });
      for (let number = 0; number < 5; number++) send(call(number, seconds));
      await eventually(() => sleepers(seconds) === 10, 20_000);
      const closed = new Promise((resolve) => parent.stdout.on('close', resolve));
      parent.kill('SIGKILL');
      await eventually(() => anything(seconds) === 0, 2000);
      // The server itself is gone too: nobody holds its end of the pipe.
      await closed;
    });
  },
);
