import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';

it.each([
  ['internal', 1],
  ['invalid_input', 2],
  ['unsupported', 2],
  ['conflict', 2],
  ['too_large', 2],
  ['invalid_config', 3],
  ['not_configured', 3],
  ['unavailable', 4],
  ['agent_lost', 4],
  ['denied', 5],
  ['not_found', 6],
  ['partial', 7],
  ['needs_approval', 8],
  ['timeout', 124],
  ['cancelled', 130],
] as const)('a failure of code %s ends the program with %i', (code, status) => {
  expect(exitCodeOf(code)).toBe(status);
});
