/** What a verification has to say about a log. */

export type FindingKind =
  /** Bytes of a record are not those it was written with, or the record that the next one names. */
  | 'changed'
  | 'removed'
  | 'reordered'
  | 'inserted'
  | 'missing_file'
  | 'swapped_file'
  /** Records are missing from the end. */
  | 'cut'
  /** The head file is gone, or does not fit the log. */
  | 'head'
  /** A seal that was not made with the key. */
  | 'forged'
  /** The record that was noted elsewhere is not in the log. */
  | 'anchor'
  /** The log itself found, when it was opened, that it was not as it had been left. */
  | 'damage'
  /** Records could not be written. */
  | 'gap'
  /** Left by a process that was killed while it wrote. */
  | 'unfinished'
  /** Something could not be checked. */
  | 'unchecked';

export interface Place {
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly seq?: number;
}

export interface Finding extends Place {
  /** A problem means tampering or loss; a warning is what also an honest log has. */
  readonly severity: 'problem' | 'warning';
  readonly kind: FindingKind;
  /** A sentence for people. */
  readonly message: string;
}

export function problem(kind: FindingKind, place: Place, message: string): Finding {
  return { severity: 'problem', kind, ...place, message };
}

export function warning(kind: FindingKind, place: Place, message: string): Finding {
  return { severity: 'warning', kind, ...place, message };
}

/** `record 7`, or `records 7 to 9`. */
export function recordsText(from: number, to: number): string {
  return from === to ? `record ${from}` : `records ${from} to ${to}`;
}
