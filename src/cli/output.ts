/** Data on stdout, words for people on stderr. */
import { type Failure, failureToJson } from '../errors.ts';

const gone = new AbortController();

/**
 * Aborted when nothing can be written to stdout any more, with the error as reason: mostly because whoever read it
 * went away (`| head`), and then what still runs has nobody to show itself to.
 */
export const stdoutGone: AbortSignal = gone.signal;

/** Lets a broken stdout end the program in good order instead of by an unhandled error. */
export function watchStdout(): void {
  process.stdout.on('error', (error) => gone.abort(error));
}

/** Writes data; resolves when it has left the process, so that a pipe never loses its end. */
export function printData(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) => {
      if (!error) return resolve();
      gone.abort(error);
      reject(error);
    });
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
