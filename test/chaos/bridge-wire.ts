/** `stdio --connect`: the program itself stands between a client and the server that dies, and answers every request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Program } from './program.ts';
import {
  CLIENT_INFO,
  type Message,
  NO_WORD,
  NoAnswer,
  PATIENCE_MS,
  SESSION_VERSION,
  type Wire,
  type WireOptions,
} from './wire.ts';

interface Waiting {
  resolve(message: Message): void;
  reject(error: Error): void;
}

export function bridgeWire(program: Program, { port, key, onWrong }: WireOptions): Wire {
  const args = [...program.args, 'stdio', '--connect', `http://127.0.0.1:${port}/mcp`];
  const env = { ...program.environment, MCP_PYTHON_API_KEY: key };
  const waiting = new Map<number, Waiting>();
  /** Those that were left may be answered all the same. */
  const left = new Set<number>();
  let over = false;
  let errors = '';
  const child: ChildProcess = spawn(program.command, args, { cwd: program.folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin?.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-1000);
  });
  createInterface(child.stdout as NodeJS.ReadableStream).on('line', receive);
  const gone = once(child, 'exit').then(([code, signal]) => {
    if (!over) onWrong(`A bridge ended with ${code ?? signal}: ${errors}`);
    for (const { reject } of waiting.values()) reject(new NoAnswer('The bridge ended.'));
  });

  function receive(line: string): void {
    const message: Message = JSON.parse(line);
    if ('method' in message) return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (asked) asked.resolve(message);
    else if (!left.delete(message.id)) onWrong(`Nobody waited for ${line.slice(0, 300)}.`);
  }

  function send(message: object): void {
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  async function ask(id: number, method: string, params: object, signal?: AbortSignal): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const giveUp = (why: string) => {
      left.add(id);
      reject(new NoAnswer(why));
    };
    const leave = () => {
      send({ method: 'notifications/cancelled', params: { requestId: id } });
      giveUp('left');
    };
    const late = setTimeout(giveUp, PATIENCE_MS, NO_WORD);
    signal?.addEventListener('abort', leave, { once: true });
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', leave);
      waiting.delete(id);
    }
  }

  let opened: Promise<unknown> | undefined;
  async function open(): Promise<void> {
    opened ??= ask(0, 'initialize', { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: CLIENT_INFO }).then(
      ({ error }) => {
        if (error) throw new NoAnswer(error.message);
        send({ method: 'notifications/initialized' });
      },
    );
    try {
      await opened;
    } catch (thrown) {
      opened = undefined;
      throw thrown;
    }
  }

  return {
    async exchange(id, method, params, signal) {
      await open();
      return ask(id, method, params, signal);
    },
    async [Symbol.asyncDispose]() {
      over = true;
      child.stdin?.end();
      const late = setTimeout(() => {
        onWrong('A bridge did not end with its input.');
        child.kill('SIGKILL');
      }, 15_000);
      await gone;
      clearTimeout(late);
    },
  };
}
