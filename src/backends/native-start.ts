/** Starting a command on this machine, or saying why it cannot be. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Command, ExecRequest } from './backend.ts';
import type { Argv } from './limits/limiter.ts';

export function argvOf(command: Command): Argv {
  if (command.kind === 'argv') return command.argv;
  return ['/bin/sh', '-c', command.script, 'sh', ...(command.args ?? [])];
}

/**
 * Starts it as the leader of a process group of its own.
 * @param statusPipe give it a further pipe, its descriptor 3
 * @throws Failure `not_found`, `denied`, `too_large`, `unavailable`
 */
export function start(
  [program, ...args]: Argv,
  { cwd, stdin }: Pick<ExecRequest, 'cwd' | 'stdin'>,
  env: Readonly<Record<string, string>>,
  statusPipe: boolean,
): Promise<ChildProcess> {
  const stdio: StdioOptions = [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(statusPipe ? ['pipe' as const] : [])];
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => startFailure(error, program, cwd).then(reject);
    try {
      const child = spawn(program, args, { cwd, env, detached: true, stdio });
      child.once('error', refuse);
      if (child.pid !== undefined) resolve(child);
    } catch (thrown) {
      refuse(thrown as NodeJS.ErrnoException);
    }
  });
}

/** The system says ENOENT for a missing program and a missing folder alike. */
async function startFailure(error: NodeJS.ErrnoException, program: string, cwd: string): Promise<Failure> {
  if (!(await isFolder(cwd))) return noFolder(cwd, error);
  if (error.code === 'ENOENT') return noProgram(program, error);
  if (error.code === 'EACCES') return notExecutable(program, error);
  if (error.code === 'E2BIG') {
    return new Failure('too_large', 'The command and its environment are too long for the system.', {
      hint: 'Pass data on stdin.',
      cause: error,
    });
  }
  return new Failure('unavailable', `${program} could not be started: ${error.message}`, { cause: error });
}

/** Where the system looks when there is no PATH. */
const DEFAULT_PATH = '/usr/bin:/bin';

/**
 * The same command by the path of its program, found as the system would find it: what starts it for us, a shell or
 * the sandbox, could tell only by an exit code that there is none.
 * @throws Failure `not_found`, `denied`
 */
export async function located([program, ...args]: Argv, { cwd, env }: ExecRequest): Promise<Argv> {
  const names = program.includes('/') ? [program] : searchPath(env).map((folder) => join(folder, program));
  const found = names.map((name) => lookAt(name.startsWith('/') ? name : join(cwd, name)));
  if (!(await isFolder(cwd))) throw noFolder(cwd);
  let denied = false;
  for (const candidate of found) {
    const { path, kind } = await candidate;
    if (kind === 'program') return [path, ...args];
    denied ||= kind === 'other';
  }
  throw denied ? notExecutable(program) : noProgram(program);
}

function searchPath({ PATH }: ExecRequest['env']): string[] {
  return (PATH || DEFAULT_PATH).split(delimiter).map((folder) => folder || '.');
}

async function lookAt(path: string): Promise<{ path: string; kind: 'program' | 'other' | 'nothing' }> {
  const [found, executable] = await Promise.all([stat(path).catch(() => undefined), canExecute(path)]);
  return { path, kind: !found ? 'nothing' : found.isFile() && executable ? 'program' : 'other' };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function canExecute(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function noFolder(cwd: string, cause?: Error): Failure {
  return new Failure('not_found', `The working directory ${cwd} does not exist.`, { cause });
}

function noProgram(program: string, cause?: Error): Failure {
  return new Failure('not_found', `The program ${program} was not found.`, {
    hint: 'Look for it with check_command_exists.',
    cause,
  });
}

function notExecutable(program: string, cause?: Error): Failure {
  return new Failure('denied', `${program} may not be run here: it is not executable.`, { cause });
}
