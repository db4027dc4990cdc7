/**
 * Runs inside a sandbox that has no network, as a program of its own: what listens on loopback there, and what
 * connects one `ssh` to a host, both through the proxy's socket. It imports nothing of ours, for from source this
 * file alone is mounted there.
 */
import { connect, createServer, type Socket } from 'node:net';
import process from 'node:process';

/** First word of the command line that makes the executable a forwarder. */
export const FORWARDER = 'sandbox-forwarder';

/** Where this file is in a sandbox of a program that runs from source. */
export const FORWARDER_FILE = '/run/mcp-python/forwarder.mts';

/**
 * `listen SOCKET PORT`: passes connections to 127.0.0.1:PORT on to SOCKET; prints a line when it listens.
 * `connect SOCKET HOST PORT`: connects standard input and output to a host.
 */
export function forward([operation, socketPath = '', ...rest]: readonly string[]): void {
  if (operation === 'listen') listen(socketPath, Number(rest[0]));
  else reach(socketPath, `${rest[0]}:${rest[1]}`);
}

/** How the proxy begins its refusals. Most programs show a number instead of the reason, so it is told beside them, once. */
const REFUSED = /^HTTP\/1\.1 403 (Commands may not reach [^\r\n]*)\r\n/;

function listen(socketPath: string, port: number): void {
  const told = new Set<string>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const proxy = connect({ path: socketPath, allowHalfOpen: true });
    join(client, proxy);
    // Only the first answer can be the proxy's own.
    proxy.once('data', (answer: Buffer) => {
      const reason = REFUSED.exec(answer.toString('latin1', 0, 1000))?.[1];
      if (reason === undefined || told.has(reason)) return;
      told.add(reason);
      process.stderr.write(`mcp-python: ${reason}\n`);
    });
    client.pipe(proxy);
    proxy.pipe(client);
  });
  server.listen(port, '127.0.0.1', () => process.stdout.write('listening\n'));
}

function reach(socketPath: string, host: string): void {
  const proxy = connect({ path: socketPath, allowHalfOpen: true });
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    proxy.off('data', onData);
    const [, status, reason] = /^HTTP\/1\.\d (\d+) ?(.*)\r/.exec(head.toString('latin1')) ?? [];
    if (status !== '200') {
      process.stderr.write(`${reason || 'The proxy refused.'}\n`);
      process.exit(1);
    }
    process.stdout.write(head.subarray(end + 4));
    proxy.pipe(process.stdout);
    process.stdin.pipe(proxy);
  };
  proxy.on('data', onData);
  proxy.on('close', () => process.exit());
  proxy.on('error', () => process.exit(1));
  proxy.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

/** One that breaks off takes the other with it. */
function join(one: Socket, other: Socket): void {
  for (const [mine, theirs] of [
    [one, other],
    [other, one],
  ] as const) {
    mine.on('error', () => theirs.destroy());
    mine.on('close', () => (mine.readableEnded ? theirs.end() : theirs.destroy()));
  }
}

if (process.argv[1] === FORWARDER_FILE) forward(process.argv.slice(2));
