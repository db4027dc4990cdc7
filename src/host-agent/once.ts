/**
 * What was asked for happens once, however often it is asked for: by the key of the request, which is kept on the disk
 * before anything is done, and with it the outcome when there is one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Outcome } from '../backends/host-agent/wire.ts';
import { Failure } from '../errors.ts';
import { openDatabase } from '../state/sqlite-database.ts';

/** A request that is to have an effect. */
export interface KeyedRequest {
  /** Id of the peer: nobody finds the outcomes of others. */
  readonly peer: string;
  readonly key: string;
  /** All that the key stands for. */
  readonly content: readonly (string | Uint8Array)[];
}

/** The requests that have been seen. */
export interface Once {
  /**
   * The outcome of the request: by `work` when it comes the first time; else the kept one, or that of the attempt that
   * still runs.
   * @throws Failure `conflict` for a key that stood for something else, `unavailable` where an agent that has ended since
   * had begun with it: what became of it is not known
   */
  run(request: KeyedRequest, work: () => Promise<Outcome>): Promise<{ readonly outcome: Outcome; readonly repeated: boolean }>;
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE requests (
    peer TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    agent TEXT NOT NULL,
    begun_ms INTEGER NOT NULL,
    outcome TEXT,
    PRIMARY KEY (peer, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX requests_by_age ON requests (begun_ms);`,
];

/** How often what is old is removed, milliseconds. */
const SWEEP_MS = 60_000;
/** Longest outcome that is kept, characters of JSON; of a longer one only that it is there. */
const MAX_OUTCOME = 8 * 1024 ** 2;

interface Row {
  readonly digest: Uint8Array;
  readonly agent: string;
  readonly outcome: string | null;
}

/** @param keptMs how long a key is remembered; longer than a request with it is accepted */
export function openOnce(folder: string, keptMs: number): Once {
  const database = openDatabase(join(folder, 'requests.db'), MIGRATIONS);
  const agent = randomUUID();
  const running = new Map<string, Promise<Outcome>>();
  const unwritten = new Map<string, () => void>();
  const find = database.prepare('SELECT digest, agent, outcome FROM requests WHERE peer = ? AND key = ?');
  const begin = database.prepare(
    'INSERT INTO requests (peer, key, digest, agent, begun_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const end = database.prepare('UPDATE requests SET outcome = ? WHERE peer = ? AND key = ?');
  const forget = database.prepare('DELETE FROM requests WHERE begun_ms < ? AND (outcome IS NOT NULL OR agent <> ?)');
  const sweeping = setInterval(() => forget.run(Date.now() - keptMs, agent), SWEEP_MS);
  sweeping.unref();

  function kept({ digest: known, agent: whose, outcome }: Row, digest: Uint8Array, name: string): Promise<Outcome> | Outcome {
    if (Buffer.compare(known, digest) !== 0) {
      throw new Failure('conflict', 'The key of the request stood for another request before.', {
        hint: 'Make a new one for each thing that is to happen.',
      });
    }
    if (outcome !== null) return JSON.parse(outcome) as Outcome;
    const still = running.get(name);
    if (whose === agent && still) return still;
    throw new Failure('unavailable', 'The host agent ended while it was doing this: what became of it is not known.', {
      hint: 'Look at what it has done before it is done again.',
      details: { outcome: 'unknown' },
    });
  }

  /** Once the outcome is on its way: who is killed in between says that it is not known, which is true then. */
  function keep(peer: string, key: string, outcome: Outcome): void {
    const name = `${peer} ${key}`;
    const write = () => {
      unwritten.delete(name);
      try {
        end.run(textOf(outcome), peer, key);
      } finally {
        running.delete(name);
      }
    };
    unwritten.set(name, write);
    setImmediate(() => unwritten.has(name) && write());
  }

  return {
    async run({ peer, key, content }, work) {
      const digest = digestOf(content);
      const name = `${peer} ${key}`;
      const isNew = begin.run(peer, key, digest, agent, Date.now()).changes === 1;
      if (!isNew) return { outcome: await kept(find.get(peer, key) as unknown as Row, digest, name), repeated: true };
      const going = work();
      running.set(name, going);
      const outcome = await going;
      keep(peer, key, outcome);
      return { outcome, repeated: false };
    },
    close() {
      for (const write of unwritten.values()) write();
      clearInterval(sweeping);
      database.close();
    },
  };
}

function digestOf(content: readonly (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256');
  // With its length before each part, so that none can pass for the end of another.
  for (const part of content) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
}

function textOf(outcome: Outcome): string {
  const text = JSON.stringify(outcome);
  if (text.length <= MAX_OUTCOME) return text;
  const tooLong = new Failure('too_large', 'It was done; its outcome was too large to be kept for another attempt.');
  return JSON.stringify({ failure: { code: tooLong.code, message: tooLong.message, details: { outcome: 'done' } } });
}
