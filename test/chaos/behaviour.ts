/** What one client does all the time, and what it expects of the answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaosClient, codeOf, expectToken, type ToolAnswer } from './client.ts';
import type { Chance } from './random.ts';
import { note, type PromisedTask, type Records, type TaskWork } from './records.ts';
import { NoAnswer, WrongAnswer } from './wire.ts';

export interface BehaviourOptions {
  readonly number: number;
  readonly client: ChaosClient;
  readonly records: Records;
  readonly chance: Chance;
  /** Folder of the marks. */
  readonly marks: string;
  /** A variable of all commands, by which their processes are known. */
  readonly label: string;
  /** Aborts when even the patient go home. */
  readonly patience: AbortSignal;
}

const WEIGHTS = {
  echo: 40,
  mark: 14,
  markOnce: 10,
  command: 7,
  leaveCommand: 3,
  job: 4,
  task: 10,
  taskOnce: 6,
  taskUnkeyed: 3,
  taskCommand: 4,
  ownWork: 3,
  cancelled: 2,
  look: 5,
  pry: 2,
};
type Deed = keyof typeof WEIGHTS;

/** Longest pause between two deeds, milliseconds. */
const PAUSE_MS = 400;
/** Most of what runs is short, and some is longer than agents live on average, milliseconds. */
const SHORT_MS = 150;
const LONG_MS = 800;
/** How a call that must not be repeated may end beside success: nobody knows, or it never began. */
const EXCUSED: ReadonlySet<string | undefined> = new Set(['agent_lost', 'unavailable', 'cancelled']);

/** @returns does one thing after the other until the signal aborts */
export function createBehaviour(options: BehaviourOptions): (until: AbortSignal) => Promise<void> {
  const { number, client, records, chance, marks, label, patience } = options;
  const own: PromisedTask[] = [];
  let last = 0;
  /** Marks of what must not run twice are told by their name. */
  const nextKey = (kind: 'many' | 'once', deed: string) => `${kind}-${deed}-${number}-${++last}`;
  const takes = () => chance.below(chance.next() < 0.85 ? SHORT_MS : LONG_MS);

  const deeds: Readonly<Record<Deed, () => Promise<void>>> = {
    async echo() {
      await idempotent('echo', nextKey('many', 'echo'));
    },
    async mark() {
      const key = nextKey('many', 'mark');
      if (await idempotent('leave_mark', key)) records.succeeded.push(key);
    },
    async markOnce() {
      const key = nextKey('once', 'mark');
      const answer = await once('leave_mark_once', { key, takes: takes() });
      if (!answer) return;
      expectToken(answer, key, answer.structuredContent?.key);
      records.succeeded.push(key);
    },
    async command() {
      const key = nextKey('once', 'command');
      const answer = await once('execute_command', { command: commandOf(key, 0), env_vars: { CHAOS: label } });
      if (!answer) return;
      expectToken(answer, key, answer.structuredContent?.stdout.trim());
      records.succeeded.push(key);
    },
    async leaveCommand() {
      // Should it be left over, it is there to be found.
      const values = { command: 'sleep 3000 & setsid sleep 3000 & wait', timeout: 300, env_vars: { CHAOS: label } };
      await once('execute_command', values, AbortSignal.timeout(50 + chance.below(1500)));
    },
    async job() {
      const key = nextKey('once', 'job');
      const command = commandOf(key, chance.below(8000));
      const answer = await once('execute_command', { command, background: true, env_vars: { CHAOS: label } });
      if (answer) records.jobs.push({ client: number, id: answer.structuredContent.job_id, key });
    },
    async task() {
      const key = nextKey('many', 'task');
      const before =
        chance.next() < 0.3 ? own.findLast(({ work, cancelling }) => work === 'idempotent' && !cancelling) : undefined;
      await create(key, 'idempotent', { run: toolRun('leave_mark', key), ...(before && { depends_on: [before.id] }) });
    },
    async taskOnce() {
      const key = nextKey('once', 'task');
      await create(key, 'once', { run: toolRun('leave_mark_once', key) });
    },
    async taskUnkeyed() {
      const key = nextKey('once', 'unkeyed');
      const answer = await once('create_task', creation(key, { run: toolRun('leave_mark_once', key) }));
      if (answer) promised(answer, key, 'once');
    },
    async taskCommand() {
      const key = nextKey('once', 'command-task');
      await create(key, 'command', { run: { command: commandOf(key, takes()) } });
    },
    async ownWork() {
      const task = await create(nextKey('many', 'own'), 'own', {});
      if (!task) return;
      for (const action of ['claim', 'report', 'complete']) {
        const values = { action, task_id: task.id, agent: `worker-${number}`, note: 'half of it' };
        const answer = await client.insist('distribute_task', values, patience);
        // An attempt that had no answer may have done it.
        if (codeOf(answer) !== 'conflict') expect(answer, `distribute_task ${action}`);
      }
    },
    async cancelled() {
      const key = nextKey('many', 'cancelled');
      const task = await create(key, 'idempotent', { run: { tool: 'leave_mark', arguments: { key, takes: 3000 } } });
      if (!task) return;
      await sleep(chance.below(1000));
      task.cancelling = true;
      const answer = await client.insist('distribute_task', { action: 'cancel', task_id: task.id }, patience);
      if (codeOf(answer) === 'conflict' || !expect(answer, 'distribute_task cancel')) return;
      note(records, task, answer.structuredContent.task);
    },
    async look() {
      const task = own[chance.below(own.length)];
      if (!task) return;
      const answer = await client.insist('get_project_status', { task_id: task.id }, patience);
      if (!expect(answer, `get_project_status of ${task.key}`)) return;
      expectToken(answer, task.key, answer.structuredContent.task.title);
      note(records, task, answer.structuredContent.task);
    },
    async pry() {
      const theirs = records.tasks[chance.below(records.tasks.length)];
      if (!theirs || theirs.client === number) return;
      const answer = await client.insist('get_project_status', { task_id: theirs.id }, patience);
      if (codeOf(answer) !== 'not_found') throw new WrongAnswer(`Client ${number} was told of the task ${theirs.key}.`);
    },
  };

  function commandOf(key: string, ms: number): string {
    return `echo ran >> '${marks}/${key}'; sleep ${ms / 1000}; echo ${key}`;
  }

  function toolRun(tool: string, key: string): object {
    return { tool, arguments: { key, takes: takes() } };
  }

  function creation(key: string, more: object): object {
    return { title: key, description: 'for the ledger', task_type: 'chaos', ...more };
  }

  async function idempotent(tool: string, key: string): Promise<boolean> {
    records.idempotent.asked++;
    const answer = await client.insist(tool, { key, takes: takes() }, patience);
    expectToken(answer, key, answer.structuredContent?.key);
    if (!expect(answer, tool)) return false;
    records.idempotent.succeeded++;
    return true;
  }

  /** What must not be done twice is asked for once. @returns a success */
  async function once(tool: string, values: object, leaving?: AbortSignal): Promise<ToolAnswer | undefined> {
    try {
      const answer = await client.attempt(tool, values, leaving);
      return EXCUSED.has(codeOf(answer)) || !expect(answer, tool) ? undefined : answer;
    } catch (thrown) {
      if (thrown instanceof NoAnswer) return undefined;
      throw thrown;
    }
  }

  async function create(key: string, work: TaskWork, more: object): Promise<PromisedTask | undefined> {
    const again = creation(key, { ...more, idempotency_key: key });
    const answer = await client.insist('create_task', again, patience);
    return expect(answer, 'create_task') ? promised(answer, key, work, again) : undefined;
  }

  function promised({ structuredContent }: ToolAnswer, key: string, work: TaskWork, again?: object): PromisedTask {
    const { id, title } = structuredContent.task;
    if (title !== key) throw new WrongAnswer(`Who created ${key} was told of ${title}.`);
    const task: PromisedTask = { client: number, id, key, work, cancelling: false, ...(again && { again }) };
    own.push(task);
    records.tasks.push(task);
    return task;
  }

  function expect(answer: ToolAnswer, what: string): boolean {
    if (answer.isError) records.unexpected.push(`${what}: ${answer.content[0]?.text?.slice(0, 300)}`);
    return !answer.isError;
  }

  return async (until) => {
    while (!until.aborted) {
      try {
        await deeds[chance.pick(WEIGHTS)]();
      } catch (thrown) {
        if (patience.aborted) return;
        if (!(thrown instanceof WrongAnswer)) throw thrown;
        records.wrong.push(thrown.message);
      }
      await sleep(chance.below(PAUSE_MS));
    }
  };
}
