/** The app's bytecode, functions that a typical start uses included, so that the executable need not compile them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What clients of both eras ask first, and a first command. */
const CONVERSATION = [
  {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'warm-up', version: '0' } },
  },
  { method: 'notifications/initialized' },
  { id: 2, method: 'tools/list' },
  { id: 3, method: 'tools/call', params: { name: 'check_command_exists', arguments: { command: 'sh' } } },
  { id: 4, method: 'tools/call', params: { name: 'execute_command', arguments: { command: 'echo "$(true)" | cat > f' } } },
];

/**
 * @param folder an empty one, as home and working directory
 * @throws Error when the app does not answer the conversation, with what it said
 */
export async function makeCodeCache(appFile: string, cacheFile: string, folder: string): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'warm-up.ts'), appFile, cacheFile], {
    cwd: folder,
    // What an agent runs is in the cache as well when it ran in the main thread.
    env: { PATH: process.env.PATH, HOME: folder, MCP_PYTHON_ORCHESTRATOR_AGENT_COUNT: '0' },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  const ended = once(child, 'close');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  child.stdin.on('error', () => {});
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said: string[] = [];
  for (const message of CONVERSATION) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    if (message.id !== undefined) said.push((await answers.next()).value ?? 'nothing');
  }
  child.stdin.end();
  const [code] = await ended;
  const wrong = said.find((answer) => !answer.includes('"result"') || answer.includes('"isError":true'));
  if (code !== 0 || wrong || !existsSync(cacheFile))
    throw new Error(`The app does not work: it ended with ${code} and answered ${wrong}\n${errors}`);
}
