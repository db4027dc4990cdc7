/** Runs durable tasks in this process: takes those that are ready, up to so many at once, and cleans up after dead processes. */
import { Failure, toFailure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { isAlive, isOfThisMachine } from '../state/process-identity.ts';
import type { TaskPatch, TaskStore } from '../state/task-store.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import type { AskPort, JsonObject } from '../tools/tool.ts';
import { askPortOf, TaskAsks } from './durable-questions.ts';
import { judge, keptResult, shortNote, type Verdict } from './durable-results.ts';
import { principalOf, taskOf } from './durable-rows.ts';
import type { DurableTask, TaskRun } from './durable-tasks.ts';

/** A task while it runs. */
export interface RunningTask extends DurableTask {
  /** On whose behalf. */
  readonly owner: Principal;
  /** Whether a command's exit status other than 0 is a failure. */
  readonly strict: boolean;
  /** The job that an earlier attempt started, which is followed rather than started again. */
  readonly job: string | undefined;
  /** Notes how far it is, for people. */
  report(note: string): void;
  /** Notes that its command goes on as this job, whatever becomes of this process. */
  followJob(id: string): void;
}

export interface RunnerPort {
  /**
   * Runs a task's call to its end.
   * @returns the result of `tools/call` on the wire
   * @throws what the questions' port throws, untouched; a Failure when the call could not be made
   */
  runCall(run: TaskRun, task: RunningTask, signal: AbortSignal, ask: AskPort): Promise<JsonObject>;
  /** Whether a call of the tool may be made again when nobody knows how far it came. */
  mayRepeat(tool: string): Promise<boolean>;
  /** A word for people: the store cannot be written, or the like. */
  onTrouble(message: string): void;
}

export interface TaskRunnerOptions extends RunnerPort {
  readonly store: TaskStore;
  /** Identity of this process. */
  readonly self: string;
  /** Tasks at once. */
  readonly capacity: number;
  /** How long running tasks may go on when the runner stops, milliseconds. */
  readonly graceMs: number;
  /** Told after each change made here. */
  onWrite(): void;
}

export type TaskRunner = ReturnType<typeof createTaskRunner>;

/** How often dead processes are looked for while others have tasks, milliseconds. */
const LOOK_MS = 3000;
/** Interval of the signs of life while tasks run here, and after how long without one a process elsewhere counts as dead. */
const BEAT_MS = 10_000;
const SILENT_MS = 60_000;
/** How often a task is begun whose process died. */
const MAX_DEATHS = 3;
/** Pauses before another attempt: the first, doubled each time, and the longest, milliseconds. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;
/** Least time between two notes of one task, milliseconds. */
const NOTE_MS = 1000;
/** Another attempt would fail the same way, or nobody wants it. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'cancelled',
  'denied',
  'invalid_input',
  'needs_approval',
  'not_configured',
  'unsupported',
]);

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export function createTaskRunner(options: TaskRunnerOptions) {
  const { store, self, capacity, graceMs, runCall, mayRepeat, onTrouble, onWrite } = options;
  const running = new Map<number, Running>();
  /** What this process runs: everything, or these tasks. */
  let wanted: 'all' | Set<number> = new Set();
  let stopping = false;
  let wakeUp: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;
  const agent = `process ${process.pid}`;

  function pump(): void {
    if (stopping) return;
    let row = running.size < capacity ? take() : undefined;
    while (row) {
      begin(row);
      row = running.size < capacity ? take() : undefined;
    }
    clearTimeout(wakeUp);
    if (wanted !== 'all' || running.size >= capacity) return;
    const readyMs = store.nextReadyMs();
    if (readyMs === undefined) return;
    wakeUp = setTimeout(guarded(pump), Math.max(10, Math.min(readyMs - Date.now(), LONGEST_PAUSE_MS)));
    wakeUp.unref();
  }

  function take(): TaskRow | undefined {
    if (wanted === 'all') return store.claim(self, agent);
    for (const number of wanted) {
      const row = store.claimOne(number, self, agent);
      if (row) return row;
    }
    return undefined;
  }

  function begin(row: TaskRow): void {
    const abort = new AbortController();
    const done = run(row, abort).finally(() => {
      running.delete(row.number);
      if (running.size === 0) {
        clearInterval(beating);
        beating = undefined;
      }
      guarded(pump)();
    });
    running.set(row.number, { abort, done });
    if (running.size === 1) {
      store.beat(self);
      beating = setInterval(
        guarded(() => store.beat(self)),
        BEAT_MS,
      );
      beating.unref();
    }
    onWrite();
  }

  async function run(row: TaskRow, abort: AbortController): Promise<void> {
    const patch = await attempt(row, abort.signal);
    // What a task came to is not lost because the disk was full for a moment.
    for (let pauseMs = 200; ; pauseMs *= 2) {
      try {
        const changed = store.change(
          row.number,
          { ...patch, owner: null },
          ({ state, owner }) => state === 'running' && owner === self,
        );
        // It was cancelled meanwhile, and stays so.
        if (!changed) store.change(row.number, { owner: null }, ({ owner }) => owner === self);
        onWrite();
        return;
      } catch (thrown) {
        onTrouble(`The end of the task ${row.id} cannot be stored: ${(thrown as Error).message}`);
        if (pauseMs > 10_000) return;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  /** What one attempt makes of the task. */
  async function attempt(row: TaskRow, signal: AbortSignal): Promise<TaskPatch> {
    const ask = askPortOf(row);
    try {
      const owner = principalOf(store.principalRecord(row.principal) ?? '');
      const run = { tool: row.tool as string, arguments: JSON.parse(row.arguments ?? '{}') as JsonObject };
      const followJob = (job: string) => {
        store.change(row.number, { job }, ({ owner: process }) => process === self);
        onWrite();
      };
      const running = {
        ...taskOf(row),
        owner,
        strict: row.strict === 1,
        job: row.job ?? undefined,
        report: reporter(row),
        followJob,
      };
      const result = await runCall(run, running, signal, ask);
      const verdict = judge(result, row.strict === 1);
      if (verdict.state === 'completed') return ended(verdict, result);
      return await failed(row, verdict, signal, result);
    } catch (thrown) {
      if (thrown instanceof TaskAsks) {
        return {
          state: 'input_required',
          attempts: row.attempts - 1,
          questions: JSON.stringify(thrown.questions),
          ask_state: thrown.state === undefined ? null : JSON.stringify(thrown.state),
          note: 'It has questions.',
        };
      }
      const { code, message, hint } = toFailure(thrown);
      return failed(row, { state: 'failed', code, note: shortNote(hint ? `${message} ${hint}` : message) }, signal);
    }
  }

  async function failed(row: TaskRow, verdict: Verdict, signal: AbortSignal, result?: JsonObject): Promise<TaskPatch> {
    const { code = '', note = '', againAfterSeconds } = verdict;
    if (againAfterSeconds !== undefined) {
      const readyMs = Date.now() + againAfterSeconds * 1000;
      return { state: 'queued', attempts: row.attempts - 1, ready_ms: readyMs, note };
    }
    if (code === 'agent_lost' || (signal.aborted && stopping)) return lost(row, note);
    if (row.attempts < row.max_attempts && !FINAL_CODES.has(code)) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (row.attempts - 1), LONGEST_PAUSE_MS);
      const told = shortNote(`Attempt ${row.attempts} of ${row.max_attempts} failed and is made again: ${note}`);
      return { state: 'queued', ready_ms: Date.now() + pauseMs, note: told, code: null, job: null };
    }
    return ended(verdict, result);
  }

  /** For one of which nobody knows how far it came. */
  async function lost(row: TaskRow, why: string): Promise<TaskPatch> {
    // Its command goes on by itself: it is followed, not run again.
    if ((row.job ?? store.get(row.number)?.job) != null) {
      return {
        state: 'queued',
        ready_ms: Date.now(),
        attempts: row.attempts - 1,
        note: shortNote(`Its command goes on: ${why}`),
      };
    }
    const repeatable = await mayRepeat(row.tool ?? '').catch(() => false);
    if (repeatable && row.attempts < Math.max(MAX_DEATHS, row.max_attempts)) {
      return { state: 'queued', ready_ms: Date.now(), note: shortNote(`It is run again: ${why}`) };
    }
    const known = [
      `begun ${new Date(row.started_ms ?? row.updated_ms).toISOString()}`,
      `attempt ${row.attempts}`,
      ...(row.note === null ? [] : [`last heard: ${row.note}`]),
    ].join(', ');
    const advice = repeatable ? '' : ' Look at what it was to change before you retry it.';
    return { state: 'interrupted', code: 'agent_lost', note: shortNote(`${why} (${known}).${advice}`) };
  }

  /** Keeps notes a while, so that a talkative tool does not write all the time. */
  function reporter(row: TaskRow): (note: string) => void {
    let notedMs = 0;
    return (note) => {
      const nowMs = Date.now();
      if (nowMs - notedMs < NOTE_MS) return;
      notedMs = nowMs;
      guarded(() => {
        store.change(row.number, { note: shortNote(note) }, ({ state, owner }) => state === 'running' && owner === self);
        onWrite();
      })();
    };
  }

  /** Aborts what was cancelled, here or by another process. */
  function heedCancellations(): void {
    for (const [number, { abort }] of running) {
      if (abort.signal.aborted || store.get(number)?.state === 'running') continue;
      abort.abort(new Failure('cancelled', 'The task was cancelled.'));
    }
  }

  /** Takes care of the tasks of processes that died, and looks again while there are others. */
  async function recover(): Promise<void> {
    const owners = store.owners().filter((owner) => owner !== self);
    const beats = new Map(store.runners().map(({ owner, beatMs }) => [owner, beatMs]));
    const nowMs = Date.now();
    const isDead = (owner: string) => (isOfThisMachine(owner) ? !isAlive(owner) : nowMs - (beats.get(owner) ?? 0) > SILENT_MS);
    for (const owner of owners.filter(isDead)) {
      for (const row of store.runningOf(owner)) {
        const patch = await lost(row, 'The process that ran it ended.');
        store.change(row.number, { ...patch, owner: null }, (now) => now.owner === owner && now.state === 'running');
      }
      store.letGo(owner);
      onWrite();
    }
    for (const owner of beats.keys()) if (owner !== self && isDead(owner)) store.leave(owner);
    if (looking || stopping || wanted !== 'all' || owners.every(isDead)) return;
    looking = setTimeout(() => {
      looking = undefined;
      guarded(look)();
    }, LOOK_MS);
    looking.unref();
  }

  async function look(): Promise<void> {
    await recover();
    pump();
  }

  function guarded(work: () => void | Promise<void>): () => void {
    const tell = (thrown: unknown) => onTrouble(`The store of tasks cannot be used: ${(thrown as Error).message}`);
    return () => {
      try {
        work()?.catch(tell);
      } catch (thrown) {
        tell(thrown);
      }
    };
  }

  return {
    /** Whether it runs everything there is. */
    get serves() {
      return wanted === 'all';
    },
    get running() {
      return running.size;
    },
    /** Runs everything there is, from now on. */
    async serve(): Promise<void> {
      wanted = 'all';
      store.beat(self);
      await look();
    },
    /** Runs these tasks too. */
    async runOnly(numbers: readonly number[]): Promise<void> {
      await recover();
      if (wanted !== 'all') for (const number of numbers) wanted.add(number);
      pump();
    },
    /**
     * Begins just this task now. Who waits for it is not to wait for work that nobody waits for, so it may go past the
     * capacity, as far again at most.
     */
    begin(number: number): void {
      const row = stopping || running.size >= 2 * capacity ? undefined : store.claimOne(number, self, agent);
      if (row) begin(row);
    },
    /** To be called when something was written, by whichever process. */
    onChange: guarded(() => {
      heedCancellations();
      if (wanted === 'all' && !looking) return look();
      pump();
    }),
    /** Ends what runs after a time of grace, and gives it back to the queue where that is safe. */
    async stop(): Promise<void> {
      stopping = true;
      clearTimeout(wakeUp);
      clearTimeout(looking);
      const all = Promise.all([...running.values()].map(({ done }) => done));
      if (running.size > 0 && graceMs > 0) await Promise.race([all, pause(graceMs)]);
      for (const { abort } of running.values()) abort.abort(new Failure('unavailable', 'The server was stopped while it ran.'));
      await all;
      clearInterval(beating);
      store.leave(self);
    },
  };
}

function ended({ state, note, code }: Verdict, result?: JsonObject): TaskPatch {
  const kept = result && keptResult(result);
  const told = kept?.shortened ? `${note ?? ''} Its result was too large to keep whole.`.trim() : note;
  return { state, note: told ?? null, code: code ?? null, result: kept?.json ?? null, questions: null, answers: null };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
