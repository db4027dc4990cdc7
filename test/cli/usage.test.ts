import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { SUPPORTED_VERSIONS } from '../../src/protocol/versions.ts';
import { run } from './run-program.ts';

describe('the program', () => {
  it.each(['--version', '-V'])('prints its version alone for %s', async (flag) => {
    expect(await run([flag])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('prints all versions, as JSON where asked', async () => {
    const people = await run(['version']);
    expect(people.stdout).toContain(manifest.version);
    const { stdout } = await run(['version', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'mcp-python',
      version: manifest.version,
      runtime: `Node ${process.versions.node}`,
      platform: `${process.platform}-${process.arch}`,
      mcp: SUPPORTED_VERSIONS,
    });
  });

  it('lists its subcommands and exit statuses in its help', async () => {
    const { status, stdout, stderr } = await run(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const name of ['serve', 'stdio', 'call', 'tools', 'config', 'version']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    expect(stdout).toContain('124 timed out');
  });

  it.each([[['call', '--help']], [['help', 'call']]])('explains a subcommand for %s', async (args) => {
    const { status, stdout } = await run(args);
    expect(status).toBe(0);
    expect(stdout).toContain('key=value');
    expect(stdout).toContain('--plugin');
  });

  it('names the nearest subcommand for one it does not know, and ends with 2', async () => {
    const { status, stdout, stderr } = await run(['srve']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe("mcp-python: Unknown command 'srve'.\n  Did you mean serve?\n");
  });

  it('tells usage errors as JSON on stderr with --json', async () => {
    const { status, stdout, stderr } = await run(['tools', '--jsn', '--json']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'invalid_input', hint: 'Did you mean --json?' } });
  });

  it.each([
    ['no subcommand', []],
    ['a missing argument', ['call']],
    ['a port that is none', ['serve', '--port', 'abc']],
    ['a level that is none', ['tools', '--log-level', 'loud']],
    ['a time that is none', ['call', 'x', '--timeout', '0']],
    ['a refusal of nothing', ['approve', '--deny']],
    ['leave for nothing', ['approve', '--session']],
    ['a verdict that is none', ['audit', 'query', '--verdict', 'maybe']],
    ['an event that is none', ['audit', 'query', '--event', 'nope']],
  ])('ends with 2 for %s', async (_, args) => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('mcp-python: ');
  });

  it('takes global options before and after the subcommand', async () => {
    const before = await run(['--json', 'version']);
    const after = await run(['version', '--json']);
    expect(JSON.parse(before.stdout)).toEqual(JSON.parse(after.stdout));
  });
});
