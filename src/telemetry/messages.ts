import type { ConsolaInstance } from 'consola';
import type { Config } from '../config/schema.ts';
import { redactor } from '../redaction/process-redactor.ts';

/** Messages for people on stderr, at the configured level and worse; stdout stays for data. */
export async function messagesAt(level: Config['log']['level']): Promise<ConsolaInstance> {
  const { createConsola, LogLevels } = await import('consola');
  const messages = createConsola({ level: LogLevels[level], stdout: process.stderr, stderr: process.stderr });
  const reporters = [...messages.options.reporters];
  messages.setReporters(
    reporters.map((reporter) => ({
      log: (entry, context) => reporter.log({ ...entry, args: entry.args.map(withoutSecrets) }, context),
    })),
  );
  return messages;
}

function withoutSecrets(told: unknown): unknown {
  if (!(told instanceof Error)) return redactor.json(told);
  const copy: Error = Object.create(told, { message: { value: redactor.text(told.message) } });
  copy.stack = redactor.text(told.stack ?? '');
  return copy;
}
