/** The client libraries of MCP behind one small face, so that each can be put to the same questions. */
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

export interface Target {
  /** `serve` at this URL. */
  readonly url?: string;
  /** `stdio`, started with this command. */
  readonly stdio?: {
    readonly command: string;
    readonly args: string[];
    readonly env: Record<string, string>;
    readonly cwd: string;
  };
}

interface CallOptions {
  onprogress?(update: { progress: number; total?: number | undefined }): void;
  readonly signal?: AbortSignal;
}

/** What the tests ask of a client; results are as its library returns them. */
export interface ConnectedClient extends AsyncDisposable {
  /** The MCP revision that was settled. */
  readonly version: string | undefined;
  readonly serverName: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the libraries' types differ; tests look into results by matching
  call(name: string, values?: Record<string, unknown>, options?: CallOptions): Promise<any>;
  tools(): Promise<{ name: string; inputSchema: object; outputSchema?: object | undefined }[]>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  read(uri: string): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  prompt(name: string, values?: Record<string, string>): Promise<any>;
  complete(prompt: string, argument: string, value: string): Promise<string[]>;
  /** How often the server said that the list of tools changed. */
  readonly toolChanges: number;
}

export interface ClientLibrary {
  readonly name: string;
  /** The revision it settles on with us. */
  readonly settles: string;
  connect(target: Target): Promise<ConnectedClient>;
}

const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const INFO = { name: 'test', version: '1' };
/** How every client answers. */
const FORM = { action: 'accept' as const, content: { username: 'ann', email: 'ann@example.org', name: 'Ann' } };
const REPLY = { role: 'assistant' as const, content: { type: 'text' as const, text: 'pong' }, model: 'none' };
const ROOTS = { roots: [{ uri: 'file:///work', name: 'work' }] };

const v1: ClientLibrary = {
  name: '@modelcontextprotocol/sdk 1',
  settles: '2025-11-25',
  async connect({ url, stdio }) {
    const client = new ClientV1(INFO, { capabilities: CAPABILITIES });
    let toolChanges = 0;
    client.setRequestHandler(ElicitRequestSchema, async () => FORM);
    client.setRequestHandler(CreateMessageRequestSchema, async () => REPLY);
    client.setRequestHandler(ListRootsRequestSchema, async () => ROOTS);
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void toolChanges++);
    const http = url ? new HttpV1(new URL(url)) : undefined;
    const transport: Transport = http ?? new StdioV1({ ...(stdio as NonNullable<typeof stdio>), stderr: 'ignore' });
    // The only place where this library tells the settled revision.
    let version: string | undefined;
    const settle = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (told) => {
      version = told;
      settle?.(told);
    };
    await client.connect(transport);
    return {
      version,
      serverName: client.getServerVersion()?.name,
      get toolChanges() {
        return toolChanges;
      },
      call: (name, values = {}, options) => client.callTool({ name, arguments: values }, undefined, options),
      tools: async () => (await client.listTools()).tools,
      read: (uri) => client.readResource({ uri }),
      prompt: (name, values) => client.getPrompt({ name, arguments: values }),
      complete: async (name, argument, value) =>
        (await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } })).completion.values,
      async [Symbol.asyncDispose]() {
        await http?.terminateSession();
        await client.close();
      },
    };
  },
};

function v2(name: string, mode: 'auto' | 'legacy' | { pin: string }, settles: string): ClientLibrary {
  return {
    name: `@modelcontextprotocol/client 2, ${name}`,
    settles,
    async connect({ url, stdio }) {
      let toolChanges = 0;
      const client = new ClientV2(INFO, {
        capabilities: CAPABILITIES,
        versionNegotiation: { mode },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => void toolChanges++ } },
      });
      client.setRequestHandler('elicitation/create', async () => FORM);
      client.setRequestHandler('sampling/createMessage', async () => REPLY);
      client.setRequestHandler('roots/list', async () => ROOTS);
      const http = url ? new HttpV2(new URL(url)) : undefined;
      await client.connect(http ?? new StdioV2({ ...(stdio as NonNullable<typeof stdio>), stderr: 'ignore' }));
      return {
        version: client.getNegotiatedProtocolVersion(),
        serverName: client.getServerVersion()?.name,
        get toolChanges() {
          return toolChanges;
        },
        call: (tool, values = {}, options) => client.callTool({ name: tool, arguments: values }, options),
        tools: async () => (await client.listTools()).tools,
        read: (uri) => client.readResource({ uri }),
        prompt: (prompt, values) => client.getPrompt({ name: prompt, arguments: values }),
        complete: async (prompt, argument, value) =>
          (await client.complete({ ref: { type: 'ref/prompt', name: prompt }, argument: { name: argument, value } })).completion
            .values,
        async [Symbol.asyncDispose]() {
          await http?.terminateSession();
          await client.close();
        },
      };
    },
  };
}

export const LIBRARIES: readonly ClientLibrary[] = [
  v1,
  v2('legacy', 'legacy', '2025-11-25'),
  v2('auto', 'auto', '2026-07-28'),
  v2('pinned', { pin: '2026-07-28' }, '2026-07-28'),
];
