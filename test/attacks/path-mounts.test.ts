/** Paths that name one file here and another one elsewhere, and files that mounts show under two paths. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { otherMountsOf, parseMounts } from '../../src/backends/native-mounts.ts';
import { guardedNative } from '../fixtures/guard.ts';

const CANARY = 'canary-4711';
/** Mounting takes a user namespace of one's own, which some systems do not grant. */
const canMount = spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '--bind', '/usr', '/mnt']).status === 0;

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-mounts-')));
  root = join(base, 'ws');
  for (const name of ['ws/sub', 'outside', 'state/keys']) mkdirSync(join(base, name), { recursive: true });
  for (const name of ['outside/canary.txt', 'state/keys/key']) writeFileSync(join(base, name), CANARY);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe.runIf(canMount)('where mounts show', () => {
  it('another file under the same path to another process, its tree is not entered', async () => {
    const child = spawn('unshare', [
      ...['--map-root-user', '--mount', 'sh', '-c'],
      `mount --bind "$0/outside" "$0/ws/sub" && echo ready && exec sleep 60`,
      base,
    ]);
    try {
      await new Promise((resolve, reject) => {
        child.stdout.once('data', resolve);
        child.once('close', reject);
      });
      symlinkSync(`/proc/${child.pid}/root`, join(root, 'link'));
      const { files } = guardedNative(base, { restrictions: [root] });
      for (const path of [`link${root}/sub/canary.txt`, `link${root}`, `link${root}/sub`]) {
        await expect(files.open(path), path).rejects.toMatchObject({ code: 'denied' });
        await expect(files.list(path, { hidden: true, limit: 10 }), path).rejects.toMatchObject({ code: 'denied' });
      }
      // Names are made in our own tree only.
      await files.write(`link${root}/sub/new.txt`, Buffer.from('new'), { createParents: false });
      expect([readdirSync(join(base, 'outside')), readdirSync(join(root, 'sub'))]).toEqual([['canary.txt'], ['new.txt']]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  /** What a path leads to, for a server that has `mounts` in its tree. */
  function readWith(mounts: string, ...paths: string[]): string[] {
    const script = `
      const { guardedNative } = await import(${JSON.stringify(new URL('../fixtures/guard.ts', import.meta.url).href)});
      const { files } = guardedNative(${JSON.stringify(base)}, { restrictions: [${JSON.stringify(base)}] });
      for (const path of ${JSON.stringify(paths)}) {
        const outcome = await files.open(path).then(() => 'opened', ({ code }) => code);
        const listed = await files.list(path, { hidden: true, limit: 10 }).then(({ entries }) => 'listed ' + entries.length, ({ code }) => code);
        console.log(outcome + ' ' + listed);
      }`;
    const command = `${mounts} && exec "$1" --input-type=module --eval "$2"`;
    const args = ['--map-root-user', '--mount', 'sh', '-c', command, base, process.execPath, script];
    return execFileSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .trim()
      .split('\n');
  }

  it('our own files under a second path, they are not reached by it', () => {
    mkdirSync(join(root, 'alias'));
    const mount = 'mount --bind "$0/state" "$0/ws/alias"';
    expect(readWith(mount, 'alias/keys/key', 'alias', 'alias/keys', 'sub')).toEqual([
      'denied denied',
      'denied denied',
      'denied denied',
      'invalid_input listed 0',
    ]);
  });

  it('only a part of them, or all that is around them, it is the same', () => {
    mkdirSync(join(root, 'part'));
    mkdirSync(join(root, 'around'));
    const mount = 'mount --bind "$0/state/keys" "$0/ws/part" && mount --bind "$0" "$0/ws/around"';
    const found = readWith(mount, 'part/key', 'around/state/keys/key', 'around/state', 'around/outside/canary.txt');
    expect(found).toEqual(['denied denied', 'denied denied', 'denied denied', 'opened invalid_input']);
  });

  it('the doors of the kernel in another place, they stay closed', () => {
    mkdirSync(join(root, 'proc'));
    expect(readWith('mount --rbind /proc "$0/ws/proc"', 'proc/self/environ', 'proc/self/root/etc/passwd', 'proc')).toEqual([
      'denied denied',
      'denied denied',
      'denied denied',
    ]);
  });
});

describe('the table of mounts', () => {
  const mounts = parseMounts(
    [
      '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
      '21 20 8:2 / /home rw,relatime shared:5 master:1 - ext4 /dev/sda2 rw',
      '22 20 8:2 /ann/work /srv/with\\040blank rw - ext4 /dev/sda2 rw',
      '23 20 8:1 /var/lib/mcp /mnt/mcp ro - ext4 /dev/sda1 rw',
      '24 20 8:1 /var/lib/mcp/keys/one /mnt/one ro - ext4 /dev/sda1 rw',
      '',
    ].join('\n'),
  );

  it.each([
    ['what is mounted elsewhere', '/home/ann/work/state', ['/srv/with blank/state']],
    ['the mounted folder itself', '/home/ann/work', ['/srv/with blank']],
    ['what another mount shows a part of', '/home/ann', ['/srv/with blank']],
    ['what is only in one place', '/home/bob', []],
    ['a folder with a similar name', '/home/ann/workshop', []],
    ['what several mounts show', '/var/lib/mcp/keys', ['/mnt/mcp/keys', '/mnt/one']],
    ['what the second mount shows', '/mnt/mcp/state', ['/var/lib/mcp/state']],
  ])('tells the other places of %s', (_, path, expected) => expect(otherMountsOf(path, mounts)).toEqual(expected));
});
