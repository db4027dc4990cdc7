/** Native commands in a sandbox of bubblewrap (bwrap(1)). */
import { homedir } from 'node:os';
import { Failure } from '../../errors.ts';
import type { Confinement } from '../backend.ts';
import { ISOLATION, type Sandbox } from './find-sandbox.ts';
import { mountCheck } from './mount-check.ts';
import { planMounts } from './mounts.ts';
import { networkAccess } from './network-access.ts';
import type { NetworkProxy } from './network-proxy.ts';
import { occupy, removeFiles } from './placeholders.ts';

export interface SandboxOptions {
  /** Absolute working directory. */
  readonly cwd: string;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** The way to the hosts that the confinement lists; without it, none of them can be reached. */
  readonly proxy?: NetworkProxy;
  /** A descriptor that bwrap inherits, on which it tells how the program ended (bwrap(1), `--json-status-fd`): nothing when it never ran. */
  readonly statusFd?: number;
}

export interface SandboxedCommand {
  /** What to run: the program's own argument vector follows, its first word a path or a name on the PATH. */
  readonly argv: readonly string[];
  /** The environment to start it with. Not in `argv`, which everybody on the machine can read. */
  readonly env: Readonly<Record<string, string>>;
  /** Call once, when the command has ended: removes what kept places from being filled. */
  release(): void;
}

/**
 * Variables by which the loader and the C library run other code. In the environment of bwrap itself they would do so
 * outside the sandbox, so they are set within.
 */
const LOADER_VARIABLE =
  /^(?:LD_|MALLOC_|MUSL_)|^(?:GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|HOSTALIASES|LOCALDOMAIN|LOCPATH|NLSPATH|RES_OPTIONS|TZDIR)$/;

/** What bwrap says when something that it was to mount, or to mount over, was gone or in the way by then. */
const PASSING = /^bwrap: (?:Can't (?:create file|mkdir|find source path|bind mount|mount|get type of source|remount)|Unable to)/m;

/**
 * Whether the sandbox could not be made for a reason that may have passed: files and sockets come and go between our
 * look and the mount. Another try is worth it, with a plan of its own.
 * @param stderr of what ended before the command began
 */
export function isPassing(stderr: string): boolean {
  return PASSING.test(stderr);
}

/**
 * A new user namespace with the same user in it and no capability at all: root, too, can then only do what the owner
 * of its files can. Files of others show as `nobody`'s.
 * @throws Failure `denied` for a working directory that cannot be seen in the sandbox
 */
export function enterSandbox(sandbox: Sandbox, confinement: Confinement, options: SandboxOptions): SandboxedCommand {
  const { cwd, proxy, statusFd } = options;
  const access =
    proxy && typeof confinement.network !== 'string' ? networkAccess(proxy, confinement.network, options.env) : undefined;
  const env = { ...options.env, ...access?.env };
  const mounts = planMounts(confinement, env, env.HOME || homedir());
  if (!mounts.sees(cwd) && cwd !== '/' && cwd !== '/tmp') {
    throw new Failure('denied', `The working directory ${cwd} cannot be seen in the sandbox.`, {
      hint: 'Work in a folder that commands may read.',
    });
  }
  const loader = Object.entries(env).filter(([name]) => LOADER_VARIABLE.test(name));
  const argv = [
    sandbox.path,
    ...(confinement.network === 'all' ? [] : ['--unshare-net']),
    ...ISOLATION,
    ...sandbox.extra,
    ...mounts.args,
    ...(access?.mounts ?? []),
    ...loader.flatMap(([name, value]) => ['--setenv', name, value]),
    ...(statusFd === undefined ? [] : ['--json-status-fd', String(statusFd)]),
    ...['--chdir', cwd, '--'],
  ];
  const leave = occupy(mounts.places);
  const release = () => {
    leave();
    removeFiles(mounts.removed);
  };
  return {
    // Now that what was missing is there.
    argv: [...argv, ...mountCheck(mounts.sealed), ...(access?.prefix ?? [])],
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !LOADER_VARIABLE.test(name))),
    release,
  };
}
