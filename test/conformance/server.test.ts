/** The public conformance scenarios of MCP against `serve` with the fixture plug-in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../fixtures/http-client.ts';
import { stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, createHome, startServer } from '../fixtures/server.ts';
import { clientCommand } from '../setup/clients.ts';

const CONFORMANCE = clientCommand('conformance');

interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

interface Run {
  readonly exitStatus: number | null;
  readonly output: string;
  readonly checks: readonly Check[];
  /** Every scenario the revision requires, also one that made no checks. */
  readonly scenarios: readonly string[];
}

/** Runs exactly what a revision requires of servers, as frozen at its release. */
async function conformance(revision: string): Promise<Run> {
  using home = createHome();
  await using server = await startServer({ plugins: [CONFORMANCE_PLUGIN] });
  // The first call starts an agent: past 250 ms an answer is a stream, whose status can no longer be that of an error.
  await exchange(server.url, stateless('tools/call', { name: 'test_simple_text' }));
  const results = join(home.folder, 'results');
  const args = ['server', '--url', server.url, '--requirements', revision, '--output-dir', results];
  const child = spawn(CONFORMANCE as string, args, {
    cwd: home.folder,
    env: home.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [exitStatus]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const folders = readdirSync(results).map((name) => ({
    scenario: name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ''),
    checks: JSON.parse(readFileSync(join(results, name, 'checks.json'), 'utf8')) as Omit<Check, 'scenario'>[],
  }));
  return {
    exitStatus,
    output: output + errors,
    checks: folders.flatMap(({ scenario, checks }) => checks.map((check) => ({ ...check, scenario }))),
    scenarios: [...output.matchAll(/^=== Running scenario: (.+) ===$/gm)].map(([, name]) => name as string),
  };
}

/** It waits for a rewrite of its own; test/protocol/tasks-extension.test.ts looks at these notifications. */
const SKIPPED_BY_THE_SUITE = 'tasks-status-notifications';

/** What did not succeed, in words that name it. `INFO` checks only tell what was seen. */
function shortcomings({ checks }: Run): string[] {
  return checks
    .filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO')
    .map(({ scenario, id, status, errorMessage }) => `${scenario} ${id} ${status}: ${errorMessage}`);
}

function successes({ checks }: Run, counts: (scenario: string) => boolean): number {
  return checks.filter(({ scenario, status }) => status === 'SUCCESS' && counts(scenario)).length;
}

/** Scenarios that would pass because nothing was looked at: each has a check of its own beside that of the wire format. */
function vacuous(run: Run): string[] {
  return run.scenarios.filter((scenario) => successes(run, (each) => each === scenario) < 2);
}

describe.skipIf(!CONFORMANCE)('the conformance scenarios', () => {
  describe('of MCP 2025-11-25', () => {
    let run: Run;
    beforeAll(async () => {
      run = await conformance('2025-11-25');
    }, 60_000);

    it('all pass, with every one of their 84 checks', () => {
      expect(shortcomings(run)).toEqual([]);
      expect(successes(run, () => true)).toBe(84);
      expect(run.exitStatus, run.output).toBe(0);
    });

    it('each have something to check', () => {
      expect(run.scenarios).toHaveLength(33);
      expect(vacuous(run)).toEqual([]);
    });
  });

  describe('of MCP 2026-07-28', () => {
    let run: Run;
    beforeAll(async () => {
      run = await conformance('2026-07-28');
    }, 60_000);

    it('all pass, those of the tasks extension too, but for one that the suite skips itself', () => {
      expect(shortcomings(run)).toEqual([expect.stringMatching(`^${SKIPPED_BY_THE_SUITE} .* SKIPPED: `)]);
      expect(successes(run, () => true)).toBe(197);
      expect(run.exitStatus, run.output).toBe(0);
    });

    it('each have something to check', () => {
      expect(run.scenarios).toHaveLength(50);
      expect(run.scenarios.filter((scenario) => scenario.startsWith('tasks-'))).toHaveLength(10);
      expect(vacuous(run)).toEqual([SKIPPED_BY_THE_SUITE]);
    });
  });
});
