/** The program that chaos is let loose on, in a home of its own. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

export interface Program {
  readonly command: string;
  /** Before the subcommand. */
  readonly args: readonly string[];
  /** Working directory. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface ChaosHome extends Disposable {
  /** All of it is in here. */
  readonly folder: string;
  readonly program: Program;
  readonly state: string;
  readonly marks: string;
  /** Runs a subcommand to its end. @throws Error with its words when it fails */
  run(...args: readonly string[]): Promise<string>;
  /** The text of a new API key. */
  newKey(name: string): Promise<string>;
  /** How often each key ran that ran at all. */
  runs(): ReadonlyMap<string, number>;
  /** Looks at what the server has written: `intact`, or what is wrong with it. */
  check(): Promise<string>;
}

/** @param start how the program is started: the executable, or an interpreter and the source */
export function createChaosHome([command, ...first]: readonly [string, ...string[]]): ChaosHome {
  // Not in the temporary folder: commands in a sandbox have one of their own.
  const folder = mkdtempSync(join(homedir(), '.mcp-python-chaos-'));
  const [work, state, config] = [join(folder, 'work'), join(folder, 'state'), join(folder, 'config.json')];
  const marks = join(work, 'marks');
  mkdirSync(marks, { recursive: true });
  writeFileSync(
    config,
    JSON.stringify({
      state: { directory: state },
      authentication: { required: true },
      orchestrator: { health_check_interval: 2, agent_heap: '64mb' },
      execution: { workspace: work },
      plugins: [join(import.meta.dirname, 'plugin.ts')],
    }),
  );
  const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, CHAOS_MARKS: marks };
  const program = { command, args: [...first, '--config', config], folder: work, environment };

  async function run(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(command, [...program.args, ...args], { cwd: work, env: environment });
    return stdout.trim();
  }

  return {
    ...{ folder, program, state, marks, run },
    newKey: (name) =>
      run('keys', 'create', '--name', name, '--scopes', 'tools:read,tools:execute', '--expires', 'never', '--rate', '1000000'),
    runs: () => new Map(readdirSync(marks).map((key) => [key, readFileSync(join(marks, key), 'utf8').split('\n').length - 1])),
    async check() {
      const broken = readdirSync(state).filter((name) => name.endsWith('.db') && integrity(join(state, name)) !== 'ok');
      if (broken.length > 0) return `${broken.join(' and ')} broken`;
      return run('audit', 'verify').then(
        () => 'intact',
        ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`.trim(),
      );
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}

function integrity(database: string): unknown {
  using opened = new DatabaseSync(database, { readOnly: true });
  return opened.prepare('PRAGMA integrity_check').get()?.integrity_check;
}
