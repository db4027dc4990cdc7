/** How programs in a sandbox without a network find the proxy. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FORWARDER, FORWARDER_FILE } from './forwarder.ts';
import type { NetworkProxy } from './network-proxy.ts';

export interface NetworkAccess {
  /** Arguments of bwrap. */
  readonly mounts: readonly string[];
  /** Variables for the command. */
  readonly env: Readonly<Record<string, string>>;
  /** What stands before the program in its argument vector. */
  readonly prefix: readonly string[];
}

/** In the sandbox; nobody listens there but us. */
const PORT = 3128;
const FOLDER = '/run/mcp-python';
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const SOCKET = `${FOLDER}/proxy.sock`;

/** Two things beside the command: it must not be a child of it, for some programs wait for all of theirs. */
const SCRIPT = `
ready=/dev/shm/mcp-python-forwarder
mkfifo "$ready" && (env -i NODE_NO_WARNINGS=1 $1 listen ${SOCKET} ${PORT} </dev/null >"$ready" &)
read -r _ <"$ready" || {
  echo 'mcp-python: the way to the network could not be opened, so the command was not started.' >&2
  exit 126
}
rm "$ready"
shift
exec "$@"`;

/** @param hosts those that may be reached @param env the command's own variables */
export function networkAccess(
  { socketPath }: NetworkProxy,
  hosts: readonly string[],
  env: Readonly<Record<string, string>>,
): NetworkAccess {
  const { mounts, command } = ownProgram();
  const proxy = `http://127.0.0.1:${PORT}`;
  // Loopback is the sandbox's own, unless the machine's is listed.
  const here = LOOPBACK.filter((host) => !hosts.some((entry) => entry.replace(/^\[|\](?=:|$)/g, '').startsWith(host))).join(',');
  const variables: Record<string, string> = { NODE_USE_ENV_PROXY: '1' };
  // A SOCKS address in ALL_PROXY makes Python's clients fail that lack a package for it.
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) variables[name] = variables[name.toLowerCase()] = proxy;
  for (const name of ['NO_PROXY', 'no_proxy']) variables[name] = here;
  return {
    mounts: [...mounts, '--ro-bind', socketPath, SOCKET],
    env: {
      ...variables,
      RSYNC_PROXY: `127.0.0.1:${PORT}`,
      GIT_SSH_COMMAND: env.GIT_SSH_COMMAND ?? `ssh -o ProxyCommand='${command} connect ${SOCKET} %h %p'`,
    },
    prefix: ['/bin/sh', '-c', SCRIPT, 'sh', command],
  };
}

/** Deno has no `node:sea`. */
function isExecutable(): boolean {
  return process.getBuiltinModule?.('node:sea')?.isSea() ?? false;
}

/** This program at a place where the sandbox has it wherever else it is, and the command line that starts it there. */
function ownProgram(): { mounts: string[]; command: string } {
  const program = `${FOLDER}/program`;
  const mounts = ['--ro-bind', realpathSync(process.execPath), program];
  if (isExecutable()) return { mounts, command: `${program} ${FORWARDER}` };
  const runtime = process.versions.deno === undefined ? program : `${program} run -A`;
  return {
    mounts: [...mounts, '--ro-bind', fileURLToPath(new URL('./forwarder.ts', import.meta.url)), FORWARDER_FILE],
    command: `${runtime} ${FORWARDER_FILE}`,
  };
}
