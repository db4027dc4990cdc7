import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { run, temporaryFile, temporaryFolder } from './run-program.ts';

const ENTRY = join(import.meta.dirname, '../../bin/mcp-python.ts');
const have = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** A folder for PATH in which `mcp-python` is this program. */
function folderWithProgram(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mcp-python'), `#!/bin/sh\nexec '${process.execPath}' '${ENTRY}' "$@"\n`);
  chmodSync(join(folder, 'mcp-python'), 0o755);
  return folder;
}

const scriptFor = async (shell: string) => temporaryFile(`completion.${shell}`, (await run(['completion', shell])).stdout);

describe('completion bash', () => {
  let script = '';
  beforeEach(async () => {
    script = await scriptFor('bash');
  });

  /** What bash offers for the last word; words as bash splits them, = on its own. */
  function offered(...words: string[]): string[] {
    const program = `source '${script}'; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mcp_python; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { HOME: '/', PATH: `${folderWithProgram()}:${process.env.PATH}` };
    const out = execFileSync('bash', ['--norc', '-c', program, 'bash', 'mcp-python', ...words], { encoding: 'utf8', env });
    return out.split('\n').filter(Boolean);
  }

  it('offers subcommands, at every level', () => {
    expect(offered('')).toEqual([
      'serve',
      'stdio',
      'host-agent',
      'call',
      'tools',
      'config',
      'policy',
      'approve',
      'keys',
      'audit',
      'agents',
      'service',
      'setup',
      'doctor',
      'completion',
      'version',
    ]);
    expect(offered('--log-level', 'warn', 'con')).toEqual(['config']);
    expect(offered('config', '')).toEqual(['init', 'show', 'validate', 'schema']);
  });

  it('offers the options of the subcommand and the global ones', () => {
    expect(offered('setup', 'cursor', '--')).toEqual(
      expect.arrayContaining(['--print', '--remove', '--http', '--scope', '--config', '--json']),
    );
    expect(offered('config', 'init', '--f')).toEqual(['--force']);
    expect(offered('serve', '--pr')).toEqual([]);
  });

  it('offers the values of options and arguments', () => {
    expect(offered('--log-level', '')).toEqual(['debug', 'info', 'warn', 'error']);
    expect(offered('setup', 'cursor', '--scope', '=', 'p')).toEqual(['project']);
    expect(offered('setup', 'c')).toEqual(['claude-code', 'cursor']);
    expect(offered('config', 'show', 'server.mcp_http_p')).toEqual(['server.mcp_http_port']);
    expect(offered('--config', '/etc/host')).toContain('/etc/hosts');
  });

  it('offers tools, those of plug-ins too, and their arguments', () => {
    expect(offered('call', 'read')).toEqual(['read_file']);
    const plugin = temporaryFile(
      'plugin.mjs',
      `export default ({ defineTool, z }) => defineTool({ name: 'water_plants', title: 'Water', description: 'Waters.', toolset: 'plugin',
        scope: 'tools:execute', annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
        input: z.object({}), output: z.object({}), execute: async () => ({}) });`,
    );
    expect(offered('--plugin', plugin, 'call', 'wat')).toEqual(['water_plants']);
    expect(offered('call', 'read_file', 'f')).toEqual(['file_path=']);
    expect(offered('call', 'read_file', 'file_path', '=', '/etc/host')).toContain('/etc/hosts');
  });

  it('still offers the built-in tools when the program cannot start', () => {
    expect(offered('--config', '/nonexistent', 'tools', 'get_system_i')).toEqual(['get_system_info']);
  });
});

describe.skipIf(!have('fish'))('completion fish (skipped where fish is not installed)', () => {
  it('offers subcommands, options, values, tools and their arguments', async () => {
    const script = await scriptFor('fish');
    const env = { HOME: temporaryFolder(), PATH: `${folderWithProgram()}:${process.env.PATH}` };
    const offered = (line: string) => {
      const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source '${script}'; complete -C '${line}'`], {
        encoding: 'utf8',
        env,
      });
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((each) => each.split('\t')[0]);
    };
    expect(offered('mcp-python se')).toEqual(['serve', 'service', 'setup']);
    expect(offered('mcp-python --log-level warn config sh')).toEqual(['show']);
    expect(offered('mcp-python setup cursor --scope ')).toEqual(['project', 'user']);
    expect(offered('mcp-python call read_f')).toEqual(['read_file']);
    expect(offered('mcp-python call read_file f')).toEqual(['file_path=']);
    expect(offered('mcp-python serve --po')).toEqual(['--port']);
  });
});

describe.skipIf(!have('zsh'))('completion zsh (skipped where zsh is not installed)', () => {
  it('completes what is typed at a prompt', async () => {
    const script = await scriptFor('zsh');
    const env = { HOME: temporaryFolder(), PATH: `${folderWithProgram()}:${process.env.PATH}`, TERM: 'dumb' };
    // Each line is completed with Tab and then printed by the shell itself, so that no screen has to be read.
    const typed = [
      'config sh',
      'config show server.mcp_http_p',
      'setup cl',
      'setup cursor --scope pro',
      'call read_f',
      'call read_file f',
    ];
    const driver = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "PROMPT=; autoload -U compinit; compinit -u -D; source '${script}'; tell() { print -r -- \\"<$BUFFER>\\"; BUFFER= }; zle -N tell; bindkey '^G' tell; echo rea''dy"
      zpty -r shell out '*ready*'
      for line in ${typed.map((each) => `'${each}'`).join(' ')}; do
        zpty -w -n shell "mcp-python $line"$'\\t\\a'
        zpty -r shell out '*<mcp-python*>*'
        print -r -- "\${\${out##*<}%%>*}"
      done`.replaceAll('$BUFFER', '\\$BUFFER');
    const { stdout } = spawnSync('zsh', ['-f', '-c', driver], { encoding: 'utf8', env, timeout: 20_000 });
    expect(
      stdout
        .split('\n')
        .map((each) => each.trim())
        .filter(Boolean),
    ).toEqual([
      'mcp-python config show',
      'mcp-python config show server.mcp_http_port',
      'mcp-python setup claude-code',
      'mcp-python setup cursor --scope project',
      'mcp-python call read_file',
      'mcp-python call read_file file_path=',
    ]);
  });
});

describe('completion', () => {
  it('refuses a shell it has no script for', async () => {
    const { status, stdout } = await run(['completion', 'tcsh']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});
