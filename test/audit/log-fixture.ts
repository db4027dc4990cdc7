/** Audit logs in folders of their own, written by this process or by others. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { AuditEntry, AuditLog } from '../../src/audit/audit-log.ts';
import { type AuditLogOptions, openAuditLog } from '../../src/audit/open-audit-log.ts';
import { findRecords, type LoggedRecord } from '../../src/audit/query.ts';
import { type Verification, verifyLog } from '../../src/audit/verify.ts';

export interface TestLog extends AuditLog {
  readonly options: AuditLogOptions;
  /** What `onFailure` was told. */
  readonly told: readonly string[];
}

type Folders = Pick<AuditLogOptions, 'directory' | 'stateDirectory'>;

/** A folder that is gone after the test, with a place for a log in it. */
export function newFolders(): Folders {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'mcp-python-audit-'));
  onTestFinished(() => rmSync(stateDirectory, { recursive: true, force: true }));
  return { directory: join(stateDirectory, 'audit'), stateDirectory };
}

export async function openLog(given: Partial<AuditLogOptions> = {}): Promise<TestLog> {
  const told: string[] = [];
  const options: AuditLogOptions = {
    ...(given.directory === undefined || given.stateDirectory === undefined ? newFolders() : {}),
    required: true,
    maxFileBytes: 64 * 1024 ** 2,
    maxFileAgeSeconds: 86_400,
    keepFiles: 90,
    redact: (text) => text,
    onFailure: (message) => told.push(message),
    ...given,
  } as AuditLogOptions;
  const log = await openAuditLog(options);
  onTestFinished(() => log[Symbol.asyncDispose]());
  return { ...log, record: log.record, [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](), options, told };
}

export function callEntry(number: number, given: Partial<Extract<AuditEntry, { event: 'call' }>> = {}): AuditEntry {
  return {
    event: 'call',
    principal: 'key-1',
    principal_name: 'build server',
    task: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    tool: 'read_file',
    outcome: 'completed',
    duration_ms: number,
    ...given,
  };
}

/** Writes so many records, one write each. */
export async function recordOneByOne(log: AuditLog, count: number, from = 1): Promise<void> {
  for (let number = from; number < from + count; number++) await log.record(callEntry(number));
}

/** A log of 60 records in four files of 15 and less, and closed. */
export async function finishedLog(): Promise<AuditLogOptions> {
  const log = await openLog({ maxFileBytes: 15 * 370 });
  await recordOneByOne(log, 54);
  await log[Symbol.asyncDispose]();
  return log.options;
}

export function records(directory: string): LoggedRecord[] {
  return [...findRecords(directory)];
}

/** Names of the files of a log, oldest first. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}

export function linesIn(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

export function verify({
  directory,
  stateDirectory,
}: Pick<AuditLogOptions, 'directory' | 'stateDirectory'>): Promise<Verification> {
  return verifyLog({ directory, stateDirectory });
}

/** What a verification found, as `kind file:line seq`. */
export async function findingsOf(options: Folders, severity: 'problem' | 'warning' = 'problem'): Promise<string[]> {
  const { findings } = await verify(options);
  return findings
    .filter((each) => each.severity === severity)
    .map(({ kind, file = '', line = '', seq = '' }) => `${kind} ${file}:${line} ${seq}`);
}

export interface Writer {
  readonly process: ChildProcess;
  /** Numbers of the records that were acknowledged, as far as it could say so. */
  readonly acknowledged: Set<number>;
  readonly ended: Promise<unknown>;
}

/** A process that writes records numbered `from` on, several at a time, and says which were acknowledged. */
export function startWriter(options: AuditLogOptions, from: number, count: number): Writer {
  const { directory, stateDirectory, maxFileBytes } = options;
  const given = JSON.stringify({ directory, stateDirectory, maxFileBytes, from, count });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const acknowledged = new Set<number>();
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => line.split(' ').forEach((number) => void acknowledged.add(Number(number))));
  return { process: child, acknowledged, ended: Promise.all([once(child, 'exit'), once(lines, 'close')]) };
}
