/** The keys on the disk: made and revoked by one process, seen by another. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { apiKeyId } from '../../src/identity/api-key.ts';
import { createKeyVerifier, type Identified } from '../../src/identity/credential.ts';
import { createKeyLookup } from '../../src/identity/key-lookup.ts';
import { openKeyStore } from '../../src/identity/key-store.ts';

/** Makes as many keys as it can until it is killed, and tells each over IPC. */
const MAKER = join(import.meta.dirname, 'make-keys.ts');

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state', 'keys');
}

const READ = { scopes: ['tools:read'] } as const;

describe('a key that is made', () => {
  it('lies in a file of its owner alone, without its secret', async () => {
    const folder = newFolder();
    const { key, text } = await openKeyStore(folder).create({
      name: 'ci',
      scopes: ['tools:read', 'admin'],
      requestsPerMinute: 7,
    });
    expect(readdirSync(folder)).toEqual(['ci.json']);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'ci.json')).mode & 0o777).toBe(0o600);
    const kept = readFileSync(join(folder, 'ci.json'), 'utf8');
    expect(kept).not.toContain(text.slice(14));
    expect(JSON.parse(kept)).toMatchObject({
      id: apiKeyId(text),
      name: 'ci',
      scopes: ['tools:read', 'admin'],
      requests_per_minute: 7,
    });
    expect((await openKeyStore(folder).list()).keys).toEqual([key]);
  });

  it('is refused under a name that is taken, whatever became of the first', async () => {
    const store = openKeyStore(newFolder());
    await store.create({ name: 'ci', ...READ, expiresMs: Date.now() - 1 });
    await expect(store.create({ name: 'ci', ...READ })).rejects.toMatchObject({ code: 'conflict' });
    await store.revoke('ci');
    await store.create({ name: 'ci', ...READ });
  });

  it.each(['', 'local', 'Local', 'a b', 'a/b', '../a', 'ä', 'x'.repeat(65)])('may not be named "%s"', async (name) => {
    const folder = newFolder();
    await expect(openKeyStore(folder).create({ name, ...READ })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it.each(['.', '..', '-', '_', 'x'.repeat(64), 'Ann.B-2_c'])('may be named "%s"', async (name) => {
    const folder = newFolder();
    const store = openKeyStore(folder);
    const { text } = await store.create({ name, ...READ });
    expect(createKeyLookup(folder).find(apiKeyId(text) as string)?.name).toBe(name);
    expect((await store.revoke(name)).name).toBe(name);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not there when its making cannot be recorded', async () => {
    const folder = newFolder();
    const store = openKeyStore(folder, { onAccess: () => Promise.reject(new Error('no room')) });
    await expect(store.create({ name: 'ci', ...READ })).rejects.toThrow('no room');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is recorded, and its end too', async () => {
    const entries: unknown[] = [];
    const store = openKeyStore(newFolder(), { onAccess: (entry) => void entries.push(entry) });
    const { key } = await store.create({ name: 'ci', ...READ });
    await store.revoke(key.id);
    expect(entries).toEqual([
      {
        event: 'access',
        what: 'key_created',
        principal: `key:${key.id}`,
        reason: expect.stringContaining('"ci" with tools:read'),
      },
      { event: 'access', what: 'key_revoked', principal: `key:${key.id}`, reason: expect.stringContaining('"ci"') },
    ]);
  });
});

describe('revoking', () => {
  it('takes a name or an id, and knows nothing else', async () => {
    const store = openKeyStore(newFolder());
    await store.create({ name: 'one', ...READ });
    const { key: two } = await store.create({ name: 'two', ...READ });
    expect((await store.revoke('one')).name).toBe('one');
    expect((await store.revoke(two.id)).name).toBe('two');
    await expect(store.revoke('one')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('does not guess which of two is meant', async () => {
    const store = openKeyStore(newFolder());
    const { key } = await store.create({ name: 'one', ...READ });
    await store.create({ name: key.id, ...READ });
    await expect(store.revoke(key.id)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('files that are no keys', () => {
  it('are told, and open nothing', async () => {
    const folder = newFolder();
    const store = openKeyStore(folder);
    const { text } = await store.create({ name: 'good', ...READ });
    const record = readFileSync(join(folder, 'good.json'), 'utf8');
    writeFileSync(join(folder, 'half.json'), record.slice(0, 100));
    writeFileSync(join(folder, 'other-name.json'), record);
    writeFileSync(join(folder, 'scopes.json'), record.replace('"good"', '"scopes"').replace('tools:read', 'everything'));
    writeFileSync(join(folder, 'hash.json'), record.replace('"good"', '"hash"').replace(/"hash": "\w+"/, '"hash": ""'));
    writeFileSync(
      join(folder, 'dates.json'),
      record.replace('"good"', '"dates"').replace('"expires": null', '"expires": "soon"'),
    );
    mkdirSync(join(folder, 'folder.json'));
    const { keys, unreadable } = await store.list();
    expect(keys.map(({ name }) => name)).toEqual(['good']);
    expect([...unreadable].sort()).toEqual([
      'dates.json',
      'folder.json',
      'half.json',
      'hash.json',
      'other-name.json',
      'scopes.json',
    ]);
    const lookup = createKeyLookup(folder);
    expect(lookup.countUsable()).toBe(1);
    expect(lookup.find(apiKeyId(text) as string)?.name).toBe('good');
  });
});

describe('a server that runs', () => {
  const identify = (folder: string) => {
    const verify = createKeyVerifier(createKeyLookup(folder));
    return (text: string) => verify(text) as Identified | { refused: string };
  };

  it('knows a new key at once, also the first one', async () => {
    const folder = newFolder();
    const verify = identify(folder);
    const store = openKeyStore(folder);
    for (let turn = 0; turn < 20; turn++) {
      const { key, text } = await store.create({ name: `key-${turn}`, ...READ });
      expect(verify(text)).toMatchObject({ principal: { id: `key:${key.id}`, kind: 'key', name: `key-${turn}` } });
    }
  });

  it('knows a revoked key no more at once, nor when another takes its name', async () => {
    const folder = newFolder();
    const verify = identify(folder);
    const store = openKeyStore(folder);
    for (let turn = 0; turn < 20; turn++) {
      const { text } = await store.create({ name: 'ci', ...READ });
      const before = verify(text);
      expect(before).toHaveProperty('principal');
      await store.revoke('ci');
      if (turn % 2 === 0) {
        await store.create({ name: 'ci', ...READ });
        expect((before as Identified).isCurrent()).toBe(false);
        await store.revoke('ci');
      }
      expect(verify(text)).toEqual({ refused: expect.stringContaining('revoked') });
      expect((before as Identified).isCurrent()).toBe(false);
    }
  });

  it('refuses the right id with another secret, and says that a key expired to its holder only', async () => {
    const folder = newFolder();
    const verify = identify(folder);
    const store = openKeyStore(folder);
    const { text } = await store.create({ name: 'old', ...READ, expiresMs: Date.now() - 1000 });
    const { text: other } = await store.create({ name: 'new', ...READ });
    expect(verify(text)).toEqual({ refused: expect.stringMatching(/^The API key expired at 2\d{3}-/) });
    // The other's secret and checksum under this id have no fitting checksum; with one they are still not this key.
    const forged = forge(other, apiKeyId(text) as string);
    expect(apiKeyId(forged)).toBe(apiKeyId(text));
    expect(verify(forged)).toEqual({ refused: expect.stringContaining('unknown') });
  });

  it('fails closed when the keys cannot be read', async () => {
    const folder = newFolder();
    const store = openKeyStore(folder);
    const { text } = await store.create({ name: 'ci', ...READ });
    const verify = identify(folder);
    expect(verify(text)).toHaveProperty('principal');
    renameSync(folder, `${folder}.away`);
    writeFileSync(folder, 'a file in its place');
    expect(() => verify(text)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('processes at once', () => {
  it('make each name once, and lose no key', async () => {
    const folder = newFolder();
    const makers = ['a', 'b', 'c'].map((own) => fork(MAKER, [folder, own, '15', 'shared'], { execArgv: [] }));
    const results = await Promise.all(
      makers.map(async (maker) => (await once(maker, 'message'))[0] as { made: string[]; taken: number }),
    );
    await Promise.all(makers.map((maker) => maker.exitCode ?? once(maker, 'exit')));
    const { keys, unreadable } = await openKeyStore(folder).list();
    expect(unreadable).toEqual([]);
    // Fifteen names that all three wanted, and fifteen of each one's own.
    expect(keys).toHaveLength(60);
    expect(results.reduce((sum, { taken }) => sum + taken, 0)).toBe(30);
    const verify = createKeyVerifier(createKeyLookup(folder));
    for (const text of results.flatMap(({ made }) => made)) expect(verify(text)).toHaveProperty('principal');
    expect(readdirSync(folder).filter((name) => !name.endsWith('.json'))).toEqual([]);
  });

  it('leave whole keys or none when they are killed in the middle', async () => {
    const folder = newFolder();
    for (let turn = 0; turn < 6; turn++) {
      const maker = fork(MAKER, [folder, `turn-${turn}`, '100000'], {
        execArgv: [],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      await once(maker, 'message');
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 30));
      maker.kill('SIGKILL');
      await once(maker, 'exit');
    }
    const store = openKeyStore(folder);
    const { keys, unreadable } = await store.list();
    expect(unreadable).toEqual([]);
    expect(keys.length).toBeGreaterThan(6);
    await store.create({ name: 'afterwards', ...READ });
  });

  it('have what was left behind tidied up later, not what is being written', async () => {
    const folder = newFolder();
    const store = openKeyStore(folder);
    await store.create({ name: 'ci', ...READ });
    writeFileSync(join(folder, '.old.tmp'), '');
    utimesSync(join(folder, '.old.tmp'), 0, 0);
    writeFileSync(join(folder, '.new.tmp'), '');
    await store.create({ name: 'other', ...READ });
    expect(readdirSync(folder).sort()).toEqual(['.new.tmp', 'ci.json', 'other.json']);
  });
});

/** The same secret under another id, with the checksum made fitting by trying: 6 digits hold the CRC-32 of the rest. */
function forge(text: string, id: string): string {
  const body = `mcpp_${id}_${text.slice(14, -6)}`;
  return body + crcDigits(body);
}

function crcDigits(body: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let crc = 0xffffffff;
  for (const byte of Buffer.from(body)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let text = '';
  for (let place = 0; place < 6; place++) {
    text = digits[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
