/** Whether `serve` can listen where it is configured to, or already does. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/schema.ts';
import { createKeyLookup } from '../../identity/key-lookup.ts';
import { keysFolder } from '../../identity/key-record.ts';
import { stateFolder } from '../../state/folders.ts';
import { isLoopback } from '../../transports/http-origin.ts';
import { VERSION } from '../../version.ts';
import { type Check, fail, ok, warn } from './check.ts';

const NAME = 'port';
const ANSWER_WITHIN_MS = 2000;

export async function checkPort({ server, state }: Config): Promise<Check> {
  const { mcp_http_host: host, mcp_http_port: port } = server;
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (!isLoopback(host) && createKeyLookup(keysFolder(stateFolder(state.directory))).countUsable() === 0) {
    return fail(
      NAME,
      `\`serve\` refuses ${place}: there is no API key, so anyone who reaches it could run commands`,
      'Make a key with `mcp-python keys create`, or set `server.mcp_http_host` to 127.0.0.1 or ::1.',
    );
  }
  const error = await tryToListen(host, port);
  if (error === undefined) return ok(NAME, port === 0 ? `any free one on ${host}` : `${place} is free`);
  if (error.code === 'EADDRINUSE') {
    const name = await whoAnswers(`http://${place}/mcp`);
    if (name === 'mcp-python') return ok(NAME, `mcp-python answers at http://${place}/mcp`);
    return warn(
      NAME,
      `${place} is used by ${name === undefined ? 'another program' : `another MCP server, ${name}`}`,
      'Start `mcp-python serve --port 0`, or set `server.mcp_http_port`. stdio clients do not need it.',
    );
  }
  if (error.code === 'EACCES') return fail(NAME, `${place} may not be used by this user`, 'Use a port from 1024 on.');
  return fail(NAME, `cannot listen on ${place}: ${error.message}`, 'Set `server.mcp_http_host` to 127.0.0.1 or ::1.');
}

async function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** The name of the MCP server at a URL, asked the stateless way so that no session is left behind. */
async function whoAnswers(url: string): Promise<string | undefined> {
  const request = {
    jsonrpc: '2.0',
    id: 1,
    method: 'server/discover',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'mcp-python', version: VERSION },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': request.method,
        connection: 'close',
      },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    // One that asks for a key says no more of itself.
    if (response.headers.get('www-authenticate')?.includes('realm="mcp-python"')) return 'mcp-python';
    const answer = (await response.json()) as { result?: { _meta?: Record<string, { name?: unknown }> } };
    const name = answer.result?._meta?.['io.modelcontextprotocol/serverInfo']?.name;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
