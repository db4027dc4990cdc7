/** Programs of the machine that run a command in a terminal: nothing that Node has makes one. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import type { Argv } from '../limits/limiter.ts';
import { quoted } from './quoted.ts';

/** Makes an argument vector that runs another one in a terminal. */
export type Terminal = (argv: Argv, env: Readonly<Record<string, string>>) => Argv;

/** Where systems install them; commands in a sandbox see these. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];
const ROWS = 24;
const COLUMNS = 80;
/** What is assumed of a terminal where the environment does not say. */
const TERM = 'xterm';

let answer: Promise<Terminal | undefined> | undefined;

/**
 * `script` of util-linux, else Python; looked for once.
 * @throws Failure `unsupported` where there is neither
 */
export async function findTerminal(): Promise<Terminal> {
  answer ??= look();
  const found = await answer;
  if (found) return found;
  throw new Failure(
    'unsupported',
    'This machine has no program that makes a terminal: neither script(1) of util-linux nor python3.',
    {
      hint: 'Install one of them (`apt-get install bsdutils`), or leave `pty` out.',
    },
  );
}

async function look(): Promise<Terminal | undefined> {
  for (const script of programs('script')) if (await isUtilLinux(script)) return byScript(script);
  const [python] = programs('python3');
  return python === undefined ? undefined : byPython(python);
}

function programs(name: string): string[] {
  return FOLDERS.map((folder) => join(folder, name)).filter((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Others of this name have other options, and lose the exit code. */
function isUtilLinux(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: 5000 }, (_, output) => resolve(/util-linux/.test(output)));
  });
}

/** It hands its command to $SHELL as a line, so that what the command is to find in there is set in the line. */
export function byScript(script: string): Terminal {
  return (argv, { SHELL, TERM: term = TERM }) => {
    const shell = SHELL === undefined ? 'unset SHELL' : `export SHELL=${quoted(SHELL)}`;
    const line = `${shell}; stty rows ${ROWS} cols ${COLUMNS} 2>/dev/null; exec ${argv.map(quoted).join(' ')}`;
    return ['/bin/sh', '-c', 'export SHELL=/bin/sh TERM="$1"; shift; exec "$@"', 'sh', term, script, '-qefc', line, '/dev/null'];
  };
}

/** The end of its own input is the end of what is typed. */
const PYTHON = `
import fcntl, os, pty, struct, sys, termios
ended = []
def typed(fd):
    data = os.read(fd, 1024)
    if data or ended: return data
    ended.append(1)
    return b'\\x04'
def shown(fd):
    if not sized:
        sized.append(fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', ${ROWS}, ${COLUMNS}, 0, 0)))
    return os.read(fd, 1024)
sized = []
status = pty.spawn(sys.argv[1:], shown, typed)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`;

export function byPython(python: string): Terminal {
  return (argv, { TERM: term = TERM }) => [
    '/bin/sh',
    '-c',
    'export TERM="$1"; shift; exec "$@"',
    'sh',
    term,
    python,
    '-c',
    PYTHON,
    ...argv,
  ];
}
