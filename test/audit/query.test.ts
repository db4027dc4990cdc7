import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit-log.ts';
import { findRecords, followRecords, lastOf, newestRecords, type Query } from '../../src/audit/query.ts';
import { eventually } from '../fixtures/waiting.ts';
import { callEntry, filesOf, openLog, recordOneByOne, records } from './log-fixture.ts';

const command: AuditEntry = {
  event: 'command',
  principal: 'key-2',
  principal_name: 'laptop',
  task: '12345678-0000-4000-8000-000000000000',
  tool: 'execute_command',
  backend: 'ssh:web',
  command: 'curl "http://Example.com"',
  parsed: ['curl http://Example.com'],
  verdict: 'deny',
  rule: 'developer',
  working_directory: '/',
  sandbox: 'none',
};

describe('a query', () => {
  it.each<[string, Query, number]>([
    ['the tool', { tool: 'execute_command' }, 1],
    ['the event', { event: 'call' }, 3],
    ['the verdict', { verdict: 'deny' }, 1],
    ['another verdict', { verdict: 'allow' }, 0],
    ['the backend', { backend: 'ssh:web' }, 1],
    ['the principal by id', { principal: 'key-2' }, 1],
    ['the principal by name', { principal: 'build server' }, 3],
    ['the call', { task: '12345678-0000-4000-8000-000000000000' }, 1],
    ['the beginning of a call', { task: '00000000-0000-4000-8000-00000000000' }, 3],
    ['text in upper and lower case, with quotes', { text: 'CURL "http://example' }, 1],
    ['text in a list', { text: 'curl http://' }, 1],
    ['several at once', { tool: 'execute_command', verdict: 'deny', text: 'curl' }, 1],
    ['several that do not meet', { tool: 'read_file', verdict: 'deny' }, 0],
    ['words of another field', { tool: 'call' }, 0],
  ])('finds by %s', async (_, query, count) => {
    const log = await openLog();
    await recordOneByOne(log, 2);
    await log.record(command);
    await recordOneByOne(log, 1, 3);
    expect([...findRecords(log.options.directory, query)]).toHaveLength(count);
  });

  it('finds by time, from and not until', async () => {
    const log = await openLog();
    for (let number = 1; number <= 5; number++) {
      await log.record(callEntry(number));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const times = records(log.options.directory)
      .slice(1)
      .map(({ fields }) => String(fields.when));
    const found = [...findRecords(log.options.directory, { event: 'call', since: times[1], until: times[3] })];
    expect(found.map(({ fields }) => fields.duration_ms)).toEqual([2, 3]);
  });

  it('goes over all files, newest last, and keeps as many as wanted', async () => {
    const log = await openLog({ maxFileBytes: 3000 });
    await recordOneByOne(log, 50);
    const { directory } = log.options;
    expect(filesOf(directory).length).toBeGreaterThan(3);
    const found = (limit?: number) =>
      [...lastOf(findRecords(directory, { event: 'call' }), limit)].map(({ fields }) => fields.duration_ms);
    expect(found()).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(found(3)).toEqual([48, 49, 50]);
    expect(found(0)).toEqual([]);
  });
});

describe('the newest records', () => {
  it('are read from the end, over as many files as it takes', async () => {
    const log = await openLog({ maxFileBytes: 3000 });
    await recordOneByOne(log, 50);
    const all = records(log.options.directory).map(({ text }) => text);
    for (const count of [0, 1, 7, 30, 1000]) {
      expect(newestRecords(log.options.directory, count).records.map(({ text }) => text)).toEqual(
        count === 0 ? [] : all.slice(-count),
      );
    }
  });

  it('are read rightly where lines are longer than what is read at once', async () => {
    const log = await openLog();
    const target = 'x'.repeat(16_000);
    for (let number = 1; number <= 20; number++) await log.record(callEntry(number, { target, reason: target }));
    const all = records(log.options.directory).map(({ text }) => text);
    expect(newestRecords(log.options.directory, 9).records.map(({ text }) => text)).toEqual(all.slice(-9));
  });
});

describe('following a log', () => {
  it('shows what comes, over new files, and nothing twice', async () => {
    const log = await openLog({ maxFileBytes: 3000 });
    await recordOneByOne(log, 5);
    const { directory } = log.options;
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const seen: unknown[] = [];
    const { records: newest, end } = newestRecords(directory, 2);
    const following = (async () => {
      for await (const { fields } of followRecords(directory, end, { event: 'call' }, stop.signal)) seen.push(fields.duration_ms);
    })();
    await recordOneByOne(log, 45, 6);
    await eventually(() => seen.length >= 45);
    await recordOneByOne(log, 1, 51);
    await eventually(() => seen.length >= 46);
    stop.abort();
    await following;
    expect(filesOf(directory).length).toBeGreaterThan(3);
    expect(newest.map(({ fields }) => fields.duration_ms)).toEqual([4, 5]);
    expect(seen).toEqual(Array.from({ length: 46 }, (_, index) => index + 6));
  });

  it('waits for a log that does not exist yet', async () => {
    const log = await openLog();
    const { directory } = log.options;
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const following = followRecords(directory, newestRecords(directory, 10).end, {}, stop.signal);
    const first = following.next();
    await log.record(callEntry(1));
    expect((await first).value?.fields.event).toBe('file');
  });
});
