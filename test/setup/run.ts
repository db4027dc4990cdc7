/** Everything that `npm test` does: peers, clients, the binary, types, lint, then the tests. Arguments go to vitest. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { BINARY } from './binary.ts';
import { installClients } from './clients.ts';
import { installPeers } from './peers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');
const ENVIRONMENT = { ...process.env, PATH: [dirname(process.execPath), BIN, process.env.PATH].join(delimiter) };

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** All at once, before the tests: nothing is tested that does not build. */
const CHECKS: readonly Step[] = [
  { name: 'build', command: process.execPath, args: [join(ROOT, 'build.mjs')] },
  { name: 'types', command: 'tsc', args: ['--noEmit'] },
  { name: 'lint', command: 'biome', args: ['check', '.'] },
];

async function main(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const missing = [...(await installPeers(ENVIRONMENT)), ...(await installClients(ENVIRONMENT))];
  if (missing.length > 0) {
    console.error(`${missing.length} not here, so their tests are skipped: ${missing.join('; ')}`);
    if (process.env.CI === 'true') return 1;
  }
  const failed = (await Promise.all(CHECKS.map(check))).flat();
  if (failed.includes('build')) return 1;
  const vitest = await runVitest(args);
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s in all`);
  if (failed.length > 0) console.error(`Failed before the tests: ${failed.join(', ')}.`);
  if (vitest.counts) console.log(vitest.counts);
  return vitest.exitCode || (failed.length > 0 ? 1 : 0);
}

/** @returns the step's name when it failed, its output then being on stderr */
async function check({ name, command, args }: Step): Promise<string[]> {
  const start = performance.now();
  const child = spawn(command, args, { cwd: ROOT, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]);
  console.error(`${name}: ${code === 0 ? 'ok' : 'failed'}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  if (code === 0) return [];
  process.stderr.write(Buffer.concat([out, err]));
  return [name];
}

async function runVitest(args: readonly string[]): Promise<{ exitCode: number; counts: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-results-'));
  const results = join(folder, 'results.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
    const child = spawn('vitest', ['run', ...reporters, ...args], {
      cwd: ROOT,
      env: { ...ENVIRONMENT, TEST_MCP_BINARY: BINARY },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code] = await once(child, 'close');
    return { exitCode: code ?? 1, counts: existsSync(results) ? countsIn(readFileSync(results, 'utf8')) : '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One line that counts every test. A file that fails without a failed test (it does not load, a hook fails) counts as one. */
function countsIn(results: string): string {
  const { testResults } = JSON.parse(results) as {
    testResults: { status: string; assertionResults: { status: string }[] }[];
  };
  const statuses = testResults.flatMap(({ status, assertionResults }) => {
    const own = assertionResults.map((test) => test.status);
    return status === 'failed' && !own.includes('failed') ? [...own, 'failed'] : own;
  });
  const passed = statuses.filter((status) => status === 'passed').length;
  const failed = statuses.filter((status) => status === 'failed').length;
  return `${passed} passed, ${failed} failed, ${statuses.length - passed - failed} skipped`;
}

process.exitCode = await main(process.argv.slice(2));
