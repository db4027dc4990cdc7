/** Processes that were started below a folder, by whomever, and still live (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** How long what is ending may take, milliseconds. */
const ENDING_MS = 5000;

/** Those that are left after a while: whose working directory, environment or arguments are about the folder. */
export async function leftovers(folder: string): Promise<Leftover[]> {
  const untilMs = performance.now() + ENDING_MS;
  let found = look(folder);
  while (found.length > 0 && performance.now() < untilMs) {
    await sleep(100);
    found = look(folder);
  }
  return found;
}

function look(folder: string): Leftover[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const command = read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      // Sandboxes of others name our sockets too, as what is hidden in them; those of ours have it in their environment.
      const words = /^\S*bwrap /.test(command) ? '' : command;
      const about = [words, read(`/proc/${name}/environ`), workingDirectory(name)];
      return about.some((text) => text.includes(folder)) ? [{ pid: Number(name), command }] : [];
    });
}

/** Empty for what has ended meanwhile, or is somebody else's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
