import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../fixtures/waiting.ts';
import {
  callEntry,
  filesOf,
  findingsOf,
  linesIn,
  newFolders,
  openLog,
  recordOneByOne,
  records,
  startWriter,
  verify,
} from './log-fixture.ts';

describe('processes that are killed', () => {
  it('lose no record of 10,000 that was acknowledged, over many files', async () => {
    const { options } = await openLog({ maxFileBytes: 400_000 });
    const total = 10_000;
    const acknowledged = new Set<number>();
    let from = 1;
    // Each is killed in the middle of its work; the last one may finish it.
    for (const until of [2000, 4000, 6000, 8000]) {
      const writer = startWriter(options, from, total);
      await eventually(() => writer.acknowledged.size > until - from, 15_000);
      writer.process.kill('SIGKILL');
      await writer.ended;
      for (const each of writer.acknowledged) acknowledged.add(each);
      from = Math.max(...acknowledged) + 1;
    }
    const last = startWriter(options, from, total + 1 - from);
    await last.ended;
    for (const each of last.acknowledged) acknowledged.add(each);
    expect(acknowledged.size).toBe(total);
    const written = new Set(records(options.directory).map(({ fields }) => fields.duration_ms));
    expect([...acknowledged].filter((each) => !written.has(each))).toEqual([]);
    expect(filesOf(options.directory).length).toBeGreaterThan(5);
    const result = await verify(options);
    expect(result.findings.filter(({ severity }) => severity === 'problem')).toEqual([]);
    expect(result.records).toBeGreaterThan(total);
  });

  it('leave a torn line that is a warning, set aside by the next one', async () => {
    const log = await openLog();
    await recordOneByOne(log, 3);
    await log[Symbol.asyncDispose]();
    const { directory } = log.options;
    const file = join(directory, 'audit-00000001.jsonl');
    const torn = '{"seq":5,"when":"2026-01-01T00:00:00.000Z","prev":"ab';
    appendFileSync(file, torn);
    expect(await verify(log.options)).toMatchObject({ intact: true, findings: [{ kind: 'unfinished', line: 5 }] });
    const next = await openLog(log.options);
    await recordOneByOne(next, 1, 4);
    expect(readFileSync(`${file}.torn`, 'utf8')).toBe(torn);
    expect(linesIn(file).map((line) => JSON.parse(line).event)).toEqual(['file', 'call', 'call', 'call', 'recovered', 'call']);
    expect(await verify(log.options)).toMatchObject({ intact: true, findings: [{ kind: 'unfinished', line: 5 }] });
  });

  it('leave a whole write that the head file does not name, which the next one takes over', async () => {
    const log = await openLog();
    await recordOneByOne(log, 2);
    const head = join(log.options.directory, 'head.json');
    const before = readFileSync(head);
    await Promise.all([log.record(callEntry(3)), log.record(callEntry(4))]);
    await log[Symbol.asyncDispose]();
    writeFileSync(head, before);
    expect(await verify(log.options)).toMatchObject({ intact: true, findings: [{ kind: 'unfinished', seq: 4 }] });
    const next = await openLog(log.options);
    await recordOneByOne(next, 1, 5);
    expect(records(log.options.directory).map(({ fields }) => fields.duration_ms)).toEqual([undefined, 1, 2, 3, 4, 5]);
    expect(await verify(log.options)).toMatchObject({ intact: true, findings: [] });
  });

  it('leave a new file that the head file does not name', async () => {
    const log = await openLog({ maxFileBytes: 1000 });
    await recordOneByOne(log, 2);
    const { directory } = log.options;
    const head = join(directory, 'head.json');
    const before = readFileSync(head);
    await recordOneByOne(log, 1, 3);
    await log[Symbol.asyncDispose]();
    expect(filesOf(directory)).toHaveLength(2);
    writeFileSync(head, before);
    truncateSync(join(directory, 'audit-00000002.jsonl'), 100);
    expect(await findingsOf(log.options)).toEqual([]);
    const next = await openLog(log.options);
    await recordOneByOne(next, 1, 4);
    expect(existsSync(join(directory, 'audit-00000002.jsonl.torn'))).toBe(true);
    expect(await findingsOf(log.options)).toEqual([]);
    expect(filesOf(directory)).toHaveLength(2);
  });
});

describe('processes that write at once', () => {
  it('make one chain, with every record of each', async () => {
    const { options } = await openLog({ maxFileBytes: 200_000 });
    const count = 1500;
    const writers = [1, 2, 3].map((each) => startWriter(options, each * 10_000, count));
    await Promise.all(writers.map(({ ended }) => ended));
    for (const { acknowledged } of writers) expect(acknowledged.size).toBe(count);
    const written = records(options.directory).filter(({ fields }) => fields.event === 'call');
    expect(new Set(written.map(({ fields }) => fields.duration_ms)).size).toBe(3 * count);
    expect(new Set(written.slice(0, 3000).map(({ fields }) => fields.principal_name)).size).toBeGreaterThan(1);
    expect(await verify(options)).toMatchObject({ intact: true, findings: [] });
  });

  it('are verified as good while they write', async () => {
    const { options } = await openLog({ maxFileBytes: 100_000 });
    const writer = startWriter(options, 1, 1_000_000);
    await eventually(() => writer.acknowledged.size > 100, 15_000);
    for (let tries = 0; tries < 10; tries++) expect((await verify(options)).findings).toEqual([]);
    writer.process.kill('SIGKILL');
    await writer.ended;
  });

  it('share it within one process too', async () => {
    const one = await openLog();
    const other = await openLog(one.options);
    for (let number = 1; number <= 10; number++) await (number % 2 ? one : other).record(callEntry(number));
    expect(await verify(one.options)).toMatchObject({ intact: true, records: 11, findings: [] });
  });
});

/** A small file system of memory; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const { directory } = newFolders();
  mkdirSync(directory, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', directory]));
  return directory;
}

const canMount = (() => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!canMount)('a disk that is full (skipped for users who may not mount one)', () => {
  it('refuses records when they are required, and none is there by half; it works again by itself', async () => {
    const { stateDirectory } = newFolders();
    const directory = smallDisk() ?? '';
    const log = await openLog({ directory, stateDirectory });
    await log.record(callEntry(1));
    writeFileSync(join(directory, 'filler'), Buffer.alloc(40_000));
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, number) => {
        for (let waits = 0; waits < number; waits++) await new Promise(setImmediate);
        await log.record(callEntry(number + 2, { target: '/x'.repeat(200) }));
      }),
    );
    const refused = results.flatMap((each, number) =>
      each.status === 'rejected' ? [{ number: number + 2, reason: each.reason }] : [],
    );
    expect(refused.length).toBeGreaterThan(100);
    expect(refused[0]?.reason).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no space left') });
    const written = () => records(directory).map(({ fields }) => fields.duration_ms);
    for (const { number } of refused) expect(written()).not.toContain(number);
    expect(log.told).toEqual([expect.stringContaining('calls are refused')]);
    expect(await findingsOf({ directory, stateDirectory })).toEqual([]);
    rmSync(join(directory, 'filler'));
    await log.record(callEntry(1000));
    expect(written().at(-1)).toBe(1000);
    expect(records(directory).at(-2)?.fields).toMatchObject({ event: 'gap', lost: refused.length });
    expect(await verify({ directory, stateDirectory })).toMatchObject({ intact: true, findings: [{ kind: 'gap' }] });
  });

  it('is told once when records are not required, and then how many are missing', async () => {
    const { stateDirectory } = newFolders();
    const directory = smallDisk() ?? '';
    const log = await openLog({ directory, stateDirectory, required: false });
    await log.record(callEntry(1));
    writeFileSync(join(directory, 'filler'), Buffer.alloc(60_000 - 4096));
    const before = records(directory).length;
    await recordOneByOne(log, 200);
    const lost = 200 - (records(directory).length - before);
    expect(log.told).toEqual([expect.stringContaining('calls go on without a record')]);
    rmSync(join(directory, 'filler'));
    await log.record(callEntry(1000));
    expect(log.told[1]).toContain(`${lost} records since`);
    expect(records(directory).at(-2)?.fields).toMatchObject({ event: 'gap', lost });
    expect(await findingsOf({ directory, stateDirectory })).toEqual([]);
  });
});

describe('a folder that cannot be used', () => {
  it('refuses records when they are required, until it can', async () => {
    const folders = newFolders();
    writeFileSync(folders.directory, 'a file is in the way');
    const log = await openLog(folders);
    await expect(log.record(callEntry(1))).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('audit.required'),
    });
    rmSync(folders.directory);
    await log.record(callEntry(2));
    expect(records(folders.directory).map(({ fields }) => fields.event)).toEqual(['file', 'gap', 'call']);
  });

  it('loses records when they are not required, and says so once', async () => {
    const folders = newFolders();
    writeFileSync(folders.directory, 'a file is in the way');
    const log = await openLog({ ...folders, required: false });
    await recordOneByOne(log, 5);
    expect(log.told).toHaveLength(1);
    rmSync(folders.directory);
    await log.record(callEntry(6));
    expect(records(folders.directory)[1]?.fields).toMatchObject({ event: 'gap', lost: 5 });
  });

  it('is made anew when it is moved away, and the log there goes on from where it was', async () => {
    const log = await openLog();
    await recordOneByOne(log, 2);
    renameSync(log.options.directory, `${log.options.directory}.moved`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await log.record(callEntry(3));
    expect(records(log.options.directory).map(({ fields }) => [fields.seq, fields.event])).toEqual([
      [4, 'file'],
      [5, 'damage'],
      [6, 'call'],
    ]);
  });

  it('is not waited for for ever when another process that was stopped holds the lock', async () => {
    const { options } = await openLog();
    const writer = startWriter(options, 1, 1_000_000);
    await eventually(() => writer.acknowledged.size > 100, 15_000);
    writer.process.kill('SIGSTOP');
    const log = await openLog(options);
    // It was stopped with the lock, or without it: most of its time it has it.
    await log.record(callEntry(1)).catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
    writer.process.kill('SIGKILL');
    await writer.ended;
    await log.record(callEntry(2));
    expect(await findingsOf(options)).toEqual([]);
  });
});
