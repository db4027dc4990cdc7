/** The v1 SDK as its examples mount it: one `McpServer` and one stateful transport a session. */
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { listen, readJson } from './listen.ts';
import { sameTools } from './same-tools.ts';

const tools = await sameTools();
const sessions = new Map<string, StreamableHTTPServerTransport>();

async function open(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => {
      sessions.set(id, transport);
    },
  });
  const server = new McpServer({ name: 'sdk-v1', version: '1.0.0' });
  for (const { name, config, handle } of tools) server.registerTool(name, config, handle);
  // The class declares its callbacks as possibly undefined, which exactOptionalPropertyTypes tells from absent ones.
  await server.connect(transport as Transport);
  return transport;
}

listen((request, response) => {
  const id = request.headers['mcp-session-id'];
  const known = typeof id === 'string' ? sessions.get(id) : undefined;
  Promise.all([known ?? open(), readJson(request)])
    .then(([transport, body]) => transport.handleRequest(request, response, body))
    .catch((thrown: unknown) => response.destroy(thrown as Error));
});
