/** Characters of a diff that are told. */
const MAX_DIFF = 32 * 1024;
/** Beyond this many changed lines, or this long, the smallest diff is not looked for. */
const MAX_CHANGED_LINES = 2000;
const MAX_DIFF_MS = 500;
const CONTEXT = 3;

export interface UnifiedDiff {
  /** Hunks with three lines of context, under `---` and `+++` headers. */
  readonly diff: string;
  /** The diff was cut. */
  readonly truncated: boolean;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

/** What changed between two texts with `\n` endings. */
export async function unifiedDiff(path: string, before: string, after: string): Promise<UnifiedDiff> {
  const { structuredPatch } = await import('diff');
  const limits = { context: CONTEXT, maxEditLength: MAX_CHANGED_LINES, timeout: MAX_DIFF_MS };
  const hunks: readonly Hunk[] = structuredPatch(path, path, before, after, undefined, undefined, limits)?.hunks ?? [
    oneHunk(before, after),
  ];
  const lines = hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines,
  ]);
  const count = (sign: string) => hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(sign)).length, 0);
  const shown: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > MAX_DIFF) break;
    shown.push(line);
  }
  return {
    diff: `--- ${path}\n+++ ${path}\n${shown.join('\n')}\n`,
    truncated: shown.length < lines.length,
    linesAdded: count('+'),
    linesRemoved: count('-'),
  };
}

/** The whole stretch between the first and the last difference as one change: true, if not the smallest. */
function oneHunk(before: string, after: string): Hunk {
  const old = before.replace(/\n$/, '').split('\n');
  const fresh = after.replace(/\n$/, '').split('\n');
  const shorter = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shorter && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  const start = Math.max(0, head - CONTEXT);
  const following = Math.min(tail, CONTEXT);
  const oldEnd = old.length - tail;
  const newEnd = fresh.length - tail;
  return {
    oldStart: start + 1,
    oldLines: oldEnd + following - start,
    newStart: start + 1,
    newLines: newEnd + following - start,
    lines: [
      ...old.slice(start, head).map((line) => ` ${line}`),
      ...old.slice(head, oldEnd).map((line) => `-${line}`),
      ...fresh.slice(head, newEnd).map((line) => `+${line}`),
      ...old.slice(oldEnd, oldEnd + following).map((line) => ` ${line}`),
    ],
  };
}
