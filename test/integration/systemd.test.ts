import { execFile, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BINARY } from '../setup/binary.ts';

const HERE = join(import.meta.dirname, 'systemd');

/** Where control groups of version 2 are mounted, if groups can be made there. */
function groupFolder(): string | undefined {
  const [, folder] =
    /^cgroup2 (\S+) cgroup2 /m.exec(existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8') : '') ?? [];
  try {
    if (folder) accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return undefined;
  }
}

/** Namespaces, an overlay of the whole machine and systemd itself: as root of a machine of one's own. */
function canBoot(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/lib/systemd/systemd') || !existsSync(BINARY) || !groupFolder()) return false;
  if (spawnSync('bwrap', ['--version']).status !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'mcp-overlay-'));
  const script = `mount --make-rprivate / && mount -t tmpfs t ${folder} && cd ${folder} && mkdir u w a && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w a`;
  const { status } = spawnSync('unshare', ['-m', '-p', '-f', '-u', '-i', '-n', '-C', 'sh', '-c', script]);
  rmSync(folder, { recursive: true, force: true });
  return status === 0;
}

describe.runIf(canBoot())('the services, started by systemd in a container (skipped where none can be made)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-systemd-'));
  const group = `${groupFolder()}/mcp-python-test-${process.pid}`;
  const told = new Map<string, string>();

  beforeAll(async () => {
    const shared = join(folder, 'shared');
    for (const path of [shared, join(folder, 'root'), group]) mkdirSync(path);
    copyFileSync(join(HERE, 'probe.sh'), join(shared, 'probe.sh'));
    const host_agent = { users: ['games', 'nobody'], profile: 'developer', workspace: '/srv/app' };
    writeFileSync(join(shared, 'config.yaml'), JSON.stringify({ host_agent }));
    const namespaces = ['-m', '-p', '-f', '-u', '-i', '-n', '-C', '--kill-child'];
    const boot = ['sh', join(HERE, 'container.sh'), join(folder, 'root'), BINARY, shared];
    const script = `echo 0 >${group}/cgroup.procs; exec timeout -s KILL 80 unshare ${[...namespaces, ...boot].join(' ')}`;
    // It ends by being powered off.
    const { stderr } = await promisify(execFile)('sh', ['-c', script]).catch((thrown: { stderr: string }) => thrown);
    const lines = existsSync(join(shared, 'told')) ? readFileSync(join(shared, 'told'), 'utf8').split('\n') : [];
    if (lines.length === 0) throw new Error(`Nothing was told: ${stderr}`);
    for (const line of lines) told.set(line.split('\t', 1)[0] ?? '', line.slice(line.indexOf('\t') + 1));
  }, 100_000);
  afterAll(() => {
    spawnSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
    rmSync(folder, { recursive: true, force: true });
  });

  const outputOf = (name: string) => {
    const { value } = JSON.parse(told.get(name) ?? '{}');
    return Buffer.from(value.stdout.head, 'base64').toString();
  };

  it('serve answers who comes to its socket, as a user of its own', () => {
    expect(told.get('initialize')).toContain('"serverInfo"');
    const { result } = JSON.parse(told.get('command') ?? '{}');
    // In the sandbox it sees its own three processes.
    expect(result.structuredContent).toMatchObject({ exit_code: 0, stdout: expect.stringMatching(/\nwritten\n\d\n$/) });
    expect(result.structuredContent.not_enforced?.join() ?? '').not.toMatch(/read every file|network|other processes/);
  });

  it('the host agent runs commands as the users of its configuration, in a sandbox, and as nobody else', () => {
    expect(outputOf('games')).toBe('games\n/srv/app\nwritten\n');
    expect(outputOf('nobody')).toBe('nobody\n');
    expect(told.get('root')).toContain('"denied"');
    expect(told.get('enforcement')).toContain('"sandbox":"bubblewrap');
    expect(told.get('socket')?.trim()).toBe('660 root');
  });

  it('both tell systemd how they do; a reload and a restart disturb nobody', () => {
    expect([told.get('reload')?.trim(), told.get('restart')?.trim()]).toEqual(['ok', 'ok']);
    expect(told.get('ping')).toContain('"result":{}');
    expect(told.get('serve')?.trim()).toBe('0 Serving MCP at http://127.0.0.1:8001/mcp active');
    expect(told.get('host-agent')?.trim()).toBe('0 Runs commands as games, nobody active');
  });
});
