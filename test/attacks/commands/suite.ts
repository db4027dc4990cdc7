/** Has the tool run every attack, and looks at what came of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLASSES } from './all.ts';
import type { Attack } from './attack.ts';
import { createGuarded, type Guarded, type Outcome, type Policy } from './guarded.ts';

const POLICIES: readonly Policy[] = ['deny-list', 'allow-list'];

/**
 * Without a sandbox the parser must refuse every attack. With one, what is about places and machines may be left to it;
 * what only it can stop is tried too. Canaries stay as they were, and the audit log tells of each attack once.
 */
export function tryAll(sandbox: 'off' | 'required'): void {
  describe.each(POLICIES)('with a %s', (policy) => {
    let guarded: Guarded;
    beforeAll(async () => {
      guarded = await createGuarded(policy, sandbox);
    });
    afterAll(async () => {
      await guarded[Symbol.asyncDispose]();
    });

    describe.each(Object.entries(CLASSES))('%s is stopped:', (_, attacks) => {
      for (const attack of attacks) {
        if (attack.under && attack.under !== policy) continue;
        if (attack.stoppedBy === 'sandbox' && sandbox === 'off') continue;
        it(attack.name, async () => {
          for (const each of sandbox === 'off' ? [attack, ...forBash(attack)] : [attack]) {
            const result = await guarded.run(each);
            expect(result.reached).toEqual([]);
            expectRecorded(result);
            if (sandbox === 'off') expectRefused(attack, result);
          }
        });
      }
    });
  });
}

/** The same script, so that Bash runs it and not the plain shell. */
function forBash(attack: Attack): Attack[] {
  return attack.args || attack.refusal ? [] : [{ ...attack, command: `[[ x ]]\n${attack.command}` }];
}

function expectRefused({ refusal }: Attack, { outcome }: Outcome): void {
  expect(refusal ? [refusal] : ['denied', 'needs_approval']).toContain(outcome.failure?.code);
}

/** One record of the call, one of the command unless it never got so far, and none that something else has happened. */
function expectRecorded({ outcome, records }: Outcome): void {
  const code = outcome.failure?.code;
  const told = records.join(', ');
  if (code === undefined) expect(told).toBe('command: allow, command_end: exited, call: completed');
  else if (code === 'denied') expect(told).toMatch(/^(?:command: deny, )?call: denied$/);
  else if (code === 'needs_approval') expect(told).toMatch(/^command: ask, call: /);
  else expect(told).toMatch(/^(?:command: allow, command_end: \w+, )?call: (?:failed|cancelled)$/);
}
