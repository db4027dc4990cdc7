/** The store of durable tasks with a hundred thousand of them in it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { rowOf } from '../../src/orchestrator/durable-rows.ts';
import { openTaskStore, type TaskStore } from '../../src/state/task-store.ts';
import { type Row, shown } from './report.ts';
import { median, timed } from './statistics.ts';
import type { Subject } from './subject.ts';

const TASKS = 100_000;
const AT_ONCE = 1000;
/** How many are stored and taken one by one, each in a transaction of its own. */
const SINGLE = 5000;
const PAGES = 100;
const PAGE_LIMIT = 50;

export async function tasks({ folder }: Subject): Promise<Row[]> {
  const store = openTaskStore(folder, 86_400_000, folder);
  try {
    for (let made = 0; made < TASKS; made += AT_ONCE) store.add(Array.from({ length: AT_ONCE }, newRow), '{}');
    const floor = plainInserts(join(folder, 'floor.db'));
    const stored = await perSecond(() => store.add([newRow()], '{}'));
    const taken = await perSecond(() => {
      if (!store.claim('bench', 'bench')) throw new Error('There was nothing to take.');
    });
    const inAll = `${TASKS.toLocaleString('en')} tasks`;
    return [
      perSecondRow('durable tasks stored', stored, `${inAll}; plain rows of node:sqlite ${shown(floor)}/s`),
      perSecondRow('durable tasks taken', taken, inAll),
      {
        group: 'tasks',
        what: `a page of ${PAGE_LIMIT} tasks`,
        figure: await pageMs(store),
        unit: 'ms',
        bound: { kind: 'at most', value: 20 },
        detail: `median of ${PAGES}, anywhere in ${inAll}`,
      },
    ];
  } finally {
    store.close();
  }
}

function newRow() {
  return rowOf({
    principal: LOCAL_PRINCIPAL,
    title: 'a task',
    description: 'Something that is to be done, told in one sentence as models do.',
    run: { tool: 'execute_command', arguments: { command: 'make test' } },
  });
}

async function perSecond(work: () => void): Promise<number> {
  const ms = await timed(async () => {
    for (let count = 0; count < SINGLE; count++) work();
  });
  return (1000 * SINGLE) / ms;
}

function perSecondRow(what: string, figure: number, detail: string): Row {
  return { group: 'tasks', what, figure, unit: '/s', bound: { kind: 'at least', value: 2000 }, detail };
}

/** As many bytes as a task has, one row a transaction, with the settings of the store. */
function plainInserts(path: string): number {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE plain (text TEXT)');
  const insert = database.prepare('INSERT INTO plain VALUES (?)');
  const text = JSON.stringify(newRow());
  const startedMs = performance.now();
  for (let count = 0; count < SINGLE; count++) insert.run(text);
  const perSecond = (1000 * SINGLE) / (performance.now() - startedMs);
  database.close();
  return perSecond;
}

async function pageMs(store: TaskStore): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < PAGES; count++) {
    const beforeNumber = Math.floor((TASKS * (count + 1)) / PAGES);
    times.push(
      await timed(async () => {
        const states = ['blocked', 'open', 'queued', 'running', 'completed', 'failed'];
        const page = store.page(LOCAL_PRINCIPAL.id, { limit: PAGE_LIMIT, beforeNumber, states });
        if (page.length === 0) throw new Error('The page was empty.');
      }),
    );
  }
  return median(times);
}
