/** Attacks by commands, each tried for real: first without a guard, to prove that it works, then through the tool. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRecords } from '../../src/audit/query.ts';
import { loadConfig } from '../../src/config/load.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createRuntime, type Runtime } from '../../src/runtime.ts';
import { COMMAND_ATTACKS, type Variant } from './command-variants.ts';

let base: string;
let listener: Server;
let connections = 0;

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-attacks-')));
  for (const name of ['outside', 'home']) mkdirSync(join(base, name));
  listener = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  listener.close();
  rmSync(base, { recursive: true, force: true });
});

const victim = () => join(base, 'outside', 'victim');
const workspace = () => join(base, 'ws');

/** The victim alive, and a workspace as the variants expect it. */
function prepare(): void {
  rmSync(workspace(), { recursive: true, force: true });
  mkdirSync(workspace());
  writeFileSync(victim(), 'alive\n');
  writeFileSync(join(workspace(), 'f'), 'text\n');
  writeFileSync(join(workspace(), 'evil'), `#!/bin/sh\nrm -f ${victim()}\n`, { mode: 0o755 });
  connections = 0;
}

const isAlive = () => existsSync(victim()) && readFileSync(victim(), 'utf8') === 'alive\n';

function fill<T>(value: T): T {
  const text = JSON.stringify(value)
    .replaceAll('{V}', victim())
    .replaceAll('{D}', join(base, 'outside'))
    .replaceAll('{P}', String((listener.address() as AddressInfo).port));
  return JSON.parse(text) as T;
}

/** The repository is made once and copied. */
function withRepository(): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: workspace(), stdio: 'ignore' });
  const kept = join(base, 'repository');
  if (!existsSync(kept)) {
    git('init', '-q');
    git('add', 'f');
    git('commit', '-qm', 'one');
    writeFileSync(join(workspace(), 'f'), 'text\nmore\n');
    git('commit', '-qam', 'two');
    execFileSync('cp', ['-r', join(workspace(), '.git'), kept]);
  } else execFileSync('cp', ['-r', kept, join(workspace(), '.git')]);
}

/** Runs a variant with nothing but a file system that is read-only beyond the test's folder. */
function runUnguarded({ command, args, stdin, bash }: Variant): void {
  const inside = [
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--bind',
    base,
    base,
    '--unshare-pid',
    '--die-with-parent',
    '--chdir',
    workspace(),
  ];
  const argv = args ? [command, ...args] : [bash ? 'bash' : 'sh', '-c', command];
  spawnSync('bwrap', [...inside, ...argv], {
    // Bash takes a socket on its input for a connection, and reads other start files then.
    ...(stdin === undefined ? { stdio: 'ignore' as const } : { input: stdin }),
    timeout: 4000,
    killSignal: 'SIGKILL',
    env: {
      PATH: process.env.PATH,
      HOME: join(base, 'home'),
      TMPDIR: join(base, 'home'),
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    },
  });
}

const cases = Object.entries(COMMAND_ATTACKS).flatMap(([group, variants]) =>
  variants.map((variant) => [group, JSON.stringify([variant.command, ...(variant.args ?? [])]).slice(0, 90), variant] as const),
);

describe('without a guard', () => {
  it('every attack that claims to work does', async () => {
    const withoutEffect: string[] = [];
    for (const [group, name, variant] of cases) {
      if (variant.unproven) continue;
      prepare();
      if (/git/.test(variant.command)) withRepository();
      runUnguarded(fill(variant));
      // The listener is of this process.
      await new Promise((resolve) => setImmediate(resolve));
      if (variant.command.includes('{P}')) await new Promise((resolve) => setTimeout(resolve, 20));
      if (isAlive() && connections === 0) withoutEffect.push(`${group}: ${name}`);
    }
    expect(withoutEffect).toEqual([]);
  }, 120_000);
});

describe.each(['off', 'auto'] as const)('with blocked programs, sandbox %s', (sandbox) => {
  let runtime: Runtime;
  const state = () => join(base, `state-${sandbox}`);

  beforeAll(async () => {
    prepare();
    runtime = await createRuntime(
      await loadConfig({
        flags: {
          'execution.workspace': workspace(),
          'state.directory': state(),
          'execution.security.sandbox': sandbox,
          'execution.security.path_restrictions': [workspace()],
          'execution.security.blocked_commands': ['rm', 'curl', 'sudo', 'dd', 'wget', 'nc'],
        },
        environment: { HOME: join(base, 'home') },
      }),
    );
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  it('every variant is refused before anything runs, with one record each', async () => {
    const passed: string[] = [];
    const tried = cases.filter(([, , { held }]) => sandbox === 'auto' || held !== 'by the sandbox alone');
    for (const [group, name, variant] of tried) {
      if (!isAlive()) prepare();
      const { command, args, env, stdin } = fill(variant);
      const outcome = await runtime.orchestrator.call(
        {
          tool: 'execute_command',
          arguments: { command, ...(args && { args }), ...(env && { env_vars: env }), ...(stdin && { stdin }), timeout: 5 },
        },
        {
          principal: LOCAL_PRINCIPAL,
          signal: new AbortController().signal,
          ask: {
            can: { elicitation: false, sampling: false, roots: false },
            state: undefined,
            request: () => Promise.reject(new Error('nobody')),
          },
        },
      );
      const mayRun = sandbox === 'auto' && variant.held !== undefined;
      const refused = ['denied', 'needs_approval', 'invalid_input'].includes(outcome.failure?.code ?? '');
      if (!(refused || mayRun) || !isAlive() || connections > 0)
        passed.push(`${group}: ${name} → ${outcome.failure?.code ?? 'ran'}`);
    }
    expect(passed).toEqual([]);
    const records = [...findRecords(join(state(), 'audit'))].map(({ fields }) => fields);
    expect(records.filter(({ event }) => event === 'call')).toHaveLength(tried.length);
    const decided = records.filter(({ event }) => event === 'command');
    const ran = decided.filter(({ verdict }) => verdict === 'allow');
    expect(ran.length).toBeLessThanOrEqual(sandbox === 'auto' ? tried.filter(([, , { held }]) => held).length : 0);
    expect(new Set(decided.map(({ task }) => task)).size).toBe(decided.length);
  }, 60_000);
});

describe('the suite', () => {
  it('holds 300 variants and more', () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
    expect(new Set(cases.map(([, , variant]) => JSON.stringify(variant))).size).toBe(cases.length);
  });
});
