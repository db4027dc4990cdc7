/** The command that starts this program again, for files that outlive this process. */
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

export interface OwnCommand {
  /** Absolute path of the program to start. */
  readonly command: string;
  readonly args: readonly string[];
  /** Why the command may stop working, as a sentence. */
  readonly doubt?: string;
}

/** This executable, or the runtime with our entry file when we run from source. */
export async function ownCommand(): Promise<OwnCommand> {
  const command = process.execPath;
  if (await isExecutable()) return { command, args: [], ...doubtAbout(command) };
  const entry = realpathSync(resolve(process.argv[1] ?? ''));
  const args = process.versions.deno === undefined ? [entry] : ['run', '-A', entry];
  return {
    command,
    args,
    doubt: `It starts the source at ${entry}: run setup again if that moves, or install with ./install.sh.`,
  };
}

async function isExecutable(): Promise<boolean> {
  if (process.versions.deno !== undefined) return false;
  const { isSea } = await import('node:sea');
  return isSea();
}

function doubtAbout(path: string): { doubt?: string } {
  const place = path.startsWith(`${realpathSync(tmpdir())}/`)
    ? 'the temporary folder'
    : path.includes('/dist/')
      ? 'a build folder'
      : undefined;
  return place === undefined
    ? {}
    : { doubt: `It starts ${path}, which is in ${place}: install with ./install.sh and run setup from there.` };
}
