/** Who takes which task next, and which processes there are to take them. */
import type { DatabaseSync } from 'node:sqlite';
import { inOneStep } from './sqlite-database.ts';
import type { TaskRow } from './task-store-schema.ts';

/** After each of these waits, milliseconds, a task counts as one step more urgent. */
const AGEING_MS = 60_000;
const LEVELS = 4;

/** The longest waiting task of one principal and one priority. */
interface Lane {
  readonly principal: string;
  readonly level: number;
  readonly ready: number | null;
  readonly served: number;
}

/**
 * @param nextChange draws a number inside the transaction
 * @param place the folder that relative paths start from here; tasks of others are not seen
 */
export function createClaims(database: DatabaseSync, nextChange: () => number, place: string) {
  const sql = {
    // Leaps from one principal to the next instead of reading every row.
    lanes: database.prepare(
      `WITH RECURSIVE waiting (principal) AS (
         SELECT min(principal) FROM tasks INDEXED BY tasks_ready WHERE state = 'queued' AND place = :place
         UNION ALL
         SELECT (SELECT min(principal) FROM tasks INDEXED BY tasks_ready
             WHERE state = 'queued' AND place = :place AND principal > waiting.principal)
           FROM waiting WHERE waiting.principal IS NOT NULL
       ), levels (level) AS (VALUES ${Array.from({ length: LEVELS }, (_, level) => `(${level})`).join(', ')})
       SELECT waiting.principal, level,
         (SELECT min(ready_ms) FROM tasks INDEXED BY tasks_ready
            WHERE state = 'queued' AND place = :place AND tasks.principal = waiting.principal AND priority = level) AS ready,
         (SELECT served FROM principals WHERE id = waiting.principal) AS served
       FROM waiting, levels WHERE waiting.principal IS NOT NULL`,
    ),
    anyQueued: database.prepare("SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE state = 'queued' AND place = ? LIMIT 1"),
    claim: database.prepare(
      `UPDATE tasks SET state = 'running', owner = :owner, agent = :agent, attempts = attempts + 1, started_ms = :now,
         updated_ms = :now, note = NULL, code = NULL, change = :change
       WHERE number = (SELECT number FROM tasks INDEXED BY tasks_ready
         WHERE state = 'queued' AND place = :place AND principal = :principal AND priority = :level ORDER BY ready_ms LIMIT 1) RETURNING *`,
    ),
    claimOne: database.prepare(
      `UPDATE tasks SET state = 'running', owner = :owner, agent = :agent, attempts = attempts + 1, started_ms = :now,
         updated_ms = :now, note = NULL, code = NULL, change = :change
       WHERE number = :number AND state = 'queued' AND place = :place AND ready_ms <= :now RETURNING *`,
    ),
    served: database.prepare('UPDATE principals SET served = ? WHERE id = ?'),
    beat: database.prepare(
      'INSERT INTO runners (owner, place, beat_ms) VALUES (?, ?, ?) ON CONFLICT (owner) DO UPDATE SET beat_ms = excluded.beat_ms',
    ),
    leave: database.prepare('DELETE FROM runners WHERE owner = ?'),
    runners: database.prepare('SELECT owner, place, beat_ms AS beatMs FROM runners'),
    owners: database.prepare('SELECT DISTINCT owner FROM tasks WHERE owner IS NOT NULL'),
    ownedBy: database.prepare("SELECT * FROM tasks WHERE owner = ? AND state = 'running'"),
    letGo: database.prepare("UPDATE tasks SET owner = NULL WHERE owner = ? AND state <> 'running'"),
  };

  function best(lanes: readonly Lane[], nowMs: number): Lane | undefined {
    const urgency = ({ level, ready }: Lane) => Math.max(0, level - Math.floor((nowMs - (ready ?? nowMs)) / AGEING_MS));
    let found: Lane | undefined;
    for (const lane of lanes) {
      if (lane.ready === null || lane.ready > nowMs) continue;
      const difference = found ? urgency(lane) - urgency(found) || lane.served - found.served : -1;
      if (difference < 0 || (difference === 0 && lane.ready < (found?.ready ?? 0))) found = lane;
    }
    return found;
  }

  return {
    /**
     * Takes the most urgent task that may be run now: by priority, a step more for each minute of waiting, then whose
     * principal was served longest ago.
     * @param owner identity of the process
     * @param agent how the process is told to people
     */
    claim(owner: string, agent: string): TaskRow | undefined {
      // Looked at first without a lock: most of the time there is nothing.
      if (!sql.anyQueued.get(place)) return undefined;
      return inOneStep(database, () => {
        const now = Date.now();
        const lane = best(sql.lanes.all({ place }) as unknown as Lane[], now);
        if (!lane) return undefined;
        const { principal, level } = lane;
        const change = nextChange();
        sql.served.run(change, principal);
        return sql.claim.get({ owner, agent, now, change, place, principal, level }) as TaskRow | undefined;
      });
    },
    /** Takes just this task, if it may be run now. */
    claimOne(number: number, owner: string, agent: string): TaskRow | undefined {
      return inOneStep(
        database,
        () => sql.claimOne.get({ owner, agent, now: Date.now(), change: nextChange(), number, place }) as TaskRow | undefined,
      );
    },
    /** When the first task that must not be run yet may be, milliseconds since 1970. */
    nextReadyMs(): number | undefined {
      const times = (sql.lanes.all({ place }) as unknown as Lane[]).flatMap(({ ready }) => ready ?? []);
      return times.length > 0 ? Math.min(...times) : undefined;
    },
    /** A sign of life of a process that runs tasks. */
    beat(owner: string): void {
      sql.beat.run(owner, place, Date.now());
    },
    leave(owner: string): void {
      sql.leave.run(owner);
    },
    runners: () => sql.runners.all() as { owner: string; place: string; beatMs: number }[],
    /** Processes that have tasks. */
    owners: () => (sql.owners.all() as { owner: string }[]).map(({ owner }) => owner),
    runningOf: (owner: string) => sql.ownedBy.all(owner) as unknown as TaskRow[],
    /** Forgets that a dead process had tasks that were cancelled meanwhile. */
    letGo(owner: string): void {
      sql.letGo.run(owner);
    },
  };
}
