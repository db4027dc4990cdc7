/** Over-blocking is a defect too: with nothing configured, everyday commands are allowed, and work. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { GuardedMachine } from '../../src/guard/guarded-backend.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createRuntime, type Runtime } from '../../src/runtime.ts';
import { JUDGED_ONLY, RUN_HERE } from './everyday-commands.ts';

let base: string;
let project: string;
let runtime: Runtime;
let machine: GuardedMachine;

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-everyday-')));
  project = join(base, 'project');
  makeProject();
  const flags = { 'execution.workspace': project, 'state.directory': join(base, 'state') };
  runtime = await createRuntime(await loadConfig({ flags, environment: { HOME: base } }));
  machine = await runtime.machine();
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

const FILES: Readonly<Record<string, string>> = {
  'main.js': 'console.log("hello");\n',
  'notes.md': '# Notes\nfirst line\nnever run rm -rf / or sudo curl\nlast line\n',
  'data.csv': 'a,1\nb,2\nc,3\n',
  'old.txt': 'old\n',
  'env.sh': 'GREETING=hello\n',
  'run.sh': '#!/bin/sh\necho running\n',
  Makefile: 'hello:\n\t@echo hello\n',
  'src/index.js': 'export const hello = 1;\n',
  'package.json': `${JSON.stringify({
    name: 'everyday',
    version: '1.2.3',
    scripts: { format: 'echo formatted', test: 'echo tested', build: 'echo built' },
  })}\n`,
};

function makeProject(): void {
  for (const name of ['src', 'build']) mkdirSync(join(project, name), { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(project, name), text);
  chmodSync(join(project, 'run.sh'), 0o755);
  const git = (...args: string[]) => execFileSync('git', args, { cwd: project, stdio: 'ignore' });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'A');
  git('config', 'user.email', 'a@example.invalid');
  git('config', 'commit.gpgsign', 'false');
  git('add', 'main.js', 'package.json');
  git('commit', '-q', '-m', 'one');
  git('add', '.');
  git('commit', '-q', '-m', 'two');
}

const caller = {
  principal: LOCAL_PRINCIPAL,
  signal: new AbortController().signal,
  ask: {
    can: { elicitation: false, sampling: false, roots: false },
    request: () => Promise.reject(new Error('Nobody is there to ask.')),
    state: undefined,
  },
};

async function expectAllowed(script: string): Promise<void> {
  const decision = await machine.decide(
    { command: { kind: 'script', script }, cwd: project },
    { tool: 'execute_command', principal: LOCAL_PRINCIPAL },
  );
  expect(decision, decision.reason).toMatchObject({ verdict: 'allow' });
}

describe('in the profile developer, every day', () => {
  for (const command of RUN_HERE) {
    it(`runs ${JSON.stringify(command)}`, async () => {
      await expectAllowed(command);
      const { failure, structuredContent } = await runtime.orchestrator.call(
        { tool: 'execute_command', arguments: { command } },
        caller,
      );
      expect(failure?.message).toBeUndefined();
      expect(structuredContent, JSON.stringify(structuredContent)).toMatchObject({ outcome: 'exited', exit_code: 0 });
    });
  }

  for (const command of JUDGED_ONLY) it(`has nothing against ${JSON.stringify(command)}`, () => expectAllowed(command));
});
