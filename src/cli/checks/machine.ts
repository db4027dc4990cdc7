/** Checks of the machine we run on: runtime, limits, programs we use when they are there. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Check, fail, ok, warn } from './check.ts';

/** The oldest Node that runs our source; the executable brings its own. */
const OLDEST_NODE = 24;

export function checkRuntime(): Check {
  const { deno, node } = process.versions;
  const found = `${deno === undefined ? `Node ${node}` : `Deno ${deno}`} on ${process.platform}-${process.arch}`;
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    return fail('runtime', `${found}: commands and process trees are only handled on Linux and macOS`, 'Run it on one of these.');
  }
  if (deno === undefined && Number(node.split('.')[0]) < OLDEST_NODE) {
    return fail('runtime', `${found} is too old`, `Use Node ${OLDEST_NODE} or newer, or the executable, which brings its own.`);
  }
  if (process.platform === 'darwin') {
    return warn('runtime', `${found}: the tests run on Linux only`, 'Tell us what does not work here.');
  }
  return ok('runtime', found);
}

/** Descriptors beside those of sessions: files, pipes of running commands, the runtime itself. */
const SPARE_FILES = 512;

/** @param sessions `server.max_sessions`: each may hold a connection open */
export async function checkOpenFiles(sessions: number): Promise<Check> {
  const name = 'open files';
  const limit = await openFileLimit();
  if (limit === undefined) return warn(name, 'the limit cannot be read', 'See `ulimit -n` in the shell that starts the server.');
  if (limit === Number.POSITIVE_INFINITY) return ok(name, 'no limit');
  const wanted = sessions + SPARE_FILES;
  if (limit >= wanted) return ok(name, `at most ${limit}`);
  return warn(
    name,
    `at most ${limit}, and ${sessions} sessions may need ${wanted}`,
    `Raise it with \`ulimit -n ${wanted}\`, or lower \`server.max_sessions\`.`,
  );
}

async function openFileLimit(): Promise<number | undefined> {
  try {
    const text =
      process.platform === 'linux'
        ? /^Max open files\s+(\S+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1]
        : (await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n'])).stdout.trim();
    if (text === 'unlimited') return Number.POSITIVE_INFINITY;
    return text ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** @param which absolute path of the program that a name would run, or null */
export async function checkPrograms(which: (name: string) => Promise<string | null>): Promise<Check[]> {
  const [ripgrep, git] = await Promise.all([which('rg'), which('git')]);
  return [
    ripgrep
      ? ok('ripgrep', ripgrep)
      : warn('ripgrep', 'not found: search_files gives the same answers, slower on large folders', 'Install ripgrep (rg).'),
    git ? ok('git', git) : warn('git', 'not found: commands that use it fail', 'Install git.'),
  ];
}
