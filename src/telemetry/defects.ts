import { redactor } from '../redaction/process-redactor.ts';

/** Tells a defect of ours on stderr with its stack: the client only learns that something went wrong. */
export function reportDefect(where: string, thrown: unknown): void {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  process.stderr.write(`mcp-python: defect in ${where}: ${redactor.text(text)}\n`);
}
