/** The v1 SDK as all of its examples mount it: on the Express application it makes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { listen } from './listen.ts';
import { answer } from './sdk-v1-sessions.ts';

const app = createMcpExpressApp();
app.post('/mcp', (request: IncomingMessage & { body: unknown }, response: ServerResponse) =>
  answer(request, response, request.body),
);
listen(app);
