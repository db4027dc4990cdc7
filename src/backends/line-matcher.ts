import vm from 'node:vm';
import { Failure } from '../errors.ts';
import type { SearchPattern } from './search-pattern.ts';

/** Bytes kept of a line; what lies behind them is not looked at. */
export const MAX_LINE_BYTES = 64 * 1024;
/** Characters of a line that are looked at, so that one line of a minified file cannot take minutes. */
const MAX_LINE_CHARACTERS = 10_000;
/** Characters shown of a matching line. */
const MAX_SHOWN = 500;
const SHOWN_BEFORE_MATCH = 120;
/** Milliseconds one batch of lines may take before the pattern is given up. */
const DEADLINE_MS = 2000;

/** A line of a file that may match. */
export interface CandidateLine {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** Without its line ending. */
  readonly text: string;
}

export interface MatchedLine extends CandidateLine {
  /** The line, or the part of it around the match, at most 500 characters. */
  readonly text: string;
}

/**
 * The lines that match, in the order given.
 * A pattern that repeats what it already repeats can take JavaScript's engine years, so it runs against the clock.
 * @throws Failure `invalid_input` when the clock runs out
 */
export function matchLines(lines: readonly CandidateLine[], pattern: SearchPattern): MatchedLine[] {
  const matched: MatchedLine[] = [];
  const run = () => {
    for (const candidate of lines) {
      const tooLong = candidate.text.length > MAX_LINE_CHARACTERS;
      const text = tooLong ? candidate.text.slice(0, MAX_LINE_CHARACTERS) : candidate.text;
      const match = (tooLong ? pattern.cutLine : pattern.line).exec(text);
      if (match) matched.push({ path: candidate.path, line: candidate.line, text: excerpt(text, match.index, tooLong) });
    }
  };
  if (pattern.plain) run();
  else runWithDeadline(run);
  return matched;
}

let clock: { readonly context: vm.Context; readonly script: vm.Script } | undefined;

function runWithDeadline(run: () => void): void {
  // A context takes a millisecond to make, and searches have many batches.
  clock ??= { context: vm.createContext({}), script: new vm.Script('run()') };
  clock.context.run = run;
  try {
    clock.script.runInContext(clock.context, { timeout: DEADLINE_MS });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown;
    throw new Failure('invalid_input', 'The regular expression takes too long: what it repeats can match in too many ways.', {
      hint: 'Do not repeat a group that already repeats, such as (a+)+, or look for a plain word first.',
    });
  } finally {
    clock.context.run = undefined;
  }
}

function excerpt(text: string, matchIndex: number, cut: boolean): string {
  if (text.length <= MAX_SHOWN && !cut) return text.toWellFormed();
  const room = MAX_SHOWN - 2;
  const start = matchIndex < room - SHOWN_BEFORE_MATCH ? 0 : matchIndex - SHOWN_BEFORE_MATCH;
  const shown = text.slice(start, start + room);
  const more = cut || start + room < text.length;
  return `${start > 0 ? '…' : ''}${shown}${more ? '…' : ''}`.toWellFormed();
}
