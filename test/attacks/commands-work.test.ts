/**
 * The attacks by commands do what they are for when nothing guards against them: each is run by a plain shell in a
 * throw-away sandbox and reaches its canary. An attack that does nothing would test nothing.
 */
import { describe, expect, it, type TestContext } from 'vitest';
import { CLASSES } from './commands/all.ts';
import { createArena, isInstalled } from './commands/arena.ts';
import type { Attack } from './commands/attack.ts';
import { hasBubblewrap, runUnguarded } from './commands/throw-away.ts';

async function tryOut(attack: Attack, { skip }: TestContext): Promise<void> {
  await using arena = await createArena();
  const told: string[] = [];
  for (const shell of ['sh', 'bash'] as const) {
    told.push(await runUnguarded(arena.prepare(attack), arena.base, shell));
    if (arena.reached().length > 0) return;
  }
  const lacking = told.flatMap((text) => [...text.matchAll(/([\w.-]+): (?:command )?not found/g)].map(([, name = '']) => name));
  skip(
    lacking.some((name) => !isInstalled(name)),
    `${lacking.join()} is not installed`,
  );
  expect.fail(`it reached nothing: ${told.join(' | ')}`);
}

describe.skipIf(!hasBubblewrap()).concurrent.each(Object.entries(CLASSES))('%s', (_, attacks) => {
  for (const attack of attacks) {
    const lacking = (attack.needs ?? []).filter((name) => !isInstalled(name));
    const reason = attack.unproved ?? (lacking.length > 0 ? `${lacking.join()} is not installed` : undefined);
    if (reason) it.skip(`${attack.name} (${reason})`, () => {});
    else it(attack.name, { timeout: 60_000 }, (context) => tryOut(attack, context));
  }
});
