/** MCP clients and tools of others that tests run for real: too heavy for devDependencies, so kept in a cache folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface Client {
  readonly package: string;
  readonly version: string;
  /** The command it brings, below node_modules. */
  readonly command: string;
  /** The package's own script that puts its native program in place; others are not run. */
  readonly installScript?: string;
}

const CLIENTS = {
  'claude-code': {
    package: '@anthropic-ai/claude-code',
    version: '2.1.330',
    command: '.bin/claude',
    installScript: 'install.cjs',
  },
  opencode: { package: 'opencode-ai', version: '1.18.33', command: '.bin/opencode', installScript: 'postinstall.mjs' },
  inspector: { package: '@modelcontextprotocol/inspector', version: '2.12.0', command: '.bin/mcp-inspector' },
  'mcp-remote': { package: 'mcp-remote', version: '0.15.1', command: '.bin/mcp-remote' },
  conformance: { package: '@modelcontextprotocol/conformance', version: '0.2.0-alpha.12', command: '.bin/conformance' },
  deno: { package: 'deno', version: '2.9.6', command: 'deno/deno', installScript: 'install.cjs' },
} satisfies Record<string, Client>;

export type ClientName = keyof typeof CLIENTS;

/**
 * The path of a client's command, or undefined where it could not be installed: its tests are then skipped.
 * Node clients need the project's Node first on the PATH, as it is under `npm test`.
 */
export function clientCommand(name: ClientName): string | undefined {
  const command = join(folderOf(name), 'node_modules', CLIENTS[name].command);
  return existsSync(command) ? command : undefined;
}

/** @returns the clients that could not be installed, each with the reason */
export async function installClients(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const missing: string[] = [];
  // One after the other: they are unpacked by the same two cores.
  for (const name of Object.keys(CLIENTS) as ClientName[]) {
    if (clientCommand(name)) continue;
    console.error(`Installing ${CLIENTS[name].package} ${CLIENTS[name].version} below ${cacheFolder()}`);
    try {
      await install(name, environment);
    } catch (error) {
      missing.push(`${name} (${error instanceof Error ? error.message : error})`);
    }
  }
  return missing;
}

async function install(name: ClientName, environment: NodeJS.ProcessEnv): Promise<void> {
  const client: Client = CLIENTS[name];
  const unfinished = `${folderOf(name)}.${process.pid}`;
  try {
    await mkdir(unfinished, { recursive: true });
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run(
      'npm',
      ['install', '--prefix', unfinished, ...options, `${client.package}@${client.version}`],
      unfinished,
      environment,
    );
    if (client.installScript) {
      const folder = join(unfinished, 'node_modules', client.package);
      await run(process.execPath, [join(folder, client.installScript)], folder, environment);
    }
    await rm(folderOf(name), { recursive: true, force: true });
    await rename(unfinished, folderOf(name));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: 180_000 });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors.trim().split('\n').at(-1)}`);
}

function folderOf(name: ClientName): string {
  return join(cacheFolder(), `${name}-${CLIENTS[name].version}`);
}

function cacheFolder(): string {
  return process.env.TEST_MCP_CLIENTS ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcp-python-test');
}
