/** Whether records stand in the order they were written in, each after the one it names. */
import { type Finding, type Place, problem, recordsText } from './findings.ts';
import { isIntact, type Position, type ReadRecord } from './record-format.ts';

export interface ChainOrder {
  /** The next record of the log. @param foreign its file stands in the place of another, which is told already */
  follow(record: ReadRecord, place: Required<Place>, foreign: boolean): void;
  /** A line that is no record. */
  unreadable(file: string, line: number): void;
  /** The newest record in order. */
  last(): Position;
  /** What was wrong. @param explained whether it is told already that these records are missing */
  findings(explained: (from: number, to: number) => boolean): Finding[];
}

interface Run {
  readonly from: number;
  to: number;
  readonly place: Place;
  readonly foreign: boolean;
}

/** @param start the record before the first */
export function createChainOrder(start: Position): ChainOrder {
  const found: Finding[] = [];
  /** Numbers that were jumped over, and those that came later than their turn. */
  const gaps: Run[] = [];
  const late: Run[] = [];
  let last: Position = start;
  let lastPlace: Place = {};
  /** Hashes by which the next record may name the last one: more than one where it is there twice, or was changed. */
  let hashes = [start.hash];
  let unread = 0;

  function comesLate({ seq, hash }: ReadRecord, place: Place, foreign: boolean): void {
    if (seq === last.seq) hashes.push(hash);
    const run = late.at(-1);
    if (run && run.to === seq - 1 && run.place.file === place.file) run.to = seq;
    else late.push({ from: seq, to: seq, place, foreign });
  }

  return {
    follow(record, place, foreign) {
      const { seq, prev, hash, actual } = record;
      const expected = last.seq + 1;
      if (!isIntact(record)) {
        found.push(problem('changed', place, 'the record was changed: its hash is not that of its bytes'));
        // Then its number may be wrong as well.
        if (seq !== expected) {
          unread++;
          return;
        }
      }
      if (seq < expected) return comesLate(record, place, foreign);
      if (seq > expected + unread) gaps.push({ from: expected, to: seq - 1, place, foreign });
      else if (seq === expected && isIntact(record) && !hashes.includes(prev)) {
        const message = `record ${last.seq} is not the one that record ${seq} was written after: it was changed or exchanged, with its hash`;
        found.push(problem('changed', { ...lastPlace, seq: last.seq }, message));
      }
      last = { seq, hash };
      lastPlace = place;
      hashes = [hash, actual];
      unread = 0;
    },
    unreadable(file, line) {
      unread++;
      const message = `the line is not a record: record ${last.seq + unread} was changed, or the line was inserted`;
      found.push(problem('changed', { file, line, seq: last.seq + unread }, message));
    },
    last: () => last,
    findings(explained) {
      const removed = gaps
        .flatMap((gap) => without(gap, late))
        .filter(({ from, to }) => !explained(from, to))
        .map(({ from, to, place: { file = '', line = 0 } }) =>
          problem('removed', { file, line, seq: from }, `${recordsText(from, to)} were removed before this line`),
        );
      const misplaced = late.filter(({ foreign }) => !foreign).map((run) => misplacedFinding(run, gaps));
      return [...found, ...removed, ...misplaced];
    },
  };
}

function misplacedFinding({ from, to, place }: Run, gaps: readonly Run[]): Finding {
  const text = recordsText(from, to);
  return gaps.some((gap) => gap.from <= to && from <= gap.to)
    ? problem('reordered', place, `${text} stood before records that are now before it: the order was changed`)
    : problem('inserted', place, `${text} is there a second time: lines were inserted`);
}

/** The parts of a run that none of the others covers. */
function without(run: Run, others: readonly Run[]): Run[] {
  let parts = [run];
  for (const { from, to } of others) {
    parts = parts.flatMap((part) =>
      to < part.from || part.to < from
        ? [part]
        : [...(part.from < from ? [{ ...part, to: from - 1 }] : []), ...(to < part.to ? [{ ...part, from: to + 1 }] : [])],
    );
  }
  return parts;
}
