/** Whether this machine has bubblewrap, and lets it work. */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Sandbox {
  /** `0.8.0`. */
  readonly version: string;
  /** Absolute. */
  readonly path: string;
  /** Further arguments that work here and not everywhere. */
  readonly extra: readonly string[];
}

export interface NoSandbox {
  /** One sentence or two: why there is none, and what to do. */
  readonly reason: string;
}

/** Where systems install it. Never the caller's PATH: what stands in for bwrap there would run outside any sandbox. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];
/** For every command: nothing of the machine's processes, names and memory, and no way to more rights. */
export const ISOLATION: readonly string[] = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--cap-drop', 'ALL', '--die-with-parent', '--new-session'],
];
const TRY_FOR_MS = 10_000;

let answer: Promise<Sandbox | NoSandbox> | undefined;

/** Tries it once for the life of the process: new namespaces may be forbidden although it is installed. */
export function findSandbox(): Promise<Sandbox | NoSandbox> {
  answer ??= look();
  return answer;
}

async function look(): Promise<Sandbox | NoSandbox> {
  if (process.platform !== 'linux') return { reason: 'bubblewrap works on Linux only.' };
  const path = FOLDERS.map((folder) => join(folder, 'bwrap')).find(isTrustworthy);
  if (path === undefined) return { reason: `bubblewrap is not installed. Run \`${installCommand()}\`.` };
  // Without new user namespaces in the sandbox a command reaches far less of the kernel; bubblewrap before 0.8 has no say in it.
  for (const extra of [['--disable-userns'], []]) {
    const { output, error } = await tryOut(path, extra);
    if (error === undefined) return { version: /\d+(?:\.\d+)+/.exec(output)?.[0] ?? 'of unknown version', path, extra };
    if (extra.length === 0) return { reason: `${path} does not work here: ${error}. ${remedy(error, path)}` };
  }
  return { reason: `${path} does not work here.` };
}

/** Runs bwrap in a sandbox that is made as those of commands are. */
function tryOut(path: string, extra: readonly string[]): Promise<{ output: string; error: string | undefined }> {
  const args = [...ISOLATION, '--unshare-net', ...extra, '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'];
  return new Promise((resolve) => {
    execFile(path, [...args, '--', path, '--version'], { env: {}, timeout: TRY_FOR_MS }, (failure, output, told) => {
      const lines = told.trim().split('\n');
      resolve({ output, error: failure ? lines.at(-1)?.replace(/^bwrap: /, '') || failure.message : undefined });
    });
  });
}

/** The owner of the machine put it there and nobody else, we included unless we are root, can change it. */
function isTrustworthy(path: string): boolean {
  try {
    const file = statSync(path);
    return file.isFile() && (file.mode & 0o111) !== 0 && [file, statSync(dirname(path))].every(isRoots);
  } catch {
    return false;
  }
}

/** Root's files are nobody's where root has no place in our user namespace. */
function isRoots({ uid, mode }: { uid: number; mode: number }): boolean {
  const foreign = uid === 0 || (uid === NOBODY && process.getuid?.() !== NOBODY);
  return foreign && (mode & 0o002) === 0;
}

const NOBODY = 65_534;

/** What to change, as far as the system tells why it refused. */
function remedy(error: string, path: string): string {
  if (inContainer()) {
    return 'Start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`, or run mcp-python outside of it.';
  }
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return `AppArmor keeps users from making namespaces: give ${path} a profile with \`userns,\` (Ubuntu: \`apt-get install apparmor-profiles\`, bwrap-userns-restrict), or run \`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\`.`;
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') return 'Run `sysctl -w kernel.unprivileged_userns_clone=1`.';
  if (setting('user/max_user_namespaces') === '0') return 'Run `sysctl -w user.max_user_namespaces=10000`.';
  return /permi|permitted|denied/i.test(error)
    ? 'The system keeps this user from making namespaces; see `man 7 user_namespaces`.'
    : `Try \`${path} --ro-bind / / true\`.`;
}

function setting(name: string): string | undefined {
  return text(`/proc/sys/${name}`)?.trim();
}

function inContainer(): boolean {
  return (
    ['/.dockerenv', '/run/.containerenv'].some((path) => statSync(path, { throwIfNoEntry: false })) ||
    process.env.container !== undefined
  );
}

/** By the names in os-release(5). */
const INSTALL: readonly (readonly [RegExp, string])[] = [
  [/\b(?:debian|ubuntu)\b/, 'apt-get install bubblewrap'],
  [/\b(?:fedora|rhel|centos)\b/, 'dnf install bubblewrap'],
  [/\balpine\b/, 'apk add bubblewrap'],
  [/\barch\b/, 'pacman -S bubblewrap'],
  [/\bsuse\b/, 'zypper install bubblewrap'],
  [/\bnixos\b/, 'nix-env -iA nixos.bubblewrap'],
];

function installCommand(): string {
  const release = text('/etc/os-release') ?? '';
  const names = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].map(([, name]) => name).join(' ');
  return INSTALL.find(([system]) => system.test(names))?.[1] ?? 'apt-get install bubblewrap';
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
