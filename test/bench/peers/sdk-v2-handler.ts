/** The v2 SDK's `createMcpHandler` on node:http. It asks for a server per request, whose tools are registered anew. */
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { listen } from './listen.ts';
import type { SameTool } from './same-tools.ts';

/** @param tools called for each request */
export function serveHandler(tools: () => readonly SameTool[]): void {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'sdk-v2', version: '1.0.0' });
    for (const { name, config, handle } of tools()) server.registerTool(name, config, handle);
    return server;
  });
  const handle = toNodeHandler(handler);
  listen((request, response) => {
    // Its type tells absent properties from undefined ones, which node:http does not.
    handle(request as NodeIncomingMessageLike, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
}
