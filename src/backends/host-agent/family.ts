/** The host agents of the configuration as backends: `host_agent`, `host_agent:NAME`. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { HostAgentEntry } from '../../config/host-agent-section.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { Failure } from '../../errors.ts';
import type { Backend, BackendFamily } from '../backend.ts';
import { ownSocket, SYSTEM_SOCKET } from './default-socket.ts';
import { createHostAgentBackend } from './host-agent-backend.ts';
import type { HostAgentTarget, TlsTarget } from './http-channel.ts';

const KIND = 'host_agent';

/**
 * @param agents of the configuration; where there are none, the agent of this machine at its usual socket
 * @param state the state folder
 */
export function createHostAgentFamily(agents: readonly HostAgentEntry[], state: string): BackendFamily {
  const backends = new Map<string, Backend>();

  function find(target: string | undefined): HostAgentTarget {
    if (target === undefined && agents.length === 0) {
      const own = ownSocket(state);
      return { name: KIND, socketPath: existsSync(own) ? own : SYSTEM_SOCKET };
    }
    const entry = target === undefined ? agents[0] : agents.find(({ name }) => name === target);
    if (!entry) throw unknown(target ?? '', agents);
    return targetOf(entry);
  }

  return {
    async open(target) {
      const found = find(target);
      const backend = backends.get(found.name) ?? createHostAgentBackend(found);
      backends.set(found.name, backend);
      return backend;
    },
    targets: () => agents.map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      for (const backend of backends.values()) await backend[Symbol.asyncDispose]();
    },
  };
}

function targetOf({ name, socket, url, user, ...files }: HostAgentEntry): HostAgentTarget {
  const full = `${KIND}:${name}`;
  const asUser = user !== undefined && { user };
  if (socket !== undefined && url === undefined) return { name: full, socketPath: socket, ...asUser };
  if (url === undefined || socket !== undefined) {
    throw new Failure('not_configured', `The host agent "${name}" needs either \`socket\` or \`url\`.`, {
      hint: 'Set one of them in its entry of `host_agents`.',
    });
  }
  return { name: full, tls: tlsOf(url, files), ...asUser };
}

function tlsOf(url: string, files: Omit<HostAgentEntry, 'name' | 'url' | 'socket' | 'user'>): TlsTarget {
  const { hostname, port } = new URL(url);
  const { token_file, ca_file, certificate_file, key_file, server_name } = files;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 443),
    ...(server_name !== undefined && { serverName: server_name }),
    ...(token_file !== undefined && { token: async () => (await readText(token_file)).trim() }),
    async certificates() {
      return {
        ...(ca_file !== undefined && { ca: await readText(ca_file) }),
        ...(certificate_file !== undefined && { cert: await readText(certificate_file) }),
        ...(key_file !== undefined && { key: await readText(key_file) }),
      };
    },
  };
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: Error) => {
    throw new Failure('not_configured', `${path} cannot be read: ${cause.message}`, {
      hint: 'Look at `host_agents` in the configuration.',
      cause,
    });
  });
}

function unknown(target: string, agents: readonly HostAgentEntry[]): Failure {
  const names = agents.map(({ name }) => name);
  const near = nearestName(target, names);
  return new Failure('not_found', `There is no host agent named "${target}".`, {
    hint: near
      ? `Did you mean "${KIND}:${near}"?`
      : `Agents in \`host_agents\`: ${names.join(', ') || 'none; `host_agent` is the one of this machine'}.`,
  });
}
