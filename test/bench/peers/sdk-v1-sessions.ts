/** Sessions of the v1 SDK as its examples keep them: one `McpServer` and one stateful transport each. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { toolMaker } from './same-tools.ts';

const makeTools = await toolMaker();
const sessions = new Map<string, StreamableHTTPServerTransport>();

async function open(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => {
      sessions.set(id, transport);
    },
  });
  const server = new McpServer({ name: 'sdk-v1', version: '1.0.0' });
  for (const { name, config, handle } of makeTools()) server.registerTool(name, config, handle);
  // The class declares its callbacks as possibly undefined, which exactOptionalPropertyTypes tells from absent ones.
  await server.connect(transport as Transport);
  return transport;
}

/** Answers a request whose body was parsed. */
export async function answer(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
  const id = request.headers['mcp-session-id'];
  const transport = (typeof id === 'string' ? sessions.get(id) : undefined) ?? (await open());
  await transport.handleRequest(request, response, body);
}
