/** A host agent as a process of its own, and requests to it as any HTTP client makes them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Backend, Surroundings } from '../../src/backends/backend.ts';
import { createHostAgentBackend } from '../../src/backends/host-agent/host-agent-backend.ts';
import { createHome, type Home, type RunningProgram, startProgram } from '../fixtures/server.ts';

export const OWN_USER = process.getuid?.() === 0 ? 'root' : undefined;

export interface RunningAgent extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly home: Home;
  readonly pid: number;
  readonly socket: string;
  /** Where it listens, as it says. */
  readonly places: readonly string[];
  /** Folder that its commands may write to. */
  readonly workspace: string;
  /** Its own folder in the state folder. */
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Starts an agent and waits until it listens. */
export async function startAgent(
  settings: Readonly<Record<string, unknown>> = {},
  options: { readonly home?: Home; readonly socket?: string; readonly execution?: object } = {},
): Promise<RunningAgent> {
  const home = options.home ?? createHome();
  const socket = options.socket ?? join(home.folder, 'agent.sock');
  const workspace = join(home.folder, 'work');
  mkdirSync(workspace, { recursive: true });
  const config = {
    host_agent: { socket, profile: 'developer', workspace, ...(OWN_USER && { users: [OWN_USER] }), ...settings },
    ...(options.execution && { execution: options.execution }),
  };
  const program = startProgram('host-agent', { config, home, args: ['--json'] });
  const lines = createInterface(program.child.stdout);
  const line = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    program.exit.then((status) => Promise.reject(new Error(`host-agent ended with ${status}: ${program.errors}`))),
  ]);
  const { places, pid } = JSON.parse(line) as { places: string[]; pid: number };
  return {
    ...{ program, home, pid, socket, places, workspace, config },
    folder: join(home.folder, '.local/state/mcp-python/host-agent'),
    async [Symbol.asyncDispose]() {
      program.child.kill('SIGTERM');
      const late = setTimeout(() => program.child.kill('SIGKILL'), 5000);
      await program.exit;
      clearTimeout(late);
      await program[Symbol.asyncDispose]();
      if (!options.home) home[Symbol.dispose]();
    },
  };
}

export function clientOf({ socket }: Pick<RunningAgent, 'socket'>, user?: string): Backend {
  return createHostAgentBackend({ name: 'host_agent:test', socketPath: socket, ...(user !== undefined && { user }) });
}

/** Where the machine of an agent is, as it says. */
export async function surroundingsOf(client: Backend): Promise<Surroundings> {
  if (!client.surroundings) throw new Error('It does not say where it is.');
  return client.surroundings();
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Its JSON values: one, or one a line. */
  readonly frames: readonly Record<string, unknown>[];
}

export interface Asking {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, on a connection of its own. */
export function ask({ socket }: Pick<RunningAgent, 'socket'>, path: string, asking: Asking = {}): Promise<Answer> {
  const { body, method = body === undefined ? 'GET' : 'POST', headers = {} } = asking;
  return new Promise((resolve, reject) => {
    const sending = request({ socketPath: socket, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () => {
        const frames = text.split('\n').filter(Boolean);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, frames: frames.map((line) => JSON.parse(line)) });
      });
    });
    sending.on('error', reject);
    sending.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** The headers of something that is to happen once. */
export function keyed(key: string = randomUUID(), timeMs = Date.now()): Record<string, string> {
  return { 'idempotency-key': key, 'mcp-host-agent-time': String(timeMs) };
}

/** A script to be run. */
export function script(text: string, more: object = {}) {
  return { command: { kind: 'script', script: text }, ...more };
}

/** What a command wrote, from the result in an answer. */
export function stdoutOf({ frames }: Answer): string {
  const { value } = frames.at(-1) as { value: { stdout: { head: string; tail: string } } };
  return Buffer.from(value.stdout.head + value.stdout.tail, 'base64').toString();
}

export function failureOf({ frames }: Answer): { code: string; message: string; details?: Record<string, unknown> } {
  return (frames.at(-1) as { failure: never }).failure;
}

/** A folder that goes when it is disposed of. */
export function temporaryFolder(): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-agent-'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}
