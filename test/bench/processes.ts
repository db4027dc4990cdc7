/** Starting what is measured, and ending it again. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Subject } from './subject.ts';

/** Runs a program to its end; its output is dropped. @throws Error when it fails */
export async function runToEnd(command: string, args: readonly string[], { folder, environment }: Subject): Promise<void> {
  const child = spawn(command, args, { cwd: folder, env: environment, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}.`);
}

/** Rejects when the process ends: to race against what it is asked. */
export function endOf(child: ChildProcess): Promise<never> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code ?? signal}.`);
  });
  // Nobody may be racing when it ends as it should.
  ended.catch(() => {});
  return ended;
}

export interface HttpServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts a server that prints its address, and waits for that. */
export async function startHttpServer(
  command: string,
  args: readonly string[],
  { folder, environment }: Subject,
): Promise<HttpServerProcess> {
  const child = spawn(command, args, { cwd: folder, env: environment });
  const port = await new Promise<number>((resolve, reject) => {
    let told = '';
    const read = (chunk: Buffer) => {
      told += chunk;
      const found = /http:\/\/[^\s:]+:(\d+)/.exec(told)?.[1];
      if (found) resolve(Number(found));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} exited with ${code}:\n${told}`)));
  });
  return { port, pid: child.pid ?? 0, [Symbol.asyncDispose]: () => end(child) };
}

/** A server on stdio: newline-delimited JSON-RPC. */
export interface StdioServer extends AsyncDisposable {
  readonly pid: number;
  /** Sends a request and waits for its result. */
  request(method: string, params: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  notify(method: string): void;
}

export function startStdioServer({ command, prefix, folder, environment }: Subject): StdioServer {
  const child = spawn(command, [...prefix, 'stdio'], { cwd: folder, env: environment });
  const waiting = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>();
  let lastId = 0;
  let rest = '';
  let told = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, result, error } = JSON.parse(line);
      if (result) waiting.get(id)?.resolve(result);
      else waiting.get(id)?.reject(new Error(JSON.stringify(error)));
      waiting.delete(id);
    }
  });
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk;
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`stdio exited with ${code}:\n${told}`));
  });
  child.stdin.on('error', () => {});
  const write = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  return {
    pid: child.pid ?? 0,
    request(method, params) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        write({ id, method, params });
      });
    },
    notify: (method) => write({ method }),
    [Symbol.asyncDispose]: () => endByInput(child),
  };
}

/** The handshake, as every client does it. */
export async function initialize(server: StdioServer): Promise<void> {
  const { protocolVersion } = await server.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  });
  if (protocolVersion !== '2025-11-25') throw new Error(`initialize was answered with ${protocolVersion}.`);
  server.notify('notifications/initialized');
}

async function endByInput(child: ChildProcessWithoutNullStreams): Promise<void> {
  child.stdin.end();
  await ended(child);
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await ended(child);
}

/** Waits for the end, at most five seconds. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await once(child, 'exit');
  clearTimeout(timer);
}

/** Anonymous resident memory, bytes (proc(5), RssAnon): what the process holds beyond mapped files. */
export async function anonymousMemory(pid: number): Promise<number> {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error('This system does not tell RssAnon.');
  return Number(kib) * 1024;
}
