import type { Word } from '../shell/script.ts';
import type { ProgramReading } from './effect.ts';

/** Placeholder until the table is there. */
export function readProgram(
  _name: string,
  _args: readonly Word[],
  _context: { readonly piped: boolean; readonly stdin?: string | undefined },
): ProgramReading | undefined {
  return undefined;
}

/** Placeholder until the table is there. */
export function describeProgram(_name: string): string | undefined {
  return undefined;
}
