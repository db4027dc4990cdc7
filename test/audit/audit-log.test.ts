import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callEntry, filesOf, linesIn, newFolders, openLog, recordOneByOne, records, verify } from './log-fixture.ts';

describe('the audit log', () => {
  it('opens nothing before the first record', async () => {
    const folders = newFolders();
    const log = await openLog(folders);
    await log[Symbol.asyncDispose]();
    expect(existsSync(folders.directory)).toBe(false);
  });

  it('has a record in its file when it says so', async () => {
    const log = await openLog();
    await log.record(callEntry(7, { target: '/etc/hosts' }));
    const [first, second] = linesIn(join(log.options.directory, 'audit-00000001.jsonl')).map((line) => JSON.parse(line));
    expect(first).toMatchObject({ seq: 1, event: 'file', file: 'audit-00000001.jsonl', previous: null });
    expect(second).toMatchObject({ seq: 2, event: 'call', duration_ms: 7, target: '/etc/hosts', prev: first.hash });
    expect(second.when).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('is for its owner only', async () => {
    const log = await openLog();
    await log.record(callEntry(1));
    const { directory } = log.options;
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(directory)).toBe(0o700);
    for (const name of ['audit-00000001.jsonl', 'head.json', 'lock'])
      expect([name, mode(join(directory, name))]).toEqual([name, 0o600]);
  });

  it('writes the records of one turn of the event loop together, sealed once', async () => {
    const log = await openLog();
    await Promise.all([1, 2, 3, 4, 5].map((number) => log.record(callEntry(number))));
    const sealed = records(log.options.directory).filter(({ fields }) => fields.mac !== undefined);
    expect(sealed.map(({ fields }) => fields.duration_ms)).toEqual([5]);
  });

  it('writes what waits when it is closed, and takes no more', async () => {
    const log = await openLog();
    const waiting = log.record(callEntry(1));
    await log[Symbol.asyncDispose]();
    await waiting;
    expect(records(log.options.directory)).toHaveLength(2);
    await expect(log.record(callEntry(2))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('goes on where the process before it ended', async () => {
    const log = await openLog();
    await recordOneByOne(log, 3);
    await log[Symbol.asyncDispose]();
    const next = await openLog(log.options);
    await recordOneByOne(next, 3, 4);
    expect(records(log.options.directory).map(({ fields }) => fields.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await verify(log.options)).toMatchObject({ intact: true, files: 1, records: 7, findings: [] });
  });

  it('can be checked with standard tools', async () => {
    const log = await openLog();
    await recordOneByOne(log, 3);
    const { directory, stateDirectory } = log.options;
    const file = join(directory, 'audit-00000001.jsonl');
    const script = `sed 's/,"hash":"[0-9a-f]*"}$//' "$0" | while IFS= read -r line; do printf %s "$line" | sha256sum | cut -c1-64; done`;
    const hashes = execFileSync('sh', ['-c', script, file], { encoding: 'utf8' }).trim().split('\n');
    expect(hashes).toEqual(linesIn(file).map((line) => JSON.parse(line).hash));
    const last = linesIn(file).at(-1) ?? '';
    const mac = createHmac('sha256', readFileSync(join(stateDirectory, 'audit.key')))
      .update(last.slice(0, last.indexOf(',"mac":"')))
      .digest('hex');
    const head = JSON.parse(readFileSync(join(directory, 'head.json'), 'utf8'));
    expect(JSON.parse(last).mac + head.mac).toBe(mac);
  });
});

describe('the values of an entry', () => {
  it('are redacted, every string of them', async () => {
    const log = await openLog({ redact: (text) => text.replaceAll('hunter2', '•••') });
    await log.record({
      event: 'command',
      principal: 'key-hunter2',
      principal_name: 'hunter2',
      session: 'session hunter2',
      task: 'hunter2',
      tool: 'execute_command',
      backend: 'ssh:hunter2',
      command: 'mysql -phunter2 "x"',
      parsed: ['mysql -phunter2 x'],
      verdict: 'allow',
      rule: 'hunter2',
      reason: 'because hunter2',
      working_directory: '/hunter2',
      sandbox: 'hunter2',
      approval: 'hunter2',
    });
    await log.record(callEntry(1, { principal: 'key-hunter2', target: '/hunter2' }));
    const text = readFileSync(join(log.options.directory, 'audit-00000001.jsonl'), 'utf8');
    expect(text).not.toContain('hunter2');
    expect(text).toContain('"command":"mysql -p••• \\"x\\""');
  });

  it('keep the id of the call, which a redactor could take for a key', async () => {
    const log = await openLog({ redact: () => '•••' });
    await log.record(callEntry(1));
    expect(records(log.options.directory)[1]?.fields).toMatchObject({
      task: '00000000-0000-4000-8000-000000000001',
      outcome: 'completed',
      tool: '•••',
    });
  });

  it('are cut when they would fill the disk, with the hash of all', async () => {
    const log = await openLog();
    const target = `${'é'.repeat(20_000)}!`;
    await log.record(callEntry(1, { target }));
    const kept = String(records(log.options.directory)[1]?.fields.target);
    expect(kept).toHaveLength(16_384 + '… [20001 characters in all, SHA-256 ]'.length + 64);
    expect(kept).toContain(createHash('sha256').update(target).digest('hex'));
  });

  it('hold nothing a terminal would act on as the file stands, and are the same when read', async () => {
    const log = await openLog();
    const target = '\u001b[2J\u009b2J\u202egpj.exe\u2028"quoted",\n"hash":"x"';
    await log.record(callEntry(1, { target }));
    const file = join(log.options.directory, 'audit-00000001.jsonl');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    expect(readFileSync(file, 'utf8')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(records(log.options.directory)[1]?.fields.target).toBe(target);
    expect(await verify(log.options)).toMatchObject({ intact: true, findings: [] });
  });
});

describe('files of the audit log', () => {
  it('are as long as configured, and each names the one before and follows its last record', async () => {
    const log = await openLog({ maxFileBytes: 4000 });
    await recordOneByOne(log, 40);
    const { directory } = log.options;
    const names = filesOf(directory);
    expect(names.length).toBeGreaterThan(3);
    for (const [index, name] of names.entries()) {
      const lines = linesIn(join(directory, name)).map((line) => JSON.parse(line));
      expect(statSync(join(directory, name)).size).toBeLessThan(4500);
      expect(lines[0]).toMatchObject({ event: 'file', file: name, previous: names[index - 1] ?? null });
      const before = names[index - 1];
      if (before) expect(lines[0].prev).toBe(JSON.parse(linesIn(join(directory, before)).at(-1) ?? '').hash);
    }
    expect(await verify(log.options)).toMatchObject({ intact: true, files: names.length, findings: [] });
  });

  it('are as old as configured', async () => {
    const log = await openLog({ maxFileAgeSeconds: 0.05 });
    await log.record(callEntry(1));
    await log.record(callEntry(2));
    expect(filesOf(log.options.directory)).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await log.record(callEntry(3));
    expect(filesOf(log.options.directory)).toHaveLength(2);
  });

  it.each([1, 2, 3])('are no more than %i when so many are kept, and a record tells of each that goes', async (keepFiles) => {
    const log = await openLog({ maxFileBytes: 2000, keepFiles });
    await recordOneByOne(log, 40);
    const names = filesOf(log.options.directory);
    expect(names).toHaveLength(keepFiles);
    const removed = records(log.options.directory).filter(({ fields }) => fields.event === 'removed');
    expect(removed.at(-1)?.fields.file).toBe(`audit-${String(Number(names[0]?.slice(6, 14)) - 1).padStart(8, '0')}.jsonl`);
    expect(await verify(log.options)).toMatchObject({ intact: true, files: keepFiles, findings: [] });
  });
});
