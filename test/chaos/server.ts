/** `serve` that is killed without warning and started again, on the same port and state folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Subject } from '../bench/subject.ts';

export interface DoomedServer {
  readonly port: number;
  readonly kills: number;
  /** What the servers had to complain about, and how often. */
  readonly complaints: ReadonlyMap<string, number>;
  /** Kills it and starts another; resolves when that one answers. */
  replace(): Promise<void>;
  /** Ends one of its agents in the middle of whatever it does. @returns whether there was one */
  killAgent(number: number): Promise<boolean>;
  /** Ends it in good order. @returns whether it did so by itself */
  stop(): Promise<boolean>;
  /** Ends it at once; it is not started again. */
  kill(): void;
}

/** How long a server may take to stop, milliseconds. */
const STOP_MS = 15_000;

export async function startDoomedServer(
  subject: Subject,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<DoomedServer> {
  const port = await freePort();
  const env = { ...subject.environment, ...environment };
  const socketPath = join(environment.MCP_PYTHON_STATE_DIRECTORY ?? '', 'server.sock');
  const complaints = new Map<string, number>();
  let kills = 0;
  let over = false;
  let child = await start();

  async function start(): Promise<ChildProcess> {
    const all = [...subject.prefix, ...args, 'serve', '--port', `${port}`];
    const started = spawn(subject.command, all, { cwd: subject.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    started.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (errors + chunk).split('\n');
      errors = lines.pop() ?? '';
      for (const line of lines) complain(line);
    });
    const ended = once(started, 'exit').then(([code, signal]) => {
      throw new Error(`serve ended with ${code ?? signal}: ${errors || [...complaints.keys()].at(-1)}`);
    });
    ended.catch(() => {});
    await Promise.race([once(started.stdout, 'data'), ended]);
    return started;
  }

  function complain(line: string): void {
    // That agents die is what is asked for.
    if (line.trim() === '' || /is gone and is started again|Serving MCP at|Stopping on/.test(line)) return;
    const kind = line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').slice(0, 300);
    complaints.set(kind, (complaints.get(kind) ?? 0) + 1);
  }

  function gone(): Promise<unknown> {
    return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
  }

  return {
    port,
    get kills() {
      return kills;
    },
    complaints,
    async replace() {
      child.kill('SIGKILL');
      await gone();
      if (over) return;
      kills++;
      child = await start();
      if (over) child.kill('SIGKILL');
    },
    killAgent: (number) =>
      new Promise((resolve) => {
        const asking = request({ socketPath, path: `/control/agents/agent-${number}/restart`, method: 'POST' }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode === 200));
          response.on('error', () => resolve(false));
        });
        asking.on('error', () => resolve(false));
        asking.end();
      }),
    async stop() {
      over = true;
      let byItself = true;
      const late = setTimeout(() => {
        byItself = false;
        child.kill('SIGKILL');
      }, STOP_MS);
      child.kill('SIGTERM');
      await gone();
      clearTimeout(late);
      return byItself && child.exitCode === 0;
    },
    kill() {
      over = true;
      child.kill('SIGKILL');
    },
  };
}

/**
 * Below the ports that systems give to outgoing connections: a client that tries to reach a port of that range while
 * nobody listens may be connected with itself.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      return port;
    } catch {
      // Somebody has it.
    } finally {
      server.close();
    }
  }
}
