/** Calls per second over HTTP, beside the SDKs and beside next to nothing. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadJob, LoadResult } from './load.ts';
import { endOf, type HttpServerProcess, startHttpServer } from './processes.ts';
import { type Row, shown } from './report.ts';
import type { Era } from './requests.ts';
import { median } from './statistics.ts';
import { type Subject, TOOLS_PLUGIN } from './subject.ts';

const ROUNDS = 7;
const CONNECTIONS = 10;
const FIRST_WARM_UP_MS = 1500;
const WARM_UP_MS = 150;
const MEASURE_MS = 700;

export async function http(subject: Subject): Promise<Row[]> {
  const peer = (name: string) => startHttpServer(process.execPath, [join(import.meta.dirname, 'peers', name)], subject);
  await using ours = await startHttpServer(
    subject.command,
    [...subject.prefix, '--plugin', TOOLS_PLUGIN, 'serve', '--port', '0'],
    subject,
  );
  await using bare = await peer('bare.ts');
  const rows: Row[] = [];
  {
    await using v1 = await peer('sdk-v1.ts');
    rows.push(...(await compare('sessions', subject, { ours, bare, sdk: v1 }, { name: 'SDK v1', times: 5 })));
  }
  {
    await using v2 = await peer('sdk-v2.ts');
    rows.push(...(await compare('stateless', subject, { ours, bare, sdk: v2 }, { name: 'SDK v2', times: 15 })));
  }
  return rows;
}

async function compare(
  era: Era,
  { kind }: Subject,
  servers: Readonly<Record<'ours' | 'bare' | 'sdk', HttpServerProcess>>,
  sdk: { readonly name: string; readonly times: number },
): Promise<Row[]> {
  const generator = fork(join(import.meta.dirname, 'load.ts'), { execArgv: [] });
  const ended = endOf(generator);
  const results: Record<keyof typeof servers, LoadResult[]> = { ours: [], bare: [], sdk: [] };
  const names = ['bare', 'ours', 'sdk'] as const;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const warmUpMs = round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS;
        const job: LoadJob = { port: servers[name].port, era, connections: CONNECTIONS, warmUpMs, measureMs: MEASURE_MS };
        generator.send(job);
        const [told] = await Promise.race([once(generator, 'message'), ended]);
        results[name].push(told as LoadResult);
      }
    }
  } finally {
    generator.kill();
  }
  const rate = (name: keyof typeof servers) => median(results[name].map(({ answers, seconds }) => answers / seconds));
  const busy = Math.round(100 * median(results.bare.map(({ generatorBusy }) => generatorBusy)));
  const what = `HTTP ${era === 'sessions' ? '2025' : '2026'} era`;
  return [
    {
      group: 'http',
      what: `${what} against the ${sdk.name}`,
      figure: rate('ours') / rate('sdk'),
      unit: '×',
      bound: { kind: 'at least', value: sdk.times },
      detail: `${shown(rate('ours'))} calls/s (${kind}), ${sdk.name} ${shown(rate('sdk'))} calls/s`,
    },
    {
      group: 'http',
      what: `${what} against a bare handler`,
      figure: (100 * rate('ours')) / rate('bare'),
      unit: '%',
      bound: { kind: 'at least', value: 45 },
      detail: `bare ${shown(rate('bare'))} calls/s, with the load generator ${busy} % busy`,
    },
  ];
}
