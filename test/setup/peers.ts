/** Programs of the system that tests work with for real. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, resolve } from 'node:path';

interface Peer {
  /** On the PATH, or an absolute path. */
  readonly command: string;
  /** Debian's names for the packages that it takes. */
  readonly apt: readonly string[];
  readonly what: string;
}

/** The C++ library, which needs the C library: what qemu has to load for a program of that machine. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu/lib/libstdc++.so.6';

const PEERS: readonly Peer[] = [
  { command: 'rg', apt: ['ripgrep'], what: 'search_files by ripgrep' },
  { command: 'git', apt: ['git'], what: 'ignore rules as git has them' },
  { command: 'bwrap', apt: ['bubblewrap'], what: 'the sandbox of native commands' },
  { command: 'curl', apt: ['curl'], what: 'the way out of the sandbox' },
  { command: 'zsh', apt: ['zsh'], what: 'completion for zsh' },
  { command: 'fish', apt: ['fish'], what: 'completion for fish' },
  { command: 'openssl', apt: ['openssl'], what: 'certificates for the host agent' },
  { command: 'ss', apt: ['iproute2'], what: 'who is at the other end of a local socket' },
  { command: 'systemd-analyze', apt: ['systemd'], what: 'the units of the services' },
  { command: 'man', apt: ['man-db'], what: 'the manual pages' },
  { command: 'shellcheck', apt: ['shellcheck'], what: 'lint of install.sh' },
  { command: 'qemu-aarch64-static', apt: ['qemu-user-static'], what: 'the executable for linux-arm64' },
  { command: ARM64_LIBRARIES, apt: ['libc6-arm64-cross', 'libstdc++6-arm64-cross'], what: 'the executable for linux-arm64' },
];

/** Whether a command is on the PATH, or an absolute path is there. */
export function isHere(command: string, path: string = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(resolve(folder, command), command.startsWith('/') ? constants.R_OK : constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether an executable for linux-arm64 can be run by qemu. */
export function canRunArm64(): boolean {
  return isHere('qemu-aarch64-static') && isHere(ARM64_LIBRARIES);
}

/**
 * Installs what is missing where that is allowed: as root, with apt.
 * @returns what is missing still, one phrase each
 */
export async function installPeers(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const missing = () => PEERS.filter(({ command }) => !isHere(command, environment.PATH));
  const wanted = missing().flatMap(({ apt }) => apt);
  if (wanted.length > 0 && process.getuid?.() === 0 && isHere('apt-get', environment.PATH)) {
    console.error(`Installing ${wanted.join(', ')}`);
    apt(['update', '--quiet'], environment);
    apt(['install', '--quiet', '--yes', '--no-install-recommends', ...wanted], environment);
  }
  return missing().map(({ command, what }) => `${command} (${what})`);
}

function apt(args: readonly string[], environment: NodeJS.ProcessEnv): void {
  const { status, stderr, error } = spawnSync('apt-get', args, {
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) console.error(`apt-get ${args[0]}: ${error?.message ?? stderr.trim()}`);
}
