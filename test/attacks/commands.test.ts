/**
 * Every attack by a command, through the tool and for real. Without a sandbox the parser refuses it; with one it may be
 * left to the sandbox where it is about places and machines. Its canary stays as it was, and the audit log tells of it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLASSES } from './commands/all.ts';
import type { Attack } from './commands/attack.ts';
import { createGuarded, type Guarded, type Outcome, type Policy } from './commands/guarded.ts';

const POLICIES: readonly Policy[] = ['deny-list', 'allow-list'];
const SANDBOXES = ['off', 'required'] as const;

describe.each(POLICIES)('with a %s', (policy) => {
  describe.each(SANDBOXES)('and the sandbox %s,', (sandbox) => {
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
          const result = await guarded.run(attack);
          expect(result.reached).toEqual([]);
          expectRecorded(result);
          if (sandbox === 'off') expectRefused(attack, result);
        });
      }
    });
  });
});

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
