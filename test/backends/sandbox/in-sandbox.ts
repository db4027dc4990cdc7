/** Commands in the real sandbox, with real canaries outside of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Confinement } from '../../../src/backends/backend.ts';
import { enterSandbox, isPassing, type SandboxOptions } from '../../../src/backends/sandbox/bubblewrap.ts';
import { findSandbox, type Sandbox } from '../../../src/backends/sandbox/find-sandbox.ts';

const found = await findSandbox();
/** Why there is no sandbox here, so that its tests are skipped. */
export const noSandbox: string | undefined = 'reason' in found ? found.reason : undefined;

/** For folders that are seen although nothing is said about them: every command has a /tmp of its own. */
export const OUTSIDE_TMP = homedir();

/** A folder that is gone after the test, with these files in it. It is real, as confinements are. */
export function folderWith(files: Readonly<Record<string, string>> = {}, parent: string = tmpdir()): string {
  const folder = realpathSync(mkdtempSync(join(parent, 'mcp-python-sandbox-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export interface Told {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Partial<SandboxOptions> {
  readonly stdin?: string;
  /** Called when the mounts are planned and nothing has started. */
  meanwhile?(): void;
}

/** A clone below /tmp, which commands do not see, has to be put into the sandbox: Node is in it. */
const PROJECT = realpathSync(join(import.meta.dirname, '../../..'));
const visibleFor = (program: readonly string[]) =>
  PROJECT.startsWith('/tmp/') && program.some((word) => word.includes(process.execPath)) ? [PROJECT] : [];

const EVERYTHING: Confinement = { writable: [], hidden: [], network: 'none' };

/** Runs a shell script in the first writable folder. */
export function run(confinement: Partial<Confinement>, script: string, options: RunOptions = {}): Promise<Told> {
  return runProgram(confinement, ['/bin/sh', '-c', script], options);
}

export async function runProgram(
  confinement: Partial<Confinement>,
  program: readonly string[],
  options: RunOptions = {},
): Promise<Told> {
  const told = await tryProgram(confinement, program, options);
  // The sockets of other tests come and go.
  return told.status === 1 && isPassing(told.stderr) && !options.meanwhile ? runProgram(confinement, program, options) : told;
}

async function tryProgram(
  confinement: Partial<Confinement>,
  program: readonly string[],
  { stdin = '', meanwhile, ...options }: RunOptions = {},
): Promise<Told> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nonexistent', ...options.env };
  const {
    argv,
    env: outer,
    release,
  } = enterSandbox(
    found as Sandbox,
    { ...EVERYTHING, ...confinement, writable: [...(confinement.writable ?? []), ...visibleFor(program)] },
    {
      cwd: confinement.writable?.[0] ?? '/',
      ...options,
      env,
    },
  );
  try {
    meanwhile?.();
    const [bwrap = '', ...args] = [...argv, ...program];
    const child = spawn(bwrap, args, { env: outer, detached: true });
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { status, stdout, stderr };
  } finally {
    release();
  }
}
