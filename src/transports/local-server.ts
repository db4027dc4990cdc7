/** The server of this machine's user, found by programs of the same user: `server.json` and `server.sock` in the state folder. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

/** A server that answers. */
export interface LocalServer {
  readonly socketPath: string;
  /** Its MCP endpoint over TCP. */
  readonly url: string;
  readonly pid: number;
}

/** What `server.json` holds. */
export interface LocalServerRecord {
  readonly pid: number;
  /** ISO 8601. */
  readonly started: string;
  readonly url: string;
  readonly socket: string;
  readonly version: string;
}

export const RECORD_FILE = 'server.json';
export const SOCKET_FILE = 'server.sock';

/** How long a server may take to say that it is there, milliseconds. */
const ANSWER_MS = 2000;

/** @returns the running server that has the socket of this state folder; undefined when none answers */
export async function findLocalServer(stateDirectory: string): Promise<LocalServer | undefined> {
  const record = await readRecord(join(stateDirectory, RECORD_FILE));
  if (!record || !(await answers(record.socket))) return undefined;
  return { socketPath: record.socket, url: record.url, pid: record.pid };
}

async function readRecord(path: string): Promise<LocalServerRecord | undefined> {
  try {
    const record = Object(JSON.parse(await readFile(path, 'utf8')));
    const whole = typeof record.pid === 'number' && typeof record.url === 'string' && typeof record.socket === 'string';
    return whole ? record : undefined;
  } catch {
    return undefined;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request({ socketPath, path: '/mcp', method: 'OPTIONS', agent: false, timeout: ANSWER_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 204);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(false));
    asking.on('close', () => resolve(false));
    asking.end();
  });
}
