/**
 * Generated scripts: where a denied program truly runs, the policy must not have allowed the script. What runs is found
 * out by running it, in a sandbox in which these programs do nothing but leave a trace.
 *
 * `FUZZ_RUNS=20000` looks longer, `FUZZ_SEED=…` looks at the same scripts again.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Decision } from '../../src/guard/policy/decision.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createRuntime } from '../../src/runtime.ts';
import { hasBubblewrap } from './commands/throw-away.ts';
import { DENIED } from './fuzz/commands.ts';
import { createOracle, type Oracle } from './fuzz/oracle.ts';
import { anyScript } from './fuzz/scripts.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
/** The same scripts in every ordinary run: whoever looks for new holes chooses others, and more of them. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
/** A round takes some 20 ms; no round starts after this. */
const TIME_LIMIT_MS = Math.max(35_000, RUNS * 200);
/** What the scripts use beside the denied programs. */
const ALLOWED =
  'echo cat ls printf true false test pwd grep git env timeout nice nohup setsid stdbuf xargs find flock sh bash awk sed mkdir cp tee chmod ln man head which time'.split(
    ' ',
  );

let oracle: Oracle;
beforeAll(() => {
  oracle = createOracle(DENIED);
  process.env.PATH = oracle.searchPath;
});
afterAll(() => oracle[Symbol.dispose]());

describe.skipIf(!hasBubblewrap()).each([
  ['a list of what is blocked', { blocked_commands: [...DENIED] }],
  ['a list of what is allowed', { allowed_commands: ALLOWED }],
])('with %s', (title, lists) => {
  it(`a script that runs a denied program is not allowed (${RUNS} scripts)`, { timeout: TIME_LIMIT_MS * 2 }, async () => {
    const flags = {
      'execution.workspace': oracle.workspace,
      'state.directory': `${oracle.workspace}/state`,
      ...Object.fromEntries(
        Object.entries({ sandbox: 'off', ...lists }).map(([key, value]) => [`execution.security.${key}`, value]),
      ),
    };
    await using runtime = await createRuntime(await loadConfig({ flags, environment: {} }));
    const machine = await runtime.machine();
    const counts = { ran: 0, harmless: 0, refused: 0 };
    const property = fc.asyncProperty(anyScript, async (script) => {
      const decision = await machine.decide(
        { command: { kind: 'script', script }, cwd: oracle.workspace },
        { tool: 'execute_command', principal: LOCAL_PRINCIPAL },
      );
      const ran = await oracle.ran(script, decision.shell ?? 'sh');
      count(counts, decision, ran);
      if (ran.length > 0 && decision.verdict === 'allow') throw new Error(`It ran ${ran.join()}:\n${script}`);
    });
    await fc.assert(property, {
      numRuns: RUNS,
      interruptAfterTimeLimit: TIME_LIMIT_MS,
      seed: SEED,
    });
    const share = Math.round((100 * counts.refused) / Math.max(1, counts.harmless));
    console.info(
      `With ${title}: ${counts.ran} scripts ran a denied program; of ${counts.harmless} that did not, ${share} % were refused.`,
    );
  });
});

function count(counts: { ran: number; harmless: number; refused: number }, { verdict }: Decision, ran: readonly string[]): void {
  if (ran.length > 0) counts.ran++;
  else {
    counts.harmless++;
    if (verdict !== 'allow') counts.refused++;
  }
}
