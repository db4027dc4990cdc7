/**
 * Chaos: agents killed each second, the server kill -9'd each 20 s, and clients that call all the time. Prints the ledger
 * of what was acknowledged and what became of it; exits 1 when anything is lost, doubled, or told to somebody else.
 *
 * Usage: `npm run chaos -- [--minutes 2] [--clients 20] [--seed N] [--json]`. The built program where there is one, the
 * source otherwise. A seed repeats what is done to whom, as far as time allows.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isBalanced, ledgerOf, printed } from './ledger.ts';
import { runChaos } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    clients: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [minutes, clients, seed] = [values.minutes, values.clients, values.seed].map(Number) as [number, number, number];
if (!(minutes > 0) || !(clients > 0) || !Number.isInteger(seed)) {
  process.stderr.write('--minutes and --clients are numbers above 0, --seed a whole number.\n');
  process.exit(2);
}

const ROOT = join(import.meta.dirname, '../..');
const BINARY = join(ROOT, 'dist/mcp-python');
const start: readonly [string, ...string[]] = existsSync(BINARY) ? [BINARY] : [process.execPath, join(ROOT, 'bin/mcp-python.ts')];

const outcome = await runChaos({
  ...{ start, clients, seed },
  seconds: minutes * 60,
  serverEvery: 20,
  agentEvery: 1,
  settleSeconds: 120,
  onProgress: (line) => void process.stderr.write(`${line}\n`),
});
const ledger = ledgerOf(outcome);
const about = { minutes, seed, program: start.join(' ') };
process.stdout.write(values.json ? `${JSON.stringify({ ...about, ...ledger })}\n` : `${printed(ledger)}\n`);
process.exitCode = isBalanced(ledger) ? 0 : 1;
