import { Command, InvalidArgumentError, Option } from 'commander';
import type { Finding } from '../audit/findings.ts';
import type { LoggedRecord, Query } from '../audit/query.ts';
import type { Position } from '../audit/record-format.ts';
import { Failure } from '../errors.ts';
import { auditFolder, stateFolder } from '../state/folders.ts';
import { recordLine } from './audit-line.ts';
import { EXIT } from './exit-codes.ts';
import { printData, stdoutGone } from './output.ts';
import { loadConfigFor, wantsJson } from './session.ts';

const EVENTS = [
  ...['call', 'command', 'command_end', 'write', 'approval', 'access', 'start', 'stop'],
  ...['file', 'removed', 'gap', 'recovered', 'damage'],
];

export function define(): Command {
  const audit = new Command('audit').description('Read the audit log, and check that nobody changed it.');
  audit
    .command('verify')
    .description('check that no record was changed, removed, moved or added; exit status 7 when the log is not as it was written')
    .option(
      '--anchor <seq:hash>',
      'a record noted elsewhere, as verify prints the newest: it must still be in the log',
      readAnchor,
    )
    .addHelpText(
      'after',
      '\nExit status: 0 when the log is as it was written, warnings included · 6 when there is none · 7 when it was tampered\nwith, or records were lost.',
    )
    .action(verify);
  audit
    .command('tail')
    .description('print the newest records')
    .option('-n, --lines <count>', 'how many', readCount, 20)
    .option('-f, --follow', 'go on with those that come, until interrupted')
    .action(tail);
  audit
    .command('query')
    .description('print the records that fit all that is given, newest last')
    .option('--since <time>', 'not before this time: 15m, 2h, 7d ago, or as 2026-01-31T12:00:00Z', readTime)
    .option('--until <time>', 'before this time', readTime)
    .option('--principal <principal>', 'who asked, by id or name')
    .option('--tool <tool>', 'the tool that was called')
    .addOption(new Option('--event <event>', 'what it tells of').choices(EVENTS))
    .addOption(new Option('--verdict <verdict>', 'of commands').choices(['allow', 'ask', 'deny']))
    .option('--backend <backend>', 'where it ran')
    .option('--task <uuid>', 'of one call; its beginning is enough')
    .option('--text <text>', 'text in any value, in upper or lower case')
    .option('--limit <count>', 'only the newest of them', readCount)
    .action(query);
  return audit;
}

interface Folders {
  readonly directory: string;
  readonly stateDirectory: string;
}

async function foldersFor(command: Command): Promise<Folders> {
  const { config } = await loadConfigFor(command);
  const stateDirectory = stateFolder(config.state.directory);
  return { directory: auditFolder(config.audit.directory, stateDirectory), stateDirectory };
}

/** The same, where there is a log. */
async function logFor(command: Command): Promise<Folders> {
  const { listFiles, noLog } = await import('../audit/log-files.ts');
  const folders = await foldersFor(command);
  const files = await readable(async () => listFiles(folders.directory));
  if (files.length === 0) throw noLog(folders.directory, folders.stateDirectory);
  return folders;
}

async function verify({ anchor }: { anchor?: Position }, command: Command): Promise<void> {
  const { verifyLog } = await import('../audit/verify.ts');
  const result = await readable(async () => verifyLog({ ...(await foldersFor(command)), anchor }));
  if (wantsJson(command)) {
    await printData(JSON.stringify(result));
  } else {
    const { findings, intact, records, files, first, head } = result;
    const problems = findings.filter(({ severity }) => severity === 'problem').length;
    await printData(
      [
        ...findings.map(findingLine),
        `${counted(records, 'record')} in ${counted(files, 'file')}, ${first} to ${head.seq}: ${intact ? 'intact' : `NOT intact, ${counted(problems, 'problem')}`}`,
        `head ${head.seq}:${head.hash}`,
      ].join('\n'),
    );
  }
  process.exitCode = result.intact ? EXIT.ok : EXIT.partial;
}

function findingLine({ severity, kind, file, line, seq, message }: Finding): string {
  const place = [file, line && `line ${line}`, seq && `record ${seq}`].filter(Boolean).join(', ');
  return `${severity}  ${kind}  ${place && `${place}: `}${message}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

async function tail({ lines, follow }: { lines: number; follow?: boolean }, command: Command): Promise<void> {
  const { newestRecords, followRecords } = await import('../audit/query.ts');
  const { directory } = await (follow ? foldersFor(command) : logFor(command));
  const print = printer(command);
  await readable(async () => {
    const { records, end } = newestRecords(directory, lines);
    for (const record of records) await print(record);
    if (!follow) return;
    for await (const record of followRecords(directory, end, {}, stdoutGone)) await print(record);
  });
}

async function query({ limit, ...wanted }: Query & { limit?: number }, command: Command): Promise<void> {
  const { findRecords, lastOf } = await import('../audit/query.ts');
  const { directory } = await logFor(command);
  const print = printer(command);
  await readable(async () => {
    for (const record of lastOf(findRecords(directory, wanted), limit)) await print(record);
  });
}

function printer(command: Command): (record: LoggedRecord) => Promise<void> {
  const json = wantsJson(command);
  return ({ text, fields }) => printData(json ? text : recordLine(fields));
}

/** The system's errors as failures of the folder, not of the program. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (stdoutGone.aborted || code === undefined || thrown instanceof Failure) throw thrown;
    throw unreadable(code, message);
  }
}

function unreadable(code: string, message: string): Failure {
  const denied = code === 'EACCES' || code === 'EPERM';
  return new Failure(denied ? 'denied' : 'unavailable', `The audit log cannot be read: ${message}`, {
    hint: 'Run it as the user of the server, with the same configuration.',
  });
}

function readAnchor(text: string): Position {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError('It must be a number, a colon and 64 hexadecimal digits.');
  return { seq: Number(seq), hash };
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A time ago, or a date with or without a time, as the log writes it. */
function readTime(text: string): string {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const milliseconds = count ? Date.now() - Number(count) * SECONDS[unit as keyof typeof SECONDS] * 1000 : Date.parse(text);
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime()) || (!count && !/^\d{4}-\d\d-\d\d/.test(text))) {
    throw new InvalidArgumentError('It must be like 90s, 15m, 2h or 7d, or like 2026-01-31T12:00:00Z.');
  }
  return date.toISOString();
}
