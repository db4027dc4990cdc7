import { hash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditLogOptions } from '../../src/audit/open-audit-log.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import {
  callEntry,
  filesOf,
  findingsOf,
  finishedLog,
  linesIn,
  newFolders,
  openLog,
  recordOneByOne,
  verify,
} from './log-fixture.ts';

const [FIRST, SECOND, THIRD, FOURTH] = [1, 2, 3, 4].map((number) => `audit-0000000${number}.jsonl`) as [
  string,
  string,
  string,
  string,
];

describe('verification of a log', () => {
  let log: AuditLogOptions;
  const path = (file: string) => join(log.directory, file);
  const seqOf = (file: string, line: number) => JSON.parse(linesIn(path(file))[line - 1] ?? '').seq as number;

  function edit(file: string, change: (lines: string[]) => readonly string[]): void {
    writeFileSync(path(file), `${change(linesIn(path(file))).join('\n')}\n`);
  }

  /** A record as somebody without the key can make it: with a hash that is right. */
  function rehashed(line: string, change: (line: string) => string): string {
    const bytes = change(line.slice(0, line.indexOf(',"hash":"')));
    return `${bytes},"hash":"${hash('sha256', bytes)}"}`;
  }

  beforeEach(async () => {
    log = await finishedLog();
    expect(filesOf(log.directory)).toEqual([FIRST, SECOND, THIRD, FOURTH]);
  });

  it('finds nothing in one that nobody touched', async () => {
    expect(await verify(log)).toMatchObject({ intact: true, files: 4, records: 58, first: 1, head: { seq: 58 }, findings: [] });
  });

  it.each([
    ['the beginning of a line', 2],
    ['the number', 8],
    ['the time', 30],
    ['the hash before', 70],
    ['a value', 200],
    ['the seal', -100],
    ['the hash', -20],
    ['the end', -2],
  ])('names the record of which one byte was changed, in %s', async (_, at) => {
    const bytes = readFileSync(path(SECOND));
    const text = bytes.toString('latin1');
    const start = text.split('\n').slice(0, 4).join('\n').length + 1;
    const end = text.indexOf('\n', start);
    const offset = at < 0 ? end + at : start + at;
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    const seq = seqOf(SECOND, 5);
    writeFileSync(path(SECOND), bytes);
    const found = await findingsOf(log);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toMatch(new RegExp(`^changed ${SECOND}:5 ${at === 8 ? '\\d+' : seq}$`));
  });

  it('finds every single byte that is changed', async () => {
    const bytes = readFileSync(path(FOURTH));
    for (let offset = 0; offset < bytes.length; offset += 29) {
      const changed = Buffer.from(bytes);
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      writeFileSync(path(FOURTH), changed);
      expect([offset, (await verify(log)).intact]).toEqual([offset, false]);
    }
  });

  it('names a record that was changed together with its hash', async () => {
    edit(SECOND, (lines) =>
      lines.with(
        4,
        rehashed(lines[4] ?? '', (line) => line.replace('completed', 'cancelled')),
      ),
    );
    expect(await findingsOf(log)).toContain(`changed ${SECOND}:5 ${seqOf(SECOND, 5)}`);
  });

  it('finds a chain that was made anew from a changed record to the end, head file included', async () => {
    let prev = '';
    for (const file of [THIRD, FOURTH]) {
      edit(file, (lines) =>
        lines.map((line, index) => {
          if (file === THIRD && index < 3) return line;
          const made = rehashed(line, (text) =>
            (prev ? text.replace(/"prev":"\w+"/, `"prev":"${prev}"`) : text).replace('completed', 'cancelled'),
          );
          prev = JSON.parse(made).hash;
          return made;
        }),
      );
    }
    const head = JSON.parse(readFileSync(path('head.json'), 'utf8'));
    writeFileSync(path('head.json'), JSON.stringify({ ...head, hash: prev }).padEnd(255));
    const found = await findingsOf(log);
    expect(found[0]).toBe(`forged ${THIRD}:4 ${seqOf(THIRD, 4)}`);
    expect(found).toContain('forged head.json: 58');
  });

  it('names records that were removed', async () => {
    edit(SECOND, (lines) => lines.toSpliced(5, 2));
    const seq = seqOf(SECOND, 5) + 1;
    const { findings } = await verify(log);
    expect(findings).toMatchObject([{ kind: 'removed', file: SECOND, line: 6, seq }]);
    expect(findings[0]?.message).toContain(`records ${seq} to ${seq + 1} were removed`);
  });

  it('names a record that was removed from the beginning or the end of a file', async () => {
    edit(SECOND, (lines) => lines.slice(0, -1));
    edit(THIRD, (lines) => lines.slice(1));
    const found = await findingsOf(log);
    expect(found).toContain(`removed ${THIRD}:1 ${seqOf(THIRD, 1)}`);
    expect(found).toContain(`removed ${THIRD}:1 ${seqOf(SECOND, linesIn(path(SECOND)).length) + 1}`);
  });

  it('names records that changed places', async () => {
    edit(SECOND, (lines) => lines.with(5, lines[6] ?? '').with(6, lines[5] ?? ''));
    expect(await findingsOf(log)).toEqual([`reordered ${SECOND}:7 ${seqOf(SECOND, 7)}`]);
  });

  it('names records that were inserted: copies, forgeries and noise', async () => {
    edit(SECOND, (lines) => lines.toSpliced(8, 0, lines[2] ?? ''));
    edit(THIRD, (lines) =>
      lines.toSpliced(
        4,
        0,
        rehashed(lines[4] ?? '', (line) => line.replace('read_file', 'write_file')),
      ),
    );
    edit(FOURTH, (lines) => lines.toSpliced(4, 0, 'noise'));
    const found = await findingsOf(log);
    expect(found).toContain(`inserted ${SECOND}:9 ${seqOf(SECOND, 3)}`);
    expect(found).toContain(`inserted ${THIRD}:6 ${seqOf(THIRD, 6)}`);
    expect(found).toContain(`changed ${FOURTH}:5 ${seqOf(FOURTH, 6)}`);
    expect(found).toContain(`forged ${THIRD}:5 ${seqOf(THIRD, 5)}`);
    expect(found).toHaveLength(4);
  });

  it.each([SECOND, THIRD])('names %s when it is missing, and the records in it', async (file) => {
    const [from, count] = [seqOf(file, 1), linesIn(path(file)).length];
    unlinkSync(path(file));
    const { findings } = await verify(log);
    expect(findings).toMatchObject([{ kind: 'missing_file', file, seq: from }]);
    expect(findings[0]?.message).toContain(`records ${from} to ${from + count - 1}`);
  });

  it('names the oldest file when it is missing, and the newest', async () => {
    const last = seqOf(FOURTH, 1);
    unlinkSync(path(FIRST));
    unlinkSync(path(FOURTH));
    expect(await findingsOf(log)).toEqual([`missing_file ${FIRST}: `, `cut ${THIRD}: ${last}`]);
  });

  it('names files that changed places', async () => {
    renameSync(path(SECOND), path('kept'));
    renameSync(path(THIRD), path(SECOND));
    renameSync(path('kept'), path(THIRD));
    expect(await findingsOf(log)).toEqual([
      `swapped_file ${SECOND}:1 ${seqOf(SECOND, 1)}`,
      `swapped_file ${THIRD}:1 ${seqOf(THIRD, 1)}`,
    ]);
  });

  it('names a file that was put in the place of another', async () => {
    writeFileSync(path(SECOND), readFileSync(path(THIRD)));
    const found = await findingsOf(log);
    expect(found).toContain(`swapped_file ${SECOND}:1 ${seqOf(THIRD, 1)}`);
    expect(found.some((each) => each.startsWith('removed'))).toBe(true);
  });

  it.each([
    ['within a line', 100],
    ['at the end of a line', 0],
  ])('names the records that were cut off from the end, %s', async (_, more) => {
    const lines = linesIn(path(FOURTH));
    truncateSync(path(FOURTH), lines.slice(0, -2).join('\n').length + 1 + more);
    const { findings } = await verify(log);
    expect(findings).toMatchObject([{ severity: 'problem', kind: 'cut', file: FOURTH, seq: 57 }]);
    expect(findings[0]?.message).toContain('records 57 to 58');
  });

  it('finds a tail that was cut off when the head file was made to fit as well as it can be without the key', async () => {
    const lines = linesIn(path(FOURTH)).slice(0, -2);
    const last = JSON.parse(lines.at(-1) ?? '');
    writeFileSync(path(FOURTH), `${lines.join('\n')}\n`);
    const head = { seq: last.seq, hash: last.hash, file: FOURTH, bytes: lines.join('\n').length + 1, mac: last.mac };
    writeFileSync(path('head.json'), JSON.stringify(head).padEnd(255));
    expect(await findingsOf(log)).toEqual([`forged head.json: ${last.seq}`]);
  });

  it('finds a head file that is gone, and one that cannot be read', async () => {
    writeFileSync(path('head.json'), 'x');
    expect(await findingsOf(log)).toEqual(['head head.json: ']);
    unlinkSync(path('head.json'));
    expect(await findingsOf(log)).toEqual(['head head.json: ']);
  });

  it('compares with a record that was noted elsewhere', async () => {
    const { head } = await verify(log);
    const later = await openLog(log);
    await recordOneByOne(later, 3);
    expect(await verifyLog({ ...log, anchor: head })).toMatchObject({ intact: true, findings: [] });
    const other = { seq: head.seq, hash: 'a'.repeat(64) };
    expect(await verifyLog({ ...log, anchor: other })).toMatchObject({ intact: false, findings: [{ kind: 'anchor', seq: 58 }] });
    const future = { seq: 1000, hash: head.hash };
    expect(await verifyLog({ ...log, anchor: future })).toMatchObject({
      intact: false,
      findings: [{ kind: 'anchor', seq: 1000 }],
    });
  });

  it('finds an old copy of the whole log by a record that was noted elsewhere, and only so', async () => {
    const copies = readdirSync(log.directory).map((name) => [name, readFileSync(path(name))] as const);
    const later = await openLog(log);
    await recordOneByOne(later, 30);
    await later[Symbol.asyncDispose]();
    const { head } = await verify(log);
    rmSync(log.directory, { recursive: true });
    mkdirSync(log.directory);
    for (const [name, bytes] of copies) writeFileSync(path(name), bytes);
    expect((await verify(log)).intact).toBe(true);
    expect((await verifyLog({ ...log, anchor: head })).intact).toBe(false);
  });

  it('warns that seals were not checked where there is no key, and still finds changes', async () => {
    unlinkSync(join(log.stateDirectory, 'audit.key'));
    expect(await verify(log)).toMatchObject({ intact: true, findings: [{ kind: 'unchecked' }] });
    edit(SECOND, (lines) => lines.toSpliced(5, 1));
    expect((await verify(log)).intact).toBe(false);
  });

  it('is told by the log when its end was cut off and it was written to since', async () => {
    const lines = linesIn(path(FOURTH)).slice(0, -2);
    writeFileSync(path(FOURTH), `${lines.join('\n')}\n`);
    const next = await openLog(log);
    await next.record(callEntry(99));
    const { findings } = await verify(log);
    expect(findings.map(({ kind }) => kind)).toEqual(['removed', 'damage']);
    expect(findings[0]?.message).toContain('records 57 to 58 were removed');
  });

  it('is told by the log when its head file was removed and it was written to since', async () => {
    unlinkSync(path('head.json'));
    const next = await openLog(log);
    await next.record(callEntry(99));
    expect(await findingsOf(log)).toMatchObject([expect.stringMatching(/^damage audit-00000005\.jsonl:2/)]);
  });

  it('is not deceived by records that are appended while the log is open', async () => {
    const open = await openLog(log);
    await open.record(callEntry(99));
    const last = linesIn(path(FOURTH)).at(-1) ?? '';
    const { seq, hash: prev } = JSON.parse(last);
    const forged = rehashed(last, (line) =>
      line
        .replace(/"seq":\d+/, `"seq":${seq + 1}`)
        .replace(/"prev":"\w+"/, `"prev":"${prev}"`)
        .replace('completed', 'failed'),
    );
    appendFileSync(path(FOURTH), `${forged}\n`);
    expect(await findingsOf(log)).toEqual([`forged ${FOURTH}:${linesIn(path(FOURTH)).length} ${seq + 1}`]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await open.record(callEntry(100));
    expect(readFileSync(path(`${FOURTH}.torn`), 'utf8')).toBe(`${forged}\n`);
    expect(await findingsOf(log)).toEqual([]);
    expect(await findingsOf(log, 'warning')).toEqual([expect.stringMatching(/^unfinished /)]);
  });
});

describe('verification of a log that is not there', () => {
  it('says so', async () => {
    await expect(verify(newFolders())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('says that there was one where its key is', async () => {
    const log = await finishedLog();
    rmSync(log.directory, { recursive: true });
    await expect(verify(log)).rejects.toMatchObject({ code: 'not_found', hint: expect.stringContaining('there was one') });
  });

  it('warns when a new one was begun since', async () => {
    const log = await finishedLog();
    rmSync(log.directory, { recursive: true });
    const next = await openLog(log);
    await next.record(callEntry(1));
    expect(await findingsOf(log, 'warning')).toEqual([`unchecked ${FIRST}:1 1`]);
  });

  it('is damage when it went while it was written to', async () => {
    const log = await openLog();
    await recordOneByOne(log, 3);
    rmSync(log.options.directory, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await log.record(callEntry(4));
    expect(await findingsOf(log.options)).toEqual([`missing_file ${FIRST}: `, `damage ${SECOND}:2 6`]);
  });
});
