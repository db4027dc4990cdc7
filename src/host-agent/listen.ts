/** Where the host agent listens: what systemd hands over, its Unix socket, TLS. */
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { createServer, RequestListener, Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname } from 'node:path';
import { ownSocket } from '../backends/host-agent/default-socket.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import { handedOver } from '../systemd/listen-fds.ts';
import { groupId } from './accounts.ts';
import type { Agent } from './server.ts';

/** Where an agent listens. */
export interface Listening {
  /** `unix:/run/…`, `https://…`, `systemd:3`. */
  readonly places: readonly string[];
  /** Reads the certificates anew. */
  reload(settings: Config['host_agent']): Promise<void>;
  /** Takes the socket away, if it is ours. */
  leave(): void;
}

/** Bytes that a socket's path may have on every system (sockaddr_un), with the end of the string. */
const MAX_PATH_BYTES = 104;

/** @throws Failure `invalid_config`, `unavailable` */
export async function listen(agent: Agent, settings: Config['host_agent'], state: string): Promise<Listening> {
  const places: string[] = [];
  // What is wrong with them is told before anything listens.
  const certificates = settings.host === '' ? undefined : await certificatesOf(settings);
  const descriptors = handedOver();
  let leave = () => {};
  if (descriptors.length > 0) {
    for (const fd of descriptors) {
      await listening(agent.serve(), (server, done) => server.listen({ fd }, done));
      places.push(`systemd:${fd}`);
    }
  } else {
    const path = settings.socket || ownSocket(state);
    await listenOnSocket(agent.serve(), path, settings.socket_group);
    places.push(`unix:${path}`);
    leave = () => rmSync(path, { force: true });
  }
  let secure: (Server & { setSecureContext?(options: object): void }) | undefined;
  if (certificates) {
    const https = await import('node:https');
    const options = {
      ...certificates,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2' as const,
    };
    // Whose certificate does not count is told so by the door; health is for everybody.
    secure = agent.serve((listener: RequestListener) => https.createServer(options, listener) as unknown as Server);
    await listening(secure, (server, done) => server.listen(settings.port, settings.host, done));
    const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
    places.push(`https://${host}:${(secure.address() as AddressInfo).port}`);
  }
  return {
    places,
    async reload(anew) {
      if (secure) secure.setSecureContext?.({ ...(await certificatesOf(anew)), minVersion: 'TLSv1.2' });
    },
    leave,
  };
}

async function certificatesOf({ tls }: Config['host_agent']) {
  if (tls.certificate_file === '' || tls.key_file === '') {
    throw new Failure('invalid_config', 'The host agent listens on the network with TLS only, and has no certificate.', {
      hint: 'Set `host_agent.tls.certificate_file` and `host_agent.tls.key_file`, or leave `host_agent.host` empty.',
    });
  }
  const read = (path: string) =>
    readFile(path, 'utf8').catch((cause: Error) => {
      throw new Failure('invalid_config', `${path} cannot be read: ${cause.message}`, {
        hint: 'Look at `host_agent.tls`.',
        cause,
      });
    });
  const [cert, key, ca] = await Promise.all([
    read(tls.certificate_file),
    read(tls.key_file),
    tls.client_ca_file === '' ? undefined : read(tls.client_ca_file),
  ]);
  return { cert, key, ...(ca !== undefined && { ca }) };
}

async function listenOnSocket(server: ReturnType<typeof createServer>, path: string, group: string): Promise<void> {
  if (Buffer.byteLength(path) >= MAX_PATH_BYTES) {
    throw new Failure('invalid_config', `The path of the socket, ${path}, is too long for a socket.`, {
      hint: 'Set `host_agent.socket` to a shorter one.',
    });
  }
  const gid = group === '' ? undefined : groupId(group);
  if (await answers(path)) {
    throw new Failure('unavailable', `Another host agent listens on ${path}.`, {
      hint: 'Stop that one, or set `host_agent.socket`.',
    });
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  rmSync(path, { force: true });
  // Made with no rights for others, within the call.
  const before = process.umask(0o177);
  try {
    await listening(server, (each, done) => {
      each.listen(path, done);
      process.umask(before);
    });
  } finally {
    process.umask(before);
  }
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, 0o660);
}

function listening(server: Server, start: (server: Server, done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Failure('unavailable', `The host agent cannot listen: ${error.message}.`, {
          hint: 'Look at `host_agent`.',
          cause: error,
        }),
      );
    });
    start(server, resolve);
  });
}

/** Whether somebody listens there; a socket of an agent that was killed is left behind and answers nobody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
