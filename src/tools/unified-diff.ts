/** Characters of a diff that are told. */
const MAX_DIFF = 32 * 1024;
const MAX_DIFF_MS = 2000;

export interface UnifiedDiff {
  /** Hunks with three lines of context, under `---` and `+++` headers. */
  readonly diff: string;
  /** The diff was cut, or would have taken too long to make. */
  readonly truncated: boolean;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** What changed between two texts with `\n` endings. */
export async function unifiedDiff(path: string, before: string, after: string): Promise<UnifiedDiff> {
  const { structuredPatch } = await import('diff');
  const patch = structuredPatch(path, path, before, after, undefined, undefined, { context: 3, timeout: MAX_DIFF_MS });
  const header = `--- ${path}\n+++ ${path}\n`;
  if (!patch) return { diff: header, truncated: true, linesAdded: 0, linesRemoved: 0 };
  const lines = patch.hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines,
  ]);
  const starting = (sign: string) =>
    patch.hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.startsWith(sign)).length, 0);
  const shown: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > MAX_DIFF) break;
    shown.push(line);
  }
  return {
    diff: `${header}${shown.join('\n')}\n`,
    truncated: shown.length < lines.length,
    linesAdded: starting('+'),
    linesRemoved: starting('-'),
  };
}
