/**
 * HTTP/1.1 over a bare socket, one request at a time on a connection that is kept alive. A node:http client costs
 * more than the servers under test, and would be what is measured.
 */
import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly head: string;
  /** As sent, chunk sizes included; Latin-1. */
  readonly body: string;
}

export interface RawConnection {
  /** Sends one whole request (ASCII) and waits for its whole response. */
  exchange(request: string): Promise<RawResponse>;
  close(): Promise<void>;
}

export async function openConnection(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return overSocket(socket);
}

function overSocket(socket: Socket): RawConnection {
  let received = '';
  let settle: { resolve(response: RawResponse): void; reject(error: Error): void } | undefined;
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received = received === '' ? text : received + text;
    const response = readResponse(received);
    if (!response) return;
    received = '';
    settle?.resolve(response);
  });
  const fail = (error: Error) => settle?.reject(error);
  socket.on('error', fail);
  socket.on('close', () => fail(new Error(`The server closed the connection; received: ${received.slice(0, 300)}`)));
  return {
    exchange(request) {
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
        socket.write(request, 'latin1');
      });
    },
    close() {
      settle = undefined;
      return new Promise((resolve) => {
        socket.once('close', () => resolve());
        socket.destroy();
      });
    },
  };
}

/** The response when all of it is there; there is never a second one behind it. */
function readResponse(text: string): RawResponse | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd);
  const body = text.slice(headEnd + 4);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined ? body.length < Number(length) : isCutOff(head, body)) return undefined;
  return { status: Number(head.slice(9, 12)), head, body };
}

function isCutOff(head: string, body: string): boolean {
  return /\r\ntransfer-encoding: *chunked/i.test(head) && body !== '0\r\n\r\n' && !body.endsWith('\r\n0\r\n\r\n');
}
