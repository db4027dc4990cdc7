/** After the storm: every client asks after all that it was promised, until each of it has come to an end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaosClient, codeOf, expectToken } from './client.ts';
import { note, type PromisedJob, type PromisedTask, type Records } from './records.ts';
import { WrongAnswer } from './wire.ts';

export interface Participant {
  readonly number: number;
  readonly client: ChaosClient;
}

const PAUSE_MS = 100;
/** Of so many keyed tasks one is asked for once more. */
const SAMPLE = 5;

/**
 * What is not there, or has not ended when patience aborts, is left without an end in the records.
 * @param kill once more, when all have ended: what they ended as must outlive that too
 */
export async function settle(
  participants: readonly Participant[],
  records: Records,
  patience: AbortSignal,
  kill: () => Promise<void>,
): Promise<void> {
  const all = (work: (participant: Participant) => Promise<void>) =>
    Promise.all(participants.map((each) => tolerate(() => work(each), records, patience)));
  await all(async ({ number, client }) => {
    for (const task of records.tasks) if (task.client === number) await untilEnded(task, client, records, patience);
    for (const job of records.jobs) if (job.client === number) await untilJobEnded(job, client, patience);
  });
  await kill();
  await all(async ({ number, client }) => {
    const own = records.tasks.filter((task) => task.client === number && task.ended !== undefined);
    for (const [index, task] of own.entries()) {
      if (index % SAMPLE === 0) await createAgain(task, client, records, patience);
      await look(task, client, records, patience);
    }
  });
}

async function untilEnded(task: PromisedTask, client: ChaosClient, records: Records, patience: AbortSignal): Promise<void> {
  while (!patience.aborted && !(await look(task, client, records, patience))) await sleep(PAUSE_MS);
}

/** @returns whether nothing more is to be expected of it */
async function look(task: PromisedTask, client: ChaosClient, records: Records, patience: AbortSignal): Promise<boolean> {
  const answer = await client.insist('get_project_status', { task_id: task.id }, patience);
  if (answer.isError) {
    delete task.ended;
    records.unexpected.push(`${task.key}: ${answer.content[0]?.text}`);
    return true;
  }
  expectToken(answer, task.key, answer.structuredContent.task.title);
  return note(records, task, answer.structuredContent.task);
}

async function createAgain(task: PromisedTask, client: ChaosClient, records: Records, patience: AbortSignal): Promise<void> {
  if (!task.again) return;
  const answer = await client.insist('create_task', task.again, patience);
  const told = answer.structuredContent?.task?.id ?? answer.content[0]?.text;
  if (told !== task.id) records.reopened.push(`${task.key} was asked for again and is another task: ${told}`);
}

async function untilJobEnded(job: PromisedJob, client: ChaosClient, patience: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await client.insist('manage_job', { operation: 'wait', job_id: job.id, seconds: 5 }, patience);
    if (codeOf(answer) !== undefined) return;
    const { job_id, state, exit_code } = answer.structuredContent.job;
    expectToken(answer, job.id, job_id);
    if (state === 'running') continue;
    job.ended = state === 'exited' ? `exited with ${exit_code}` : state;
    expectToken(answer, job.key, answer.structuredContent.stdout.trim());
    return;
  }
}

async function tolerate(work: () => Promise<void>, records: Records, patience: AbortSignal): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof WrongAnswer) records.wrong.push(thrown.message);
    else if (!patience.aborted) throw thrown;
  }
}
