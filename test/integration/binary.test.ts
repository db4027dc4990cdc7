import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { ended, firstLine, temporaryFile, temporaryFolder } from '../cli/run-program.ts';
import { BINARY } from '../setup/binary.ts';
import { canRunArm64 } from '../setup/peers.ts';
import { INITIALIZE, line, runCommand, startCommand } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the executable', () => {
  it.each(['--version', '-V'])('prints its version on %s with an empty environment', async (flag) => {
    expect(await runCommand(BINARY, [flag])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('runs alone in a folder, with an empty environment', async () => {
    const alone = join(temporaryFolder(), 'renamed');
    copyFileSync(BINARY, alone);
    const { status, stdout, stderr } = await runCommand(alone, ['call', 'check_command_exists', 'command=sh', '--json']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ exists: true });
    expect(status).toBe(0);
  });

  it('runs commands, and ends with the status of a failure', async () => {
    const echo = await runCommand(BINARY, ['call', 'execute_command', 'command=echo hi', '--json']);
    expect(JSON.parse(echo.stdout)).toMatchObject({ exit_code: 0, stdout: 'hi\n' });
    const missing = await runCommand(BINARY, ['call', 'read_file', 'file_path=/nonexistent']);
    expect(missing).toMatchObject({ status: 6, stdout: '' });
    expect(missing.stderr).toContain('/nonexistent');
  });

  it('speaks MCP over standard input and output', async () => {
    const child = startCommand(BINARY, ['stdio']);
    child.stdin.write(line(INITIALIZE));
    expect(JSON.parse(await firstLine(child))).toMatchObject({ id: 1, result: { serverInfo: { name: 'mcp-python' } } });
  });

  it('speaks MCP over HTTP', async () => {
    const child = startCommand(BINARY, ['serve', '--port', '0', '--json'], { env: { HOME: temporaryFolder() } });
    const { url, pid } = JSON.parse(await firstLine(child));
    expect(pid).toBe(child.pid);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: line(INITIALIZE),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('"serverInfo"');
  });

  it('starts from bytecode made at build time', async () => {
    const plugin = temporaryFile(
      'plugin.mjs',
      "export default () => { console.log(globalThis[Symbol.for('mcp-python.code-cache')]); return {}; };",
    );
    expect((await runCommand(BINARY, ['tools', '--plugin', plugin])).stderr).toBe('used\n');
  });

  it.each([
    ['a flag that Node does not know', '--no-such-flag'],
    ['a file to load', `--require ${join(ROOT, 'no-such-file.cjs')}`],
    ['a debugger', '--inspect=127.0.0.1:0'],
  ])('does not heed NODE_OPTIONS with %s', async (_, options) => {
    expect(await runCommand(BINARY, ['tools', '--json'], { env: { NODE_OPTIONS: options } })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('opens no debugger on SIGUSR1', async () => {
    const child = startCommand(BINARY, ['stdio']);
    const over = ended(child);
    child.stdin.write(line(INITIALIZE));
    await once(child.stdout, 'data');
    child.kill('SIGUSR1');
    child.stdin.end(line({ method: 'notifications/initialized' }) + line({ id: 2, method: 'ping' }));
    const { status, stdout, stderr } = await over;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('"id":2');
  });

  it.each(['mjs', 'cjs', 'ts'])('loads a plug-in from a .%s file', async (extension) => {
    const types = extension === 'ts' ? ': Promise<object>' : '';
    const start = extension === 'cjs' ? 'module.exports =' : 'export default';
    const plugin = temporaryFile(
      `plugin.${extension}`,
      `${start} ({ defineTool, z }) => defineTool({
        name: 'greet', title: 'Greet', description: 'Greets.', toolset: 'plugin', scope: 'tools:read',
        annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
        input: z.object({ name: z.string() }),
        execute: async ({ name })${types} => ({ greeting: \`Hello, \${name}\` }),
      });`,
    );
    const { stdout, stderr } = await runCommand(BINARY, ['call', 'greet', 'name=you', '--json', '--plugin', plugin]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ greeting: 'Hello, you' });
  });
});

describe('the build', () => {
  it('does nothing when no source has changed', async () => {
    const { status, stderr } = await runCommand(process.execPath, [join(ROOT, 'build.mjs')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: `${join(ROOT, 'dist', 'mcp-python')} is up to date.\n` });
  });

  it('refuses a target that it does not know', async () => {
    const { status, stderr } = await runCommand(process.execPath, [join(ROOT, 'build.mjs'), '--target', 'windows-x64']);
    expect(status).toBe(2);
    expect(stderr).toContain('Unknown target windows-x64');
  });

  it('collects the licences of what it bundles', () => {
    const licences = readFileSync(join(ROOT, 'dist/THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['zod', 'commander', 'yaml', 'node-linux']) expect(licences).toMatch(new RegExp(`^${name}\\S* \\d`, 'm'));
  });
});

describe('the executable for linux-arm64', { timeout: 60_000 }, () => {
  const executable = process.arch === 'arm64' ? BINARY : join(ROOT, 'dist/mcp-python-linux-arm64');

  beforeAll(async () => {
    // The first time npm fetches Node for it, and may need all of the environment for that.
    await promisify(execFile)(process.execPath, [join(ROOT, 'build.mjs'), '--target', 'linux-arm64']);
  }, 120_000);

  it('is a program for that machine with the app inside', () => {
    const bytes = readFileSync(executable);
    // ELF header: e_machine at byte 18, 183 is AArch64.
    expect([bytes.toString('latin1', 1, 4), bytes.readUInt16LE(18)]).toEqual(['ELF', 183]);
    expect(bytes.includes('NODE_SEA_BLOB')).toBe(true);
  });

  it.skipIf(!canRunArm64())('works', async () => {
    const workspace = temporaryFolder();
    writeFileSync(join(workspace, 'file'), '');
    const args = ['-L', '/usr/aarch64-linux-gnu', executable, 'call', 'list_directory', '--json'];
    const { stdout, stderr } = await runCommand('qemu-aarch64-static', args, { cwd: workspace, env: { PATH: process.env.PATH } });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).entries).toHaveLength(1);
  });
});
