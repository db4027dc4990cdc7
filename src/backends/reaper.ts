/**
 * Ends every command when this process dies, however it dies. A small shell holds the reading end of a pipe whose
 * only writer is us: when the pipe ends, it kills what is in our control groups, the process groups we told it of,
 * and then whatever carries our mark.
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
  /** Folders of control groups that end with us, the one by which processes are found first. Starts the watcher. */
  own(homes: readonly string[]): void;
}

/**
 * Reads `+GROUP`, `-GROUP` and `/FOLDER` lines until its input ends; $1 is our mark. Control groups go first: they
 * hold all of their commands whatever those did, and are killed as a whole or stopped before. Then the process groups,
 * then, where there is /proc, what left its group but still carries the mark; again until nothing does, for it may be
 * forking.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT PIPE
groups=' '
homes=
while read -r line; do
  id=\${line#?}
  case $line in
    +*) groups="$groups$id " ;;
    -*) case $groups in *" $id "*) groups="\${groups%% $id *} \${groups#* $id }" ;; esac ;;
    /*) homes="$homes$line
" ;;
  esac
done
end_homes() {
  while read -r home; do
    [ -d "$home" ] || continue
    [ -f "$home/cgroup.kill" ] && echo 1 >"$home/cgroup.kill"
    freeze FROZEN
    for id in $(find "$home" -name cgroup.procs -exec cat {} +); do kill -s KILL "$id"; done
    freeze THAWED
    find "$home" -depth -type d -exec rmdir {} +
    [ -d "$home" ] && found=1
  done <<END
$homes
END
}
freeze() {
  for state in "$home"/freezer.state "$home"/*/freezer.state; do [ -f "$state" ] && echo "$1" >"$state"; done
}
end_marked() {
  for file in $(grep -lzsF "$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}" && found=1
  done
}
round=0
while [ $round -lt 100 ]; do
  found=
  end_homes
  for id in $groups; do kill -s KILL -- "-$id"; done
  groups=
  end_marked "$1"
  [ -n "$found" ] || break
  round=$((round + 1))
  sleep 0.05
done 2>/dev/null
`;

/** One for the process; it costs nothing until the first command. */
export function createReaper(): Reaper {
  const mark = randomUUID();
  let watcher: ChildProcess | undefined;
  /** What a new watcher has to be told when the one before was killed. */
  const told = new Set<string>();

  function tell(line: string) {
    watcher?.stdin?.write(`${line}\n`);
  }

  function watch() {
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
    for (const line of told) tell(line);
  }

  return {
    mark,
    watch,
    add(leader) {
      told.add(`+${leader}`);
      tell(`+${leader}`);
    },
    remove(leader) {
      told.delete(`+${leader}`);
      tell(`-${leader}`);
    },
    own(homes) {
      watch();
      for (const home of homes) told.add(home);
      for (const home of homes) tell(home);
    },
  };
}
