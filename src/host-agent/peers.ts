/** Who is at the other end of a connection, and what they may do. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SERVER_MARK } from '../backends/process-tree.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import { createKeyVerifier, type VerifyCredential } from '../identity/credential.ts';
import { createFailedAttempts } from '../identity/failed-attempts.ts';
import { createKeyLookup } from '../identity/key-lookup.ts';
import { type Principal, SCOPES } from '../identity/principal.ts';
import { peersOf } from '../transports/socket-peers.ts';
import { userName } from './accounts.ts';

/** Attempts that are refused and told of in a minute, for each address; further ones are cut short. */
const FAILED_ATTEMPTS = 20;

/** Where requests come in. */
export interface Door {
  /**
   * Who sends the request.
   * @throws Failure `denied` with `details.status` 401 or 403, or 429 with `details.retry_after_seconds`
   */
  admit(request: IncomingMessage): Promise<Principal>;
}

/** Who is let in. */
export interface DoorOptions {
  readonly settings: Pick<Config['host_agent'], 'allowed_peers' | 'tls'>;
  /** Folder of the API keys. */
  readonly keys: string;
  onRefused(reason: string, address: string): void;
}

/** The door of an agent with this configuration. */
export function createDoor({ settings, keys, onRefused }: DoorOptions): Door {
  const verify: VerifyCredential = createKeyVerifier(createKeyLookup(keys));
  const failed = createFailedAttempts();
  const local = new WeakMap<Socket, Promise<Principal>>();

  function refused(request: IncomingMessage, status: 401 | 403, reason: string): Failure {
    const address = request.socket.remoteAddress ?? 'the local socket';
    const nowMs = performance.now();
    const count = failed.count(address, nowMs);
    if (count <= FAILED_ATTEMPTS) onRefused(reason, address);
    if (count > FAILED_ATTEMPTS && status === 401) {
      return new Failure('denied', 'There were too many attempts with a bad credential from this address.', {
        details: { status: 429, retry_after_seconds: failed.secondsLeft(address, nowMs) },
      });
    }
    return new Failure('denied', reason, { details: { status } });
  }

  async function overTls(request: IncomingMessage, socket: TLSSocket): Promise<Principal> {
    const byCertificate = settings.tls.client_ca_file !== '';
    if (byCertificate && !socket.authorized)
      throw refused(request, 401, 'A certificate of a client is needed, and none that counts was sent.');
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) {
      if (!byCertificate) throw refused(request, 401, 'No credential was sent.');
      return certified(socket);
    }
    const verdict = await verify(token);
    if ('refused' in verdict) throw refused(request, 401, verdict.refused);
    return verdict.principal;
  }

  /** Looked up once for each connection. */
  function overSocket(request: IncomingMessage): Promise<Principal> {
    const { socket } = request;
    const known = local.get(socket) ?? identify(request);
    local.set(socket, known);
    return known;
  }

  async function identify(request: IncomingMessage): Promise<Principal> {
    const { uid, insideCommand } = await peerOf(request.socket);
    if (insideCommand) throw refused(request, 403, 'A command that a tool runs may not use the host agent.');
    const name = uid === undefined ? undefined : userName(uid);
    if (settings.allowed_peers.length > 0 && (name === undefined || !settings.allowed_peers.includes(name))) {
      throw refused(request, 403, `${name ?? 'Who the system does not tell'} is none of those that may use the host agent.`);
    }
    const id = uid === undefined ? 'socket' : `user:${uid}`;
    return { id, kind: 'local', name: name ?? 'socket', scopes: new Set(SCOPES) };
  }

  return {
    admit: (request) => (request.socket instanceof TLSSocket ? overTls(request, request.socket) : overSocket(request)),
  };
}

function certified(socket: TLSSocket): Principal {
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  const name = [subject.CN].flat()[0] ?? 'certificate';
  return { id: `certificate:${fingerprint256.replaceAll(':', '').toLowerCase()}`, kind: 'key', name, scopes: new Set(SCOPES) };
}

interface Peer {
  /** Effective user id; undefined where it cannot be told: without `ss`, or without the right to look at others' processes. */
  readonly uid: number | undefined;
  /** It, or what started it, carries the mark of a command. A guard rail. */
  readonly insideCommand: boolean;
}

async function peerOf(socket: Socket): Promise<Peer> {
  const pids = await peersOf(socket);
  const uids = new Set(await Promise.all(pids.map(uidOf)));
  const marked = await Promise.all(pids.map(carriesMark));
  // A connection that several users hold is nobody's in particular.
  return { uid: uids.size === 1 ? [...uids][0] : undefined, insideCommand: marked.includes(true) };
}

async function uidOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const [, effective] = /^Uid:\s+\d+\s+(\d+)/m.exec(status) ?? [];
  return effective === undefined ? undefined : Number(effective);
}

async function carriesMark(pid: number): Promise<boolean> {
  for (let each = pid; each > 1; ) {
    const environment = await readFile(`/proc/${each}/environ`, 'latin1').catch(() => '');
    if (environment.startsWith(`${SERVER_MARK}=`) || environment.includes(`\0${SERVER_MARK}=`)) return true;
    const stat = await readFile(`/proc/${each}/stat`, 'latin1').catch(() => '');
    each = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return false;
}
