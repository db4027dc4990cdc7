/**
 * MCP 2026-07-28: no sessions; every request says which revision it speaks and what its client can do.
 */
import type { Principal } from '../identity/principal.ts';
import type { JsonObject, LogLevel } from '../tools/tool.ts';
import { toProtocolError } from './failures.ts';
import {
  ERROR_CODES,
  errorResponse,
  invalidParams,
  isObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  ProtocolError,
  SerializedResult,
} from './jsonrpc.ts';
import { isAtLeast, isLogLevel } from './log-levels.ts';
import { createProgressSender, progressTokenOf } from './progress.ts';
import type { RequestStateCodec } from './request-state.ts';
import { createRoundTripAskPort, InputRequired, inputResponsesOf } from './round-trips.ts';
import type { McpService } from './service.ts';
import { createSubscriptions } from './subscriptions.ts';
import { answerTasksMethod, callAsTask, isTasksMethod, requireTasks, runsAsTask, TASKS_EXTENSION } from './tasks-extension.ts';
import { isStatelessVersion, SUPPORTED_VERSIONS } from './versions.ts';

const META = 'io.modelcontextprotocol/';
const VERSION_KEY = `${META}protocolVersion`;
const CAPABILITIES_KEY = `${META}clientCapabilities`;
const LOG_LEVEL_KEY = `${META}logLevel`;
const SERVER_INFO_KEY = `${META}serverInfo`;

/** What a wire gives with each request. */
export interface Exchange {
  readonly principal: Principal;
  /** Aborted when the client closed the response stream (HTTP) or sent `notifications/cancelled` (stdio). */
  readonly signal: AbortSignal;
  /** Sends a notification that belongs to this request. */
  notify(notification: JsonRpcNotification): void;
}

export interface StatelessEra {
  /**
   * Checks what every request must carry.
   * @throws ProtocolError -32602 for missing metadata, -32022 for a revision we do not speak (both HTTP 400).
   */
  checkEnvelope(message: JsonRpcRequest): void;
  /** Answers a request whose envelope was checked; undefined when it was cancelled, which is not answered. */
  handle(message: JsonRpcRequest, exchange: Exchange): Promise<JsonRpcResponse | undefined>;
  /** Ends every `subscriptions/listen` with its final response. */
  close(): void;
}

/** How long a client may keep lists, milliseconds; changes are told to those who listen. */
const LIST_TTL_MS = 60_000;

/** Results that carry `ttlMs` and `cacheScope` (MCP caching). Lists are the same for all callers. */
const CACHING: Readonly<Record<string, JsonObject>> = {
  'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
  'prompts/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
  'resources/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
  'resources/templates/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
  'resources/read': { ttlMs: 0, cacheScope: 'private' },
  'server/discover': { ttlMs: LIST_TTL_MS, cacheScope: 'public' },
};

/** Methods that may answer with `input_required` (MCP multi round-trip requests, supported requests). */
const MULTI_ROUND = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Whether a request speaks this era: it names its revision itself, or it is a method only this era has. */
export function isStatelessRequest({ method, params }: { method: string; params?: JsonObject }): boolean {
  if (method === 'server/discover' || method === 'subscriptions/listen') return true;
  return isObject(params?._meta) && VERSION_KEY in params._meta;
}

function capabilitiesOf({ _meta: meta }: JsonObject): JsonObject {
  return (meta as JsonObject)[CAPABILITIES_KEY] as JsonObject;
}

/** The revision a request names in its metadata. */
export function requestedVersion(params: JsonObject | undefined): unknown {
  return isObject(params?._meta) ? params._meta[VERSION_KEY] : undefined;
}

/** @param loadKey the key that seals `requestState`, 32 bytes */
export function createStatelessEra(service: McpService, loadKey: () => Promise<Uint8Array>): StatelessEra {
  let loadingCodec: Promise<RequestStateCodec> | undefined;
  /** Cryptography is loaded with the first call that has more than one round. */
  const codec = () => {
    loadingCodec ??= import('./request-state.ts').then(({ createRequestStateCodec }) => createRequestStateCodec(loadKey));
    return loadingCodec;
  };
  const serverInfo = { [SERVER_INFO_KEY]: service.serverInfo };
  const serverInfoJson = JSON.stringify(serverInfo);
  const subscriptions = createSubscriptions(service, serverInfo);

  function complete(method: string, result: JsonObject | SerializedResult): JsonObject | SerializedResult {
    if (result instanceof SerializedResult) {
      return new SerializedResult(`"resultType":"complete",${result.properties},"_meta":${serverInfoJson}`);
    }
    const meta = isObject(result._meta) ? { ...result._meta, ...serverInfo } : serverInfo;
    return { resultType: 'complete', ...result, ...CACHING[method], _meta: meta };
  }

  function discover(): JsonObject {
    const extensions = service.offersTasks ? { extensions: { [TASKS_EXTENSION]: {} } } : {};
    return {
      supportedVersions: SUPPORTED_VERSIONS,
      capabilities: { ...service.capabilities(), ...extensions },
      instructions: service.instructions,
    };
  }

  async function toolsList(): Promise<SerializedResult> {
    const caching = JSON.stringify(CACHING['tools/list']).slice(1, -1);
    return new SerializedResult(`"resultType":"complete",${await service.toolsListJson()},${caching},"_meta":${serverInfoJson}`);
  }

  async function answerTasks(method: string, params: JsonObject, principal: Principal): Promise<JsonObject> {
    requireTasks(method, capabilitiesOf(params));
    return answerTasksMethod(await service.tasks(), method, params, principal);
  }

  async function answerShared(
    { method, params = {} }: JsonRpcRequest,
    exchange: Exchange,
  ): Promise<JsonObject | SerializedResult> {
    const meta = params._meta as JsonObject;
    const token = progressTokenOf(meta);
    const notify = (name: string, values: JsonObject) => exchange.notify({ jsonrpc: '2.0', method: name, params: values });
    const progress =
      token === undefined ? undefined : createProgressSender(token, (update) => notify('notifications/progress', update));
    const multiRound = MULTI_ROUND.has(method);
    const earlier =
      multiRound && params.requestState !== undefined
        ? await (await codec()).open(params.requestState, exchange.principal, method, params)
        : { answers: {} };
    const level = meta[LOG_LEVEL_KEY];
    const capabilities = capabilitiesOf(params);
    const { principal, signal } = exchange;
    const ask = createRoundTripAskPort(capabilities, earlier, multiRound ? inputResponsesOf(params) : {});
    try {
      const tool = method === 'tools/call' && service.offersTasks ? await service.knownTool(params.name) : undefined;
      if (tool && runsAsTask(tool, capabilities)) {
        const call = { tool, params, principal, signal, ask, clientCapabilities: capabilities };
        return complete(method, await callAsTask(await service.tasks(), call));
      }
      const answer = service.handle({
        ...{ method, params, principal, signal, ask },
        ...(progress && { progress: progress.progress, output: progress.output }),
        ...(isLogLevel(level) && { log: logger(level, notify) }),
      });
      if (!answer) throw new ProtocolError(ERROR_CODES.methodNotFound, `There is no method "${method}" in MCP 2026-07-28.`);
      return complete(method, await answer);
    } catch (thrown) {
      if (!(thrown instanceof InputRequired)) throw thrown;
      return inputRequired(await codec(), thrown, principal, method, params, serverInfo);
    } finally {
      progress?.stop();
    }
  }

  return {
    checkEnvelope({ params }) {
      const meta = params?._meta;
      if (!isObject(meta) || typeof meta[VERSION_KEY] !== 'string')
        throw invalidParams(`"params._meta" must hold "${VERSION_KEY}".`);
      if (!isStatelessVersion(meta[VERSION_KEY])) throw unsupportedVersion(meta[VERSION_KEY]);
      if (!isObject(meta[CAPABILITIES_KEY])) throw invalidParams(`"params._meta" must hold "${CAPABILITIES_KEY}".`);
    },
    async handle(message, exchange) {
      const { id, method, params = {} } = message;
      try {
        let result: JsonObject | SerializedResult | undefined;
        if (method === 'server/discover') result = complete(method, discover());
        else if (method === 'subscriptions/listen') {
          result = await subscriptions.listen(id, params, exchange, capabilitiesOf(params));
        } else if (service.offersTasks && isTasksMethod(method)) {
          result = complete(method, await answerTasks(method, params, exchange.principal));
        } else if (method === 'tools/list' && params.cursor === undefined) result = await toolsList();
        else result = await answerShared(message, exchange);
        return result === undefined || exchange.signal.aborted ? undefined : { jsonrpc: '2.0', id, result };
      } catch (thrown) {
        return exchange.signal.aborted ? undefined : errorResponse(id, toProtocolError(method, thrown));
      }
    },
    close() {
      subscriptions.close();
    },
  };
}

/** -32022 (MCP 2026-07-28, `UnsupportedProtocolVersionError`). */
export function unsupportedVersion(requested: unknown): ProtocolError {
  return new ProtocolError(ERROR_CODES.unsupportedVersion, 'Unsupported protocol version.', {
    supported: SUPPORTED_VERSIONS,
    requested,
  });
}

function logger(minimum: LogLevel, notify: (method: string, params: JsonObject) => void) {
  return (level: LogLevel, data: unknown, name?: string) => {
    if (isAtLeast(level, minimum)) notify('notifications/message', { level, ...(name && { logger: name }), data });
  };
}

async function inputRequired(
  codec: RequestStateCodec,
  { questions, round }: InputRequired,
  principal: Principal,
  method: string,
  params: JsonObject,
  serverInfo: JsonObject,
): Promise<JsonObject> {
  return {
    resultType: 'input_required',
    ...(Object.keys(questions).length > 0 && { inputRequests: questions }),
    requestState: await codec.seal(round, principal, method, params),
    _meta: serverInfo,
  };
}
