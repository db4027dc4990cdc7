/**
 * MCP without a wire and without an era: tools, resources, prompts and completion.
 *
 * The two front ends (sessions-era.ts and stateless-era.ts) read requests, call `handle`, and dress the result in
 * their revision's words.
 */
import { Failure } from '../errors.ts';
import type { Orchestrator, ToolOutcome } from '../orchestrator/orchestrator.ts';
import { ReceivedOutcome, toolResult } from '../orchestrator/received-outcome.ts';
import type { Caller } from '../orchestrator/tool-run.ts';
import { redactor } from '../redaction/process-redactor.ts';
import type { Catalogue, CatalogueChange } from '../tools/catalogue.ts';
import type { AnyTool, JsonObject } from '../tools/tool.ts';
import { callWishes } from './call-wishes.ts';
import { complete } from './completion.ts';
import { ERROR_CODES, invalidParams, ProtocolError, SerializedResult } from './jsonrpc.ts';
import type { McpTasks, McpTasksOptions } from './mcp-tasks.ts';
import { objectParam, page, stringParam, stringsParam } from './params.ts';
import { readResource } from './resource-reading.ts';
import { describeTool } from './tool-description.ts';

export interface Implementation {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

/** One request as the service sees it. */
export interface Invocation extends Caller {
  readonly method: string;
  readonly params: JsonObject;
  /** Whether tools say in `tools/list` that they can run as tasks (MCP 2025-11-25). */
  readonly withExecution?: boolean;
}

export interface McpService {
  readonly serverInfo: Implementation;
  /** Guidance for models, told at `initialize` and `server/discover`. */
  readonly instructions: string;
  readonly catalogue: Catalogue;
  /** Capabilities common to both eras. */
  capabilities(): JsonObject;
  /**
   * Answers one of the methods both eras share; undefined when the method is not among them.
   * @throws ProtocolError for what the protocol itself refuses.
   */
  handle(invocation: Invocation): Promise<JsonObject | SerializedResult> | undefined;
  /**
   * JSON of the properties of `tools/list`'s first page, made once and kept until the catalogue changes.
   * @param withExecution whether tools say that they can run as tasks (MCP 2025-11-25)
   */
  toolsListJson(withExecution?: boolean): Promise<string>;
  /** Input schema of a tool as clients see it. */
  inputSchema(tool: string): Promise<JsonObject | undefined>;
  onChange(listener: (change: CatalogueChange) => void): () => void;
  /** A tool by its name; undefined for anything that is none. */
  knownTool(name: unknown): Promise<AnyTool | undefined>;
  /** Whether calls can become durable tasks. */
  readonly offersTasks: boolean;
  /** Calls as durable tasks, loaded and opened with the first of them; only where they are offered. */
  tasks(): Promise<McpTasks>;
}

/** Entries in one page of a list; larger than any catalogue of ours, so that clients that never page see all. */
const PAGE_SIZE = 200;

/** A resource that does not exist; its code differs between the eras. */
export class UnknownResource extends ProtocolError {
  constructor(uri: string) {
    super(ERROR_CODES.invalidParams, `There is no resource "${uri}".`, { uri });
  }
}

export interface ServiceOptions {
  readonly serverInfo: Implementation;
  readonly instructions: string;
  readonly catalogue: Catalogue;
  readonly orchestrator: Orchestrator;
  /** Absent: calls are never tasks. */
  readonly tasks?: McpTasksOptions;
}

export function createService({ serverInfo, instructions, catalogue, orchestrator, tasks }: ServiceOptions): McpService {
  const plain = createToolLists(catalogue, false);
  const withExecution = createToolLists(catalogue, true);
  let opening: Promise<McpTasks> | undefined;

  async function callTool(invocation: Invocation): Promise<JsonObject | SerializedResult> {
    const name = stringParam(invocation.params, 'name');
    const values = objectParam(invocation.params, 'arguments');
    const wishes = callWishes(invocation.params);
    if (!catalogue.hasTool(name)) {
      await catalogue.tool(name).catch((failure: Failure) => {
        throw invalidParams(`Unknown tool: ${failure.message}${failure.hint ? ` ${failure.hint}` : ''}`);
      });
    }
    try {
      return resultOf(await orchestrator.call({ tool: name, arguments: values, ...wishes }, invocation));
    } catch (thrown) {
      throw thrown instanceof Failure ? new ProtocolError(ERROR_CODES.internal, thrown.message, thrown.details) : thrown;
    }
  }

  async function getPrompt({ params, ask, signal }: Invocation): Promise<JsonObject> {
    const name = stringParam(params, 'name');
    const values = stringsParam(params, 'arguments');
    const prompt = catalogue.prompts.get(name);
    if (!prompt) throw invalidParams(`There is no prompt named "${name}".`);
    const missing = prompt.arguments.filter((each) => each.required && values[each.name] === undefined).map((each) => each.name);
    if (missing.length > 0) throw invalidParams(`The prompt "${name}" needs: ${missing.join(', ')}.`);
    // Plug-ins make prompts too, of whatever they read.
    const messages = redactor.json(await prompt.render(values, { ask, signal }));
    return { description: prompt.description, messages };
  }

  const methods: Record<string, (invocation: Invocation) => Promise<JsonObject | SerializedResult>> = {
    'tools/list': ({ params, withExecution: told }) => (told ? withExecution : plain).page(params.cursor),
    'tools/call': callTool,
    'resources/list': async ({ params }) => {
      const all = [...catalogue.resources.values()].map(({ read, scope: _, ...told }) => told);
      const { items, ...rest } = page(all, params.cursor, PAGE_SIZE);
      return { resources: items, ...rest };
    },
    'resources/templates/list': async ({ params }) => {
      const all = catalogue.resourceTemplates.map(({ read, complete: _, ...told }) => told);
      const { items, ...rest } = page(all, params.cursor, PAGE_SIZE);
      return { resourceTemplates: items, ...rest };
    },
    'resources/read': async ({ params, principal, signal }) => {
      const uri = stringParam(params, 'uri');
      const contents = await readResource(catalogue, uri, { principal, signal });
      if (!contents) throw new UnknownResource(uri);
      return { contents: [contents] };
    },
    'prompts/list': async ({ params }) => {
      const all = [...catalogue.prompts.values()].map(({ render, ...told }) => ({
        ...told,
        arguments: told.arguments.map(({ complete: _, ...argument }) => argument),
      }));
      const { items, ...rest } = page(all, params.cursor, PAGE_SIZE);
      return { prompts: items, ...rest };
    },
    'prompts/get': getPrompt,
    'completion/complete': ({ params }) => complete(catalogue, params),
  };

  return {
    serverInfo,
    instructions,
    catalogue,
    capabilities: () => ({
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
    }),
    handle: (invocation) => (Object.hasOwn(methods, invocation.method) ? methods[invocation.method]?.(invocation) : undefined),
    toolsListJson: (execution = false) => (execution ? withExecution : plain).firstPageJson(),
    async inputSchema(name) {
      if (!catalogue.hasTool(name)) return undefined;
      return (await plain.descriptions()).find((tool) => tool.name === name)?.inputSchema as JsonObject;
    },
    onChange: (listener) => catalogue.onChange(listener),
    async knownTool(name) {
      if (typeof name !== 'string' || !catalogue.hasTool(name)) return undefined;
      return catalogue.loadedTool(name) ?? catalogue.tool(name);
    },
    offersTasks: tasks !== undefined,
    async tasks() {
      if (!tasks) throw new ProtocolError(ERROR_CODES.internal, 'This server has no tasks.');
      opening ??= import('./mcp-tasks.ts').then(({ createMcpTasks }) => createMcpTasks(tasks));
      return opening;
    },
  };
}

/** `tools/list` as one kind of client sees it, made once and kept until the catalogue changes. */
function createToolLists(catalogue: Catalogue, withExecution: boolean) {
  let descriptions: Promise<readonly JsonObject[]> | undefined;
  let json: Promise<string> | undefined;
  catalogue.onChange(({ kind }) => {
    if (kind !== 'tools') return;
    descriptions = undefined;
    json = undefined;
  });
  const lists = {
    descriptions(): Promise<readonly JsonObject[]> {
      descriptions ??= catalogue.tools().then((tools) => tools.map((tool) => describeTool(tool, withExecution)));
      return descriptions;
    },
    async page(cursor: unknown): Promise<JsonObject> {
      const { items, ...rest } = page(await lists.descriptions(), cursor, PAGE_SIZE);
      return { tools: items, ...rest };
    },
    firstPageJson(): Promise<string> {
      json ??= lists.page(undefined).then((result) => JSON.stringify(result).slice(1, -1));
      return json;
    },
  };
  return lists;
}

/** `CallToolResult` (MCP tools, calling tools): JSON where it is there already; what has `_meta` of its own is merged with the era's, so it is parsed. */
function resultOf(outcome: ToolOutcome): JsonObject | SerializedResult {
  if (outcome instanceof ReceivedOutcome && !outcome.hasMeta) return new SerializedResult(outcome.properties);
  return toolResult(outcome);
}
