/** What became of everything that was promised, and whether that is what was promised. */
import type { PromisedTask } from './records.ts';
import type { Outcome } from './run.ts';

/** Counts, and a sentence for each thing that must not be. */
export interface Ledger {
  readonly clients: Readonly<Record<string, number>>;
  readonly killed: {
    readonly servers: number;
    /** Until the next one answered, milliseconds. */
    readonly longestAwayMs: number;
    readonly agents: Readonly<Record<string, number>>;
  };
  /** Attempts by how they ended. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly idempotentCalls: { readonly asked: number; readonly succeeded: number };
  readonly tasks: {
    readonly submitted: number;
    readonly finished: number;
    /** Begun more than once. */
    readonly retried: number;
    /** By how they ended. */
    readonly ended: Readonly<Record<string, number>>;
  };
  readonly jobs: { readonly submitted: number; readonly finished: number };
  /** Acknowledged, and not there, not ended, or without the run that its success claims. */
  readonly lost: readonly string[];
  /** Run twice though it must not be, or ended twice in different ways. */
  readonly doubled: readonly string[];
  /** Idempotent, and not successful. */
  readonly failed: readonly string[];
  /** Answers to somebody else. */
  readonly wrong: readonly string[];
  /** Processes that nobody knows any more. */
  readonly orphans: readonly string[];
  /** Whatever else chaos does not excuse. */
  readonly unexpected: readonly string[];
  /** What the servers had to say beside that their agents died. */
  readonly complaints: Readonly<Record<string, number>>;
  readonly state: string;
}

export function ledgerOf(outcome: Outcome): Ledger {
  const { records, runs, awayMs } = outcome;
  const { tasks, jobs, attempts, idempotent } = records;
  const ran = (key: string) => runs.get(key) ?? 0;
  const unsuccessful = tasks.filter(
    ({ work, ended, cancelling }) => isPromisedSuccess(work) && ended !== 'completed' && !cancelling,
  );
  return {
    clients: outcome.wires,
    killed: { servers: awayMs.length, longestAwayMs: Math.round(Math.max(0, ...awayMs)), agents: outcome.agentKills },
    attempts: Object.fromEntries([...attempts].sort(([, a], [, b]) => b - a)),
    idempotentCalls: { ...idempotent },
    tasks: {
      submitted: tasks.length,
      finished: tasks.filter(({ ended }) => ended !== undefined).length,
      retried: tasks.filter(({ attempts = 0 }) => attempts > 1).length,
      ended: counted(tasks.map(({ ended = 'not at all' }) => ended)),
    },
    jobs: { submitted: jobs.length, finished: jobs.filter(({ ended }) => ended !== undefined).length },
    lost: [
      ...tasks.filter(({ ended }) => ended === undefined).map(({ key, id }) => `The task ${key} (${id}) has not ended.`),
      ...tasks
        .filter(({ key, work, ended }) => work !== 'own' && ended === 'completed' && ran(key) === 0)
        .map(({ key }) => `The task ${key} is completed and never ran.`),
      ...jobs.filter(({ ended }) => ended === undefined).map(({ key, id }) => `The job ${key} (${id}) has not ended.`),
      ...[...records.succeeded, ...jobs.map(({ key }) => key)]
        .filter((key) => ran(key) === 0)
        .map((key) => `${key} was acknowledged and never ran.`),
    ],
    doubled: [
      ...[...runs]
        .filter(([key, times]) => key.startsWith('once-') && times > 1)
        .map(([key, times]) => `${key} ran ${times} times.`),
      ...records.reopened,
    ],
    failed: [
      ...unsuccessful.map((task) => `The task ${task.key} ended as ${endOf(task)}.`),
      ...jobs
        .filter(({ ended = 'exited with 0' }) => ended !== 'exited with 0')
        .map(({ key, ended }) => `The job ${key} ${ended}.`),
      ...(idempotent.succeeded < idempotent.asked ? [`${idempotent.asked - idempotent.succeeded} idempotent calls.`] : []),
    ],
    wrong: records.wrong,
    orphans: outcome.orphans.map(({ pid, command }) => `${pid} ${command}`),
    unexpected: [
      ...records.unexpected,
      ...tasks.filter((task) => !isExcused(task)).map((task) => `The task ${task.key} ended as ${endOf(task)}.`),
      ...(attempts.has('no word') ? [`${attempts.get('no word')} requests were never answered by a server that lived.`] : []),
      ...(outcome.stoppedByItself ? [] : ['The last server did not stop when it was told to.']),
      ...(outcome.state === 'intact' ? [] : [outcome.state]),
    ],
    complaints: Object.fromEntries(outcome.complaints),
    state: outcome.state,
  };
}

/** Commands too: a job goes on by itself. But between its start and its acknowledgement nobody knows of it. */
function isPromisedSuccess(work: PromisedTask['work']): boolean {
  return work === 'idempotent' || work === 'own';
}

/** How what must not be repeated may end when it was lost on the way. */
function isExcused({ work, ended, cancelling }: PromisedTask): boolean {
  if (ended === undefined || ended === 'completed' || isPromisedSuccess(work)) return ended !== 'cancelled' || cancelling;
  return ended === 'interrupted';
}

function endOf({ ended, code }: PromisedTask): string {
  return code === undefined ? `${ended}` : `${ended} (${code})`;
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Whether everything is as was promised. */
export function isBalanced({ lost, doubled, failed, wrong, orphans, unexpected }: Ledger): boolean {
  return [lost, doubled, failed, wrong, orphans, unexpected].every(({ length }) => length === 0);
}

/** Sentences that are told of one kind. */
const TOLD = 20;

export function printed(ledger: Ledger): string {
  const { clients, killed, attempts, idempotentCalls, tasks, jobs, complaints } = ledger;
  const bad = { lost: 0, doubled: 0, failed: 0, wrong: 0, orphans: 0, unexpected: 0 };
  const kinds = Object.keys(bad) as (keyof typeof bad)[];
  const rows: [string, string][] = [
    ['clients', list(clients)],
    ['servers killed', `${killed.servers}, away for ${killed.longestAwayMs} ms at most`],
    ['agents killed', list(killed.agents)],
    ['attempts', list(attempts)],
    ['idempotent calls', `asked ${idempotentCalls.asked} · succeeded ${idempotentCalls.succeeded}`],
    ['tasks', `submitted ${tasks.submitted} · finished ${tasks.finished} · retried ${tasks.retried} · ${list(tasks.ended)}`],
    ['jobs', `submitted ${jobs.submitted} · finished ${jobs.finished}`],
    ['state folder', ledger.state],
    ...kinds.map((kind): [string, string] => [kind, `${ledger[kind].length}`]),
  ];
  const told = kinds.flatMap((kind) => [
    ...ledger[kind].slice(0, TOLD).map((sentence) => `${kind}: ${sentence}`),
    ...(ledger[kind].length > TOLD ? [`${kind}: and ${ledger[kind].length - TOLD} more`] : []),
  ]);
  const said = Object.entries(complaints).map(([line, times]) => `the server said ${times} times: ${line}`);
  return [...rows.map(([name, value]) => `${name.padEnd(18)}${value}`), ...told, ...said].join('\n');
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(' · ');
}
