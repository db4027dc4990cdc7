/** Durable tasks over the store of the state folder. Nothing is loaded or opened before somebody asks. */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { isAlive, isOfThisMachine, ownIdentity } from '../state/process-identity.ts';
import type { TaskPatch, TaskStore } from '../state/task-store.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import type { JsonObject } from '../tools/tool.ts';
import { createTaskFeed, type TaskFeed } from './durable-feed.ts';
import { shortNote } from './durable-results.ts';
import { principalRecord, projectOf, rowOf, taskOf } from './durable-rows.ts';
import {
  type DurableState,
  type DurableTask,
  type DurableTasks,
  ENDED_TASK_STATES,
  type TaskManagement,
} from './durable-tasks.ts';
import { isDeadEnd, newProjectRows, projectWithTasks, whyBlocked } from './projects.ts';
import type { RunnerPort, TaskRunner } from './task-runner.ts';

export interface DurableTasksOptions extends RunnerPort {
  /** The state folder. */
  readonly folder: string;
  /** The folder that relative paths of calls start from: tasks created elsewhere are not run here. */
  readonly place: string;
  /** How long ended tasks are kept that say nothing else, seconds. */
  readonly retentionSeconds: number;
  /** Tasks that this process runs at once. */
  readonly capacity: number;
  /** How long running tasks may go on at the end of this process, seconds. */
  readonly graceSeconds: number;
}

export interface DurableService extends DurableTasks, TaskManagement {
  /** Runs the tasks of the state folder in this process from now on, beginning with what dead processes left. */
  serve(): Promise<void>;
}

interface Opened {
  readonly store: TaskStore;
  readonly feed: TaskFeed;
  readonly runner: TaskRunner;
}

/** How often what has ended long ago is looked for, milliseconds. */
const FORGET_MS = 3_600_000;
const ALL_STATES: readonly DurableState[] = [
  'blocked',
  'open',
  'claimed',
  'queued',
  'running',
  'input_required',
  ...ENDED_TASK_STATES,
];

export function openDurableTasks(options: DurableTasksOptions): DurableService {
  const self = ownIdentity();
  const listeners = new Set<(task: DurableTask) => void>();
  let opening: Promise<Opened> | undefined;
  let forgetting: NodeJS.Timeout | undefined;
  let closed = false;

  function opened(): Promise<Opened> {
    if (closed) throw new Failure('unavailable', 'The server is stopping.', { hint: 'Try again once it is back.' });
    opening ??= open();
    return opening;
  }

  async function open(): Promise<Opened> {
    const [{ openTaskStore }, { createTaskRunner }] = await Promise.all([
      import('../state/task-store.ts'),
      import('./task-runner.ts'),
    ]);
    const store = openStore(() => openTaskStore(options.folder, options.retentionSeconds * 1000, options.place));
    const feed = createTaskFeed(store, options.onTrouble);
    const runner = createTaskRunner({ ...options, store, self, graceMs: options.graceSeconds * 1000, onWrite: feed.touch });
    feed.onWrite(runner.onChange);
    feed.onTask((row) => {
      if (listeners.size === 0) return;
      const task = told(store, row);
      for (const listener of listeners) listener(task);
    });
    return { store, feed, runner };
  }

  function told(store: TaskStore, row: TaskRow): DurableTask {
    const dependencies = store.dependencies(row.number);
    const task = taskOf(
      row,
      dependencies.map(({ id }) => id),
    );
    return row.state === 'blocked' ? { ...task, ...whyBlocked(store.stuckBy(row.number), dependencies) } : task;
  }

  function mustFind(store: TaskStore, id: string, principal: Principal): TaskRow {
    const row = store.find(id, principal.id);
    if (row) return row;
    throw new Failure('not_found', `There is no task ${id}.`, {
      hint: 'Tasks are forgotten some time after they have ended, and belong to whoever created them.',
    });
  }

  /** @param verb as in "cannot be cancelled" */
  async function change(
    id: string,
    principal: Principal,
    verb: string,
    states: readonly DurableState[],
    patch: (row: TaskRow) => TaskPatch,
  ): Promise<DurableTask> {
    const { store, feed } = await opened();
    const { number } = mustFind(store, id, principal);
    const changed = store.change(number, patch, (row) => states.includes(row.state as DurableState));
    if (!changed) {
      const { title, state } = mustFind(store, id, principal);
      throw new Failure('conflict', `"${title}" is ${state}, so it cannot be ${verb}.`, {
        details: { state },
        hint: `That takes one that is ${states.join(', ')}.`,
      });
    }
    feed.touch();
    return told(store, changed);
  }

  async function until(
    id: string,
    principal: Principal,
    signal: AbortSignal,
    isEnough: (task: DurableTask) => boolean,
  ): Promise<DurableTask> {
    const { store, feed } = await opened();
    const look = () => told(store, mustFind(store, id, principal));
    const { number } = mustFind(store, id, principal);
    let task = look();
    if (isEnough(task) || signal.aborted) return task;
    return new Promise((resolve, reject) => {
      const stop = () => {
        unwatch();
        leave();
        signal.removeEventListener('abort', end);
      };
      const end = () => {
        stop();
        resolve(task);
      };
      const check = () => {
        try {
          task = look();
          if (isEnough(task)) end();
        } catch (thrown) {
          stop();
          reject(thrown);
        }
      };
      const leave = feed.onTask((row) => row.number === number && check());
      const unwatch = feed.await();
      signal.addEventListener('abort', end, { once: true });
      check();
    });
  }

  async function submitOne(task: Parameters<DurableTasks['submit']>[0]): Promise<DurableTask> {
    const { store, feed, runner } = await opened();
    const { idempotencyKey: key, principal } = task;
    const before = key === undefined ? undefined : store.findByKey(key, principal.id);
    if (before) return told(store, before);
    const row = rowOf(task);
    try {
      store.add([row], principalRecord(principal));
    } catch (thrown) {
      // Another process may have been faster with the same key.
      const other = key === undefined ? undefined : store.findByKey(key, principal.id);
      if (other) return told(store, other);
      throw thrown;
    }
    feed.touch();
    const { number } = mustFind(store, row.id, principal);
    if (task.atOnce) runner.begin(number);
    return told(store, mustFind(store, row.id, principal));
  }

  return {
    submit: submitOne,
    async get(id, principal) {
      const { store } = await opened();
      return told(store, mustFind(store, id, principal));
    },
    async list(principal, { limit, cursor, project, states = ALL_STATES }) {
      const { store } = await opened();
      const beforeNumber = cursor === undefined ? undefined : numberOf(cursor);
      const rows = states.length === 0 ? [] : store.page(principal.id, { limit: limit + 1, beforeNumber, project, states });
      const more = rows.length > limit;
      const tasks = rows.slice(0, limit).map((row) => {
        if (row.state !== 'blocked') return taskOf(row);
        const dependencies = store.dependencies(row.number);
        // Only as far as the next ones: a page is to be quick.
        return { ...taskOf(row), ...whyBlocked(dependencies.filter(isDeadEnd), dependencies) };
      });
      return { tasks, ...(more && { cursor: String(rows[limit - 1]?.number) }) };
    },
    cancel: (id, principal) =>
      change(id, principal, 'cancelled', ALL_STATES.filter(isLive), () => ({
        state: 'cancelled',
        code: 'cancelled',
        note: null,
        questions: null,
        answers: null,
      })),
    async discard(id, principal) {
      const { store } = await opened();
      store.discard(mustFind(store, id, principal).number);
    },
    answer: (id, principal, answers) =>
      change(id, principal, 'answered', ['input_required'], (row) => {
        const questions = JSON.parse(row.questions ?? '{}') as JsonObject;
        const given = JSON.parse(row.answers ?? '{}') as JsonObject;
        for (const [key, answer] of Object.entries(answers)) {
          if (!Object.hasOwn(questions, key)) continue;
          given[key] = answer;
          delete questions[key];
        }
        const all = Object.keys(questions).length === 0;
        return {
          answers: JSON.stringify(given),
          questions: all ? null : JSON.stringify(questions),
          ...(all && { state: 'queued', ready_ms: Date.now(), note: null }),
        };
      }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    until,
    ended: (id, principal, signal) => until(id, principal, signal, ({ state }) => ENDED_TASK_STATES.includes(state)),

    claim: (id, principal, agent) =>
      change(id, principal, 'claimed', ['open'], ({ assignee, title }) => {
        if (assignee !== null && assignee !== agent) {
          throw new Failure('conflict', `"${title}" is meant for ${assignee}, not for ${agent}.`);
        }
        return { state: 'claimed', agent, note: null };
      }),
    report: (id, principal, agent, note) =>
      change(id, principal, 'reported on', ['claimed'], (row) => {
        refuseOthers(row, agent);
        return { note: shortNote(note) };
      }),
    finish: (id, principal, { agent, outcome, note }) =>
      change(
        id,
        principal,
        'finished',
        outcome === 'completed' ? ['open', 'claimed', 'failed', 'interrupted'] : ['open', 'claimed'],
        (row) => {
          if (row.state === 'claimed') refuseOthers(row, agent);
          return {
            state: outcome,
            ...(agent !== undefined && { agent }),
            note: note === undefined ? null : shortNote(note),
            code: outcome === 'failed' ? 'reported' : null,
          };
        },
      ),
    assign: (id, principal, agent) => change(id, principal, 'assigned', ['open', 'blocked'], () => ({ assignee: agent ?? null })),
    release: (id, principal, note) =>
      change(id, principal, 'released', ['claimed'], () => ({
        state: 'open',
        agent: null,
        note: note === undefined ? null : shortNote(note),
      })),
    retry: (id, principal) =>
      change(id, principal, 'retried', ['failed', 'cancelled', 'interrupted'], ({ unmet, tool, attempts, max_attempts }) => ({
        state: unmet > 0 ? 'blocked' : tool === null ? 'open' : 'queued',
        ready_ms: Date.now(),
        max_attempts: Math.max(max_attempts, attempts + 1),
        note: null,
        code: null,
        result: null,
        agent: null,
        job: null,
        questions: null,
        answers: null,
        ask_state: null,
      })),

    async createProject(asked, principal) {
      const { store, feed } = await opened();
      const { row, tasks } = newProjectRows(asked, principal);
      store.add(tasks, principalRecord(principal), row);
      feed.touch();
      return projectWithTasks(store, row.id, principal);
    },
    project: async (id, principal) => projectWithTasks((await opened()).store, id, principal),
    async projects(principal, limit) {
      const { store } = await opened();
      return store.projects(principal.id, limit).map((row) => ({ ...projectOf(row), counts: store.countStates(row.id) }));
    },

    async isServed() {
      const { store, runner } = await opened();
      if (runner.serves) return true;
      return store
        .runners()
        .filter(({ place }) => place === options.place)
        .some(({ owner, beatMs }) => (isOfThisMachine(owner) ? isAlive(owner) : Date.now() - beatMs < 60_000));
    },
    async runHere(id, principal) {
      const { store, runner } = await opened();
      const numbers = new Set<number>();
      const add = (number: number) => {
        if (numbers.has(number)) return;
        for (const each of store.dependencies(number)) add(each.number);
        numbers.add(number);
      };
      add(mustFind(store, id, principal).number);
      await runner.runOnly([...numbers]);
    },
    async serve() {
      const { store, runner } = await opened();
      const forget = () => {
        try {
          store.forget(Date.now());
        } catch (thrown) {
          options.onTrouble(`Old tasks cannot be forgotten: ${(thrown as Error).message}`);
        }
      };
      forget();
      forgetting ??= setInterval(forget, FORGET_MS);
      forgetting.unref();
      await runner.serve();
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      clearInterval(forgetting);
      const { runner, feed, store } = (await opening?.catch(() => undefined)) ?? {};
      await runner?.stop();
      feed?.stop();
      store?.close();
    },
  };
}

function isLive(state: DurableState): boolean {
  return !ENDED_TASK_STATES.includes(state);
}

function refuseOthers({ agent, title }: TaskRow, asking: string | undefined): void {
  if (asking === undefined || asking === agent) return;
  throw new Failure('conflict', `"${title}" is claimed by ${agent}, not by ${asking}.`, {
    hint: 'Release it first if that agent is gone.',
  });
}

function numberOf(cursor: string): number {
  const number = Number(cursor);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Failure('invalid_input', 'This cursor is none that was given out.', { hint: 'Begin again without one.' });
}

/** @throws Failure `unavailable` that says what SQLite said */
function openStore(open: () => TaskStore): TaskStore {
  try {
    return open();
  } catch (thrown) {
    throw new Failure('unavailable', `The store of tasks cannot be opened: ${(thrown as Error).message}`, {
      hint: 'Look at tasks.db in the state folder.',
      cause: thrown,
    });
  }
}
