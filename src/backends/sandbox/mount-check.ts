/**
 * Looks, inside the sandbox and before the command starts, whether every mount in a folder that may be written is
 * where it was meant to be. Another command that runs there could otherwise put a link in its place between our look
 * and the mount, and be given the folder that it leads to.
 */
import { accessSync, constants, statSync } from 'node:fs';

/** Exit status when it is not; shells use it for what is there and cannot be run. */
const REFUSED = 126;
const REFUSAL = 'mcp-python: the folder was changed while the sandbox was made, so the command was not started. Try again.';

/** Whether a command was not started, for what was found was not what had been mounted. */
export function wasRefused(exitCode: number | null, stderr: Uint8Array): boolean {
  // A shell may have said before what it could not open.
  return exitCode === REFUSED && Buffer.from(stderr).toString('latin1').endsWith(`${REFUSAL}\n`);
}

/**
 * Pairs of a path and what is there, `device` or an inode's number, `0` for any; then `--` and the program with its
 * arguments. A mount tells itself by another number than its parent's (proc_pid_fdinfo(5); inodes since Linux 5.14).
 * Only built-in commands, for it runs before every command. Without `command` a shell ends where `exec` cannot open.
 */
const SCRIPT = `
refuse() {
  echo '${REFUSAL}' >&2
  exit ${REFUSED}
}
identify() {
  mount= inode=
  command exec 9<"$1" || refuse
  while read -r key value; do
    case $key in mnt_id:) mount=$value ;; ino:) inode=$value ;; esac
  done </proc/self/fdinfo/9
  exec 9<&-
}
while [ "$1" != -- ]; do
  [ ! -L "$1" ] || refuse
  case $2 in
    device) [ -c "$1" ] || refuse ;;
    *)
      identify "\${1%/*}/"
      outer=$mount
      identify "$1"
      [ "$mount" != "$outer" ] || refuse
      [ "$2" = 0 ] || [ "\${inode:-$2}" = "$2" ] || refuse
      ;;
  esac
  shift 2
done
shift
exec "$@"`;

export interface Sealed {
  readonly path: string;
  /** Mounted over itself, or with an empty folder or a device over it. */
  readonly by: 'itself' | 'folder' | 'device';
}

/** @returns what stands before the program in its argument vector */
export function mountCheck(sealed: readonly Sealed[]): string[] {
  const pairs = sealed
    .filter(({ path, by }) => by === 'device' || isReadable(path))
    .flatMap((each) => [each.path, identity(each)]);
  return pairs.length === 0 ? [] : ['/bin/sh', '-c', SCRIPT, 'sh', ...pairs, '--'];
}

function identity({ path, by }: Sealed): string {
  if (by === 'device') return by;
  return by === 'folder' ? '0' : String(statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0);
}

/** What we cannot open the command cannot either. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
