/** The least a JSON-RPC server on node:http can do: parse, look at the method, answer. Checks nothing. */
import { randomUUID } from 'node:crypto';
import { listen } from './listen.ts';

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly arguments: { readonly text: string }; readonly protocolVersion: string };
}

listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as Message;
    if (id === undefined) {
      response.writeHead(202, { 'content-length': 0 }).end();
      return;
    }
    const opens = method === 'initialize';
    const result = opens
      ? { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'bare', version: '1.0.0' } }
      : { content: [{ type: 'text', text: params?.arguments.text }] };
    const body = JSON.stringify({ jsonrpc: '2.0', id, result });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(opens && { 'mcp-session-id': randomUUID() }),
    });
    response.end(body);
  });
});
