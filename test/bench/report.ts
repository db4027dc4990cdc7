/** The table of figures and bounds. */

export interface Row {
  readonly group: string;
  readonly what: string;
  readonly figure: number;
  /** `×`, `%`, `MiB` … written behind figure and bound. */
  readonly unit: string;
  /** Absent for a figure that is only told. */
  readonly bound?: { readonly kind: 'at most' | 'at least'; readonly value: number };
  /** The measured values behind the figure. */
  readonly detail: string;
}

/** Undefined for a row without a bound. */
export function isMet({ figure, bound }: Row): boolean | undefined {
  if (!bound) return undefined;
  return bound.kind === 'at most' ? figure <= bound.value : figure >= bound.value;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const met = isMet(row);
    return [
      row.group,
      row.what,
      `${shown(row.figure)} ${row.unit}`,
      row.bound ? `${row.bound.kind === 'at most' ? '≤' : '≥'} ${shown(row.bound.value)} ${row.unit}` : '',
      met === undefined ? '' : met ? 'yes' : 'NO',
      row.detail,
    ];
  });
  const lines = [['group', 'what', 'figure', 'bound', 'met', 'measured'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function json(rows: readonly Row[], environment: Readonly<Record<string, string>>): string {
  return JSON.stringify({ environment, rows: rows.map((row) => ({ ...row, met: isMet(row) ?? null })) }, null, 2);
}

/** Three digits that matter; counts in full. */
export function shown(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
