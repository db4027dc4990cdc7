import type { ConsolaInstance } from 'consola';
import type { Config } from '../config/schema.ts';

/** Messages for people on stderr, at the configured level and worse; stdout stays for data. */
export async function messagesAt(level: Config['log']['level']): Promise<ConsolaInstance> {
  const { createConsola, LogLevels } = await import('consola');
  return createConsola({ level: LogLevels[level], stdout: process.stderr, stderr: process.stderr });
}
