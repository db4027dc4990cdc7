/**
 * The bench: every figure the project promises, beside its bound.
 *
 * Usage: `npm run bench -- [--only GROUP] [--json] [--check]`. Figures are told, not judged: it exits 0 unless
 * `--check` asks for 1 when a bound is not met. Every comparison is made in one run, taking turns.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isMet, json, type Row, table } from './report.ts';
import { findSubject, type Subject } from './subject.ts';

/** Each group is loaded when it runs. */
const GROUPS: Readonly<Record<string, () => Promise<(subject: Subject) => Promise<Row[]>>>> = {
  startup: async () => (await import('./startup.ts')).startup,
  exec: async () => (await import('./exec.ts')).exec,
  guard: async () => (await import('./guard.ts')).guard,
  http: async () => (await import('./http.ts')).http,
  agents: async () => (await import('./agents.ts')).agents,
  tasks: async () => (await import('./tasks.ts')).tasks,
  catalogue: async () => (await import('./catalogue.ts')).catalogue,
  memory: async () => (await import('./memory.ts')).memory,
};

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'boolean' }, check: { type: 'boolean' } },
});
const names = values.only === undefined ? Object.keys(GROUPS) : values.only.split(',');
const unknown = names.filter((name) => !Object.hasOwn(GROUPS, name));
if (unknown.length > 0) {
  process.stderr.write(`There is no group "${unknown.join(', ')}". Groups: ${Object.keys(GROUPS).join(', ')}.\n`);
  process.exit(2);
}

await using subject = await findSubject();
const rows: Row[] = [];
const failed: string[] = [];
for (const name of names) {
  process.stderr.write(`${name} …\n`);
  try {
    const run = await GROUPS[name]?.();
    rows.push(...((await run?.(subject)) ?? []));
  } catch (thrown) {
    failed.push(name);
    process.stderr.write(
      `${name} could not be measured: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown}\n`,
    );
  }
}

const environment = {
  subject: [subject.command, ...subject.prefix].join(' '),
  node: process.version,
  machine: `${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim()}`,
};
process.stdout.write(
  values.json
    ? `${json(rows, environment)}\n`
    : `${table(rows)}\n\nMeasured: ${environment.subject} · Node ${environment.node} · ${environment.machine}\n`,
);
if (failed.length > 0 || (values.check && rows.some((row) => isMet(row) === false))) process.exitCode = 1;
