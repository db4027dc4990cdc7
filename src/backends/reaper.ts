/**
 * Ends every command when this process dies, however it dies. A small shell holds the reading end of a pipe whose
 * only writer is us: when the pipe ends, it kills the groups we told it of, and then whatever carries our mark.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { SERVER_MARK } from './process-tree.ts';

export interface Reaper {
  /** Value of `SERVER_MARK` for the environment of every command. */
  readonly mark: string;
  /** Starts the watcher if it does not run. Call before a command is started. */
  watch(): void;
  add(leader: number): void;
  remove(leader: number): void;
}

/**
 * Reads `+GROUP` and `-GROUP` lines until its input ends; $1 is our mark. The groups go first, then, where there
 * is /proc, what left its group but still carries the mark; again until nothing does, for it may be forking.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT PIPE
groups=' '
while read -r line; do
  id=\${line#?}
  case $line in
    +*) groups="$groups$id " ;;
    -*) case $groups in *" $id "*) groups="\${groups%% $id *} \${groups#* $id }" ;; esac ;;
  esac
done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
round=0
while [ $round -lt 40 ]; do
  found=
  for file in $(grep -lzsF "$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${file#/proc/}
    pid=\${pid%/environ}
    kill -s KILL "$pid" 2>/dev/null && found=1
  done
  [ -n "$found" ] || break
  round=$((round + 1))
  sleep 0.05
done
`;

/** One for the process; it costs nothing until the first command. */
export function createReaper(): Reaper {
  const mark = randomUUID();
  let watcher: ChildProcess | undefined;

  function tell(line: string) {
    watcher?.stdin?.write(`${line}\n`);
  }

  return {
    mark,
    watch() {
      if (watcher) return;
      const started = spawn('/bin/sh', ['-c', SCRIPT, 'mcp-python-reaper', `${SERVER_MARK}=${mark}`], {
        cwd: '/',
        detached: true,
        env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      watcher = started;
      started.unref();
      (started.stdin as unknown as { unref?(): void }).unref?.();
      started.stdin?.on('error', () => {});
      started.on('error', () => {});
      started.on('exit', () => {
        if (watcher === started) watcher = undefined;
      });
    },
    add: (leader) => tell(`+${leader}`),
    remove: (leader) => tell(`-${leader}`),
  };
}
