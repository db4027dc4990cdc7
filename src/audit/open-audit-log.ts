/** The audit log as calls see it: records of one turn of the event loop are written together. */
import { Failure } from '../errors.ts';
import type { AuditEntry, AuditLog, AuditNote } from './audit-log.ts';
import type { ChainWriter } from './chain-writer.ts';
import type { RecordBody } from './record-format.ts';
import { createSerializer } from './serialize.ts';

export interface AuditLogOptions {
  /** Folder of the log; made with mode 0700 when it is not there. */
  readonly directory: string;
  /** Folder of the key that seals the log, `audit.key`; see `loadSecretKey`. */
  readonly stateDirectory: string;
  /** Whether `record` fails when a record cannot be written; otherwise it is counted as lost, and calls go on. */
  readonly required: boolean;
  /** Size and age, in seconds, at which the log goes on in a new file. */
  readonly maxFileBytes: number;
  readonly maxFileAgeSeconds: number;
  /** How many files are kept, the current one included; 1 or more. */
  readonly keepFiles: number;
  /** Takes secrets out of a string; applied to every string of an entry that is not a word of our own. */
  readonly redact: (text: string) => string;
  /** Told once when the log cannot be written, and once when it can again. */
  readonly onFailure: (message: string) => void;
}

/** Records that are written together, and share their fate. */
interface Batch {
  readonly bodies: RecordBody[];
  readonly written: Promise<void>;
  settle(error?: Failure): void;
}

/** What could not be written since it last could. */
interface Gap {
  lost: number;
  readonly since: string;
  readonly reason: string;
}

/**
 * The audit log. Nothing is opened, made or loaded before the first record.
 *
 * `record` resolves when write(2) has taken the record, so kill -9 does not lose it. A disk that is full or gone makes
 * it fail, or lose the record, as `required` says; it is tried again with every record, and once it works a `gap`
 * record tells how many are missing.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { required, onFailure } = options;
  const serialize = createSerializer(options.redact);
  const body = (entry: AuditEntry | AuditNote): RecordBody => ({ when: now(), fields: serialize(entry) });
  let opening: Promise<ChainWriter> | undefined;
  let waiting: Batch | undefined;
  let writing: Promise<void> | undefined;
  let gap: Gap | undefined;
  let closed = false;

  function record(entry: AuditEntry): Promise<void> {
    if (closed) return Promise.reject(new Failure('unavailable', 'The audit log is closed: the server is stopping.'));
    try {
      const made = body(entry);
      const batch = waiting ?? next();
      batch.bodies.push(made);
      return batch.written;
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  function next(): Batch {
    waiting = newBatch();
    if (!writing) setImmediate(writeWaiting);
    return waiting;
  }

  function writeWaiting(): void {
    const batch = waiting;
    if (!batch || writing) return;
    waiting = undefined;
    writing = write(batch).finally(() => {
      writing = undefined;
      // What came meanwhile waits for the rest of its turn.
      if (waiting) setImmediate(writeWaiting);
    });
  }

  async function write(batch: Batch): Promise<void> {
    try {
      opening ??= open();
      const writer = await opening;
      const before = gap && body({ event: 'gap', lost: gap.lost, since: gap.since, reason: gap.reason });
      await writer.append(before ? [before, ...batch.bodies] : batch.bodies);
      if (gap) onFailure(`The audit log is written again. ${gap.lost} records since ${gap.since} are not in it.`);
      gap = undefined;
      batch.settle();
    } catch (thrown) {
      batch.settle(fail(batch, thrown));
    }
  }

  async function open(): Promise<ChainWriter> {
    const { createChainWriter } = await import('./chain-writer.ts');
    return createChainWriter({ ...options, noteBody: body });
  }

  function fail({ bodies }: Batch, thrown: unknown): Failure | undefined {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (!gap) {
      gap = { lost: 0, since: bodies[0]?.when ?? now(), reason };
      const then = required ? 'calls are refused until it can' : 'calls go on without a record';
      onFailure(`The audit log in ${options.directory} cannot be written, ${then}: ${reason}`);
    }
    gap.lost += bodies.length;
    if (!required) return undefined;
    return new Failure('unavailable', `The audit log cannot be written, so nothing is run: ${reason}`, {
      hint: `Make ${options.directory} writable; it is tried again with the next call. \`audit.required: false\` runs without records.`,
      cause: thrown,
    });
  }

  return {
    record,
    async [Symbol.asyncDispose]() {
      closed = true;
      while (waiting || writing) {
        if (!writing) writeWaiting();
        await writing;
      }
      await (await opening)?.close();
    },
  };
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { bodies: [], written: promise, settle: (error) => (error ? reject(error) : resolve()) };
}

let lastMillisecond = 0;
let lastText = '';

/** The time in UTC, with milliseconds (RFC 3339). */
function now(): string {
  const millisecond = Date.now();
  if (millisecond !== lastMillisecond) {
    lastMillisecond = millisecond;
    lastText = new Date(millisecond).toISOString();
  }
  return lastText;
}
