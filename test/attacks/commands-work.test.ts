/**
 * The attacks by commands do what they are for when nothing guards against them: each is run by a plain shell in a
 * throw-away sandbox and reaches its canary. An attack that does nothing would test nothing.
 */
import { describe, expect, it } from 'vitest';
import { CLASSES } from './commands/all.ts';
import { createArena, missing } from './commands/arena.ts';
import type { Attack } from './commands/attack.ts';
import { runUnguarded } from './commands/throw-away.ts';

async function tryOut(attack: Attack): Promise<void> {
  await using arena = await createArena();
  const told: string[] = [];
  for (const shell of ['sh', 'bash'] as const) {
    told.push(await runUnguarded(arena.prepare(attack), arena.base, shell));
    if (arena.reached().length > 0) return;
  }
  expect.fail(`it reached nothing: ${told.join(' | ')}`);
}

describe.concurrent.each(Object.entries(CLASSES))('%s', (_, attacks) => {
  for (const attack of attacks) {
    const lacking = missing(attack);
    const reason = attack.unproved ?? (lacking.length > 0 ? `${lacking.join()} is not installed` : undefined);
    if (reason) it.skip(`${attack.name} (${reason})`, () => {});
    else it(attack.name, { timeout: 60_000 }, () => tryOut(attack));
  }
});
