/** Data on stdout, words for people on stderr. */
import { type Failure, failureToJson } from '../errors.ts';

/** Writes data; resolves when it has left the process, so that a pipe never loses its end. */
export function printData(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

export function printJson(value: unknown): Promise<void> {
  return printData(JSON.stringify(value, null, 2));
}

/** Tells a failure on stderr: a sentence and what to do, or its JSON. */
export function tellFailure(failure: Failure, json: boolean): void {
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: failureToJson(failure) })}\n`);
    return;
  }
  process.stderr.write(`mcp-python: ${failure.message}\n`);
  if (failure.hint) process.stderr.write(`  ${failure.hint}\n`);
}

/** A table of columns as wide as their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, index) => Math.max(all[index] ?? 0, cell.length)), []);
  return rows
    .map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  '))
    .join('\n');
}
