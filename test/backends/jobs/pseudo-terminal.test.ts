import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { byPython, byScript, type Terminal } from '../../../src/backends/jobs/pseudo-terminal.ts';

const isUtilLinux = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');
const ways: [string, Terminal][] = [
  ...(isUtilLinux ? [['script', byScript('/usr/bin/script')] as [string, Terminal]] : []),
  ...(existsSync('/usr/bin/python3') ? [['python3', byPython('/usr/bin/python3')] as [string, Terminal]] : []),
];

function run(terminal: Terminal, script: string, input?: string): Promise<{ code: number | null; output: string }> {
  const env = { PATH: '/usr/bin:/bin', SHELL: '/no/such/shell' };
  const [program, ...args] = terminal(['/bin/sh', '-c', script, 'sh', "it's", ''], env);
  const child = spawn(program, args, { env, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stdin?.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

describe.each(ways)('a terminal made by %s', (_, terminal) => {
  it('is one, of 80 by 24, and hands arguments, environment and exit code on', async () => {
    const { code, output } = await run(terminal, 'tty; sleep 0.1; stty size; echo "$1|$2|$#|$SHELL|$TERM"; exit 7');
    expect(code).toBe(7);
    expect(output).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\nit's\|\|2\|\/no\/such\/shell\|xterm\r\n$/);
  });

  it('takes what is typed, and its end', async () => {
    const { output } = await run(
      terminal,
      'stty -echo; echo ready; read -r line; echo "got $line"; cat; echo end',
      'typed\nmore\n',
    );
    expect(output).toMatch(/got typed\r\n(?:more\r\n)+end\r\n$/);
  });

  it('tells of a signal as shells do', async () => {
    expect((await run(terminal, 'kill -TERM $$')).code).toBe(143);
  });
});
