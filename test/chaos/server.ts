/** `serve` that is killed without warning and started again, on the same port and state folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { OrchestratorStatus } from '../../src/orchestrator/orchestrator.ts';
import type { Program } from './program.ts';
import type { Chance } from './random.ts';

export interface DoomedServer {
  readonly port: number;
  /** How long it took after each kill until it answered again, milliseconds. */
  readonly awayMs: readonly number[];
  /** What the servers had to complain about, and how often. */
  readonly complaints: ReadonlyMap<string, number>;
  /** Kills it and starts another; resolves when that one answers. */
  replace(): Promise<void>;
  /** Ends one of its agents in the middle of whatever it does. @returns whether there was one */
  killAgent(chance: Chance): Promise<boolean>;
  /** Ends it in good order. @returns whether it did so by itself */
  stop(): Promise<boolean>;
  /** Ends it at once; it is not started again. */
  kill(): void;
}

/** How long a server may take to stop, milliseconds. */
const STOP_MS = 15_000;

/** @param program with the arguments of `serve` but its port */
export async function startDoomedServer(program: Program, state: string): Promise<DoomedServer> {
  const port = await freePort();
  const socketPath = join(state, 'server.sock');
  const complaints = new Map<string, number>();
  const awayMs: number[] = [];
  let over = false;
  let child = await start();

  async function start(): Promise<ChildProcess> {
    const { command, args, folder: cwd, environment: env } = program;
    const started = spawn(command, [...args, 'serve', '--port', `${port}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
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

  /** @throws Error where it is just away */
  async function control(method: string, what: string): Promise<OrchestratorStatus> {
    const asking = request({ socketPath, path: `/control/agents${what}`, method }).end();
    const [response] = await once(asking, 'response');
    return (await json(response)) as OrchestratorStatus;
  }

  function gone(): Promise<unknown> {
    return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
  }

  return {
    port,
    awayMs,
    complaints,
    async replace() {
      const killedMs = performance.now();
      child.kill('SIGKILL');
      await gone();
      if (over) return;
      child = await start();
      awayMs.push(performance.now() - killedMs);
      if (over) child.kill('SIGKILL');
    },
    async killAgent(chance) {
      const { agents } = await control('GET', '');
      const living = agents.filter(({ id, state }) => id.startsWith('agent-') && state === 'ready');
      const victim = living[chance.below(living.length)];
      if (!victim) return false;
      await control('POST', `/${victim.id}/restart`);
      return true;
    },
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
