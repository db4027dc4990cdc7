import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { type Ended, firstLine, temporaryFolder } from '../cli/run-program.ts';
import { isHere } from '../setup/peers.ts';
import { INITIALIZE, line, runCommand, startCommand } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(ROOT, 'install.sh');
const { PATH = '', HOME = '' } = process.env;

function install(...args: string[]): Promise<Ended> {
  return runCommand('sh', [SCRIPT, ...args], { env: { PATH, HOME } });
}

/** Every file below a folder, with what a change of it would change. */
function filesIn(folder: string): Record<string, string> {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
  return Object.fromEntries(
    names.map((name) => {
      const { mtimeMs, mode, size, ino } = statSync(join(folder, name));
      return [name, [mtimeMs, mode, size, ino].join(' ')];
    }),
  );
}

const EXPECTED = [
  'bin/mcp-python',
  'share/bash-completion/completions/mcp-python',
  'share/doc/mcp-python/LICENSE',
  'share/doc/mcp-python/README.md',
  'share/fish/vendor_completions.d/mcp-python.fish',
  'share/man/man1/mcp-python.1',
  'share/zsh/site-functions/_mcp-python',
];

describe('install.sh from a checkout', { timeout: 60_000 }, () => {
  it('puts the executable, manual pages and completions below the prefix', async () => {
    const prefix = temporaryFolder();
    expect(await install('--prefix', prefix)).toMatchObject({ status: 0 });
    expect(Object.keys(filesIn(prefix))).toEqual(expect.arrayContaining(EXPECTED));
    const { stdout } = await runCommand(join(prefix, 'bin/mcp-python'), ['--version']);
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  it('changes nothing the second time', async () => {
    const prefix = temporaryFolder();
    await install('--prefix', prefix);
    const before = filesIn(prefix);
    const { status, stdout } = await install('--prefix', prefix);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toSatisfy((lines: string[]) => lines.every((text) => text.startsWith('unchanged ')));
    expect(filesIn(prefix)).toEqual(before);
  });

  it('removes what it installed and nothing else', async () => {
    const prefix = temporaryFolder();
    mkdirSync(join(prefix, 'bin'));
    writeFileSync(join(prefix, 'bin/other'), '');
    await install('--prefix', prefix);
    writeFileSync(join(prefix, 'share/zsh/site-functions/_other'), '');
    expect(await install('--prefix', prefix, '--uninstall')).toMatchObject({ status: 0, stderr: '' });
    const left = ['bin', 'bin/other', 'share', 'share/zsh', 'share/zsh/site-functions', 'share/zsh/site-functions/_other'];
    expect(Object.keys(filesIn(prefix))).toEqual(left);
    expect(await install('--prefix', prefix, '--uninstall')).toMatchObject({ status: 1 });
  });

  it('replaces the executable while the older one runs', async () => {
    const prefix = temporaryFolder();
    await install('--prefix', prefix);
    const executable = join(prefix, 'bin/mcp-python');
    // An older version, as far as its bytes go: it has something after its end.
    copyFileSync(executable, `${executable}.older`);
    appendFileSync(`${executable}.older`, 'older');
    await runCommand('mv', ['-f', `${executable}.older`, executable], { env: { PATH } });
    const running = startCommand(executable, ['stdio']);
    running.stdin.write(line(INITIALIZE));
    await firstLine(running);

    expect((await install('--prefix', prefix)).stdout).toContain(`installed ${executable}\n`);
    running.stdin.write(line({ method: 'notifications/initialized' }) + line({ id: 2, method: 'ping' }));
    expect(JSON.parse(await firstLine(running))).toMatchObject({ id: 2, result: {} });
    expect((await runCommand(executable, ['--version'])).stdout).toBe(`${manifest.version}\n`);
  });

  it('replaces a link instead of writing through it', async () => {
    const prefix = temporaryFolder();
    const elsewhere = join(temporaryFolder(), 'elsewhere');
    writeFileSync(elsewhere, 'not ours');
    mkdirSync(join(prefix, 'bin'));
    await runCommand('ln', ['-s', elsewhere, join(prefix, 'bin/mcp-python')], { env: { PATH } });
    await install('--prefix', prefix);
    expect(readFileSync(elsewhere, 'utf8')).toBe('not ours');
  });

  it.each([
    ['an unknown argument', ['--prefx', '/tmp/x']],
    ['a missing value', ['--prefix']],
    ['a checksum without an archive', ['--sha256', 'ab']],
    ['an archive to uninstall', ['--uninstall', '--archive', 'x.tar.gz']],
  ])('refuses %s', async (_, args) => {
    const { status, stdout, stderr } = await install(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^install\.sh: .+\n$/);
  });

  it('prints its usage', async () => {
    expect((await install('--help')).stdout).toMatch(/^Usage: install\.sh/);
  });

  it.skipIf(!isHere('shellcheck'))('is clean shell', async () => {
    const { status, stdout } = await runCommand('shellcheck', [SCRIPT, join(ROOT, '.ci/run')], { env: { PATH } });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});

describe('install.sh from an archive', { timeout: 60_000 }, () => {
  const archive = join(ROOT, 'dist', `mcp-python-${manifest.version}-${process.platform}-${process.arch}.tar.gz`);

  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(ROOT, 'build.mjs'), '--archive']);
  }, 60_000);

  function copyOfArchive(): string {
    const copy = join(temporaryFolder(), 'archive.tar.gz');
    copyFileSync(archive, copy);
    return copy;
  }

  function sha256(file: string): string {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  }

  it('installs the same as from the checkout', async () => {
    const [fromCheckout, fromArchive] = [temporaryFolder(), temporaryFolder()];
    await install('--prefix', fromCheckout);
    expect(await install(`--prefix=${fromArchive}`, `--archive=${archive}`)).toMatchObject({ status: 0 });
    expect(Object.keys(filesIn(fromArchive))).toEqual(Object.keys(filesIn(fromCheckout)));
    for (const name of EXPECTED) expect(sha256(join(fromArchive, name))).toBe(sha256(join(fromCheckout, name)));
  });

  it('takes the checksum that is given, in any case', async () => {
    const copy = copyOfArchive();
    const result = await install('--prefix', temporaryFolder(), '--archive', copy, '--sha256', sha256(copy).toUpperCase());
    expect(result).toMatchObject({ status: 0 });
  });

  it('writes nothing when the archive is not what its checksum says', async () => {
    const prefix = join(temporaryFolder(), 'prefix');
    const copy = copyOfArchive();
    copyFileSync(`${archive}.sha256`, `${copy}.sha256`);
    appendFileSync(copy, 'x');
    for (const args of [[], ['--sha256', '0'.repeat(64)], ['--sha256', 'short']]) {
      const { status, stdout, stderr } = await install('--prefix', prefix, '--archive', copy, ...args);
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
      expect(stderr).toContain('is not what it should be');
    }
    expect(existsSync(prefix)).toBe(false);
  });

  it('wants to know the checksum', async () => {
    const prefix = join(temporaryFolder(), 'prefix');
    expect(await install('--prefix', prefix, '--archive', copyOfArchive())).toMatchObject({ status: 3 });
    expect(existsSync(prefix)).toBe(false);
  });

  it('refuses an archive of something else', async () => {
    const folder = temporaryFolder();
    const other = join(folder, 'other.tar.gz');
    writeFileSync(join(folder, 'file'), '');
    await runCommand('tar', ['-czf', other, '-C', folder, 'file'], { env: { PATH } });
    const prefix = join(folder, 'prefix');
    const { status, stderr } = await install('--prefix', prefix, '--archive', other, '--sha256', sha256(other));
    expect(status).toBe(1);
    expect(stderr).toContain('no archive of mcp-python');
    expect(existsSync(prefix)).toBe(false);
  });
});
