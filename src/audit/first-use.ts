import type { AuditEntry, AuditLog } from './audit-log.ts';

/**
 * An audit log that is loaded with its first record.
 * @param start written before that record, when given; and `stop` when the log is disposed of in good order
 */
export function openOnFirstUse(
  open: () => Promise<AuditLog>,
  life?: { readonly start: AuditEntry; readonly stop: AuditEntry },
): AuditLog {
  let opening: Promise<AuditLog> | undefined;
  let opened: AuditLog | undefined;

  async function openLog(): Promise<AuditLog> {
    const log = await open();
    if (life) await log.record(life.start);
    opened = log;
    return log;
  }

  return {
    record(entry) {
      if (opened) return opened.record(entry);
      if (!opening) {
        opening = openLog();
        // A log that could not be opened may be openable next time.
        opening.catch(() => {
          opening = undefined;
        });
      }
      return opening.then((log) => log.record(entry));
    },
    async [Symbol.asyncDispose]() {
      const log = await opening?.catch(() => undefined);
      if (!log) return;
      try {
        if (life) await log.record(life.stop);
      } finally {
        await log[Symbol.asyncDispose]();
      }
    },
  };
}
