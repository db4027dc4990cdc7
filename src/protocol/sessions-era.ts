/**
 * MCP 2024-11-05 to 2025-11-25: a session opened by `initialize`, with requests in both directions.
 *
 * One `Session` a client. It knows no wire: it is handed messages and sends through a `SessionWire`. It is written
 * on the SDK's types rather than its `Server`, which parses every message three times and holds 20 KiB a session.
 */
import { Failure } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { CatalogueChange } from '../tools/catalogue.ts';
import type { AskPort, JsonObject, LogLevel } from '../tools/tool.ts';
import { declaredCapabilities } from './client-questions.ts';
import { toProtocolError } from './failures.ts';
import {
  ERROR_CODES,
  errorResponse,
  invalidParams,
  isRequestId,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  ProtocolError,
  type RequestId,
  SerializedResult,
} from './jsonrpc.ts';
import { isAtLeast, isLogLevel } from './log-levels.ts';
import { objectParam, stringParam } from './params.ts';
import { PassingMap } from './passing-map.ts';
import { createProgressSender, type ProgressSender, progressTokenOf } from './progress.ts';
import { type McpService, UnknownResource } from './service.ts';
import { SessionQuestions } from './session-questions.ts';
import { concernsTasks, SessionTasks, TASKS_CAPABILITY, TASKS_REVISION } from './session-tasks.ts';
import { isSessionVersion, type SessionVersion } from './versions.ts';

/** Where a session's messages go. */
export interface SessionWire {
  /** The session's id; on stdio there is one session, `stdio`. */
  readonly id: string;
  /** Sends on the stream of the request a message belongs to, or on the session's own. */
  send(message: JsonRpcMessage, relatedTo?: RequestId): void;
  /** Drops the stream of a running request so that the client resumes it (2025-11-25, SSE polling). */
  closeStream(request: RequestId): void;
  /** The client changed its settings: who keeps them for a rebuilt session does so before the answer. */
  settingsChanged?(): void;
}

/** What `initialize` settled. With the settings it is all a session needs to be rebuilt. */
export interface SessionTerms {
  readonly version: SessionVersion;
  readonly clientCapabilities: JsonObject;
  readonly clientInfo: JsonObject;
}

/** What the client chose since. */
export interface SessionSettings {
  readonly logLevel: LogLevel;
  /** URIs of the resources whose changes it wants to hear of. */
  readonly subscriptions: readonly string[];
}

/**
 * Settles the terms of a session: the client's revision when we speak it, our newest otherwise.
 * @throws ProtocolError -32602 when `initialize` lacks what it must carry.
 */
export function negotiate(params: JsonObject, newest: SessionVersion): SessionTerms {
  const requested = stringParam(params, 'protocolVersion');
  return {
    version: isSessionVersion(requested) && requested <= newest ? requested : newest,
    clientCapabilities: objectParam(params, 'capabilities'),
    clientInfo: objectParam(params, 'clientInfo'),
  };
}

/** The result of `initialize`. */
export function initializeResult(service: McpService, terms: SessionTerms): JsonObject {
  return {
    protocolVersion: terms.version,
    capabilities: {
      ...service.capabilities(),
      ...(service.offersTasks && terms.version === TASKS_REVISION && { tasks: TASKS_CAPABILITY }),
    },
    serverInfo: service.serverInfo,
    instructions: service.instructions,
  };
}

/** What a client is told of a change in the catalogue; undefined for a resource that it did not subscribe to. */
export function changeNotification(
  change: CatalogueChange,
  subscribed: (uri: string) => boolean,
): JsonRpcNotification | undefined {
  if (change.kind !== 'resource') return { jsonrpc: '2.0', method: `notifications/${change.kind}/list_changed` };
  if (!subscribed(change.uri)) return undefined;
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: change.uri } };
}

interface Running {
  readonly abort: AbortController;
  readonly progress: ProgressSender | undefined;
}

export class Session {
  readonly principal: Principal;
  readonly terms: SessionTerms;
  readonly #service: McpService;
  readonly #wire: SessionWire;
  #logLevel: LogLevel = 'info';
  readonly #running = new PassingMap<RequestId, Running>();
  /** Made when first needed: an idle session holds none of them. */
  #questions: SessionQuestions | undefined;
  #tasks: SessionTasks | undefined;
  #subscriptions: Set<string> | undefined;

  /** @param settings of a session that is rebuilt */
  constructor(service: McpService, terms: SessionTerms, principal: Principal, wire: SessionWire, settings?: SessionSettings) {
    this.#service = service;
    this.#wire = wire;
    this.terms = terms;
    this.principal = principal;
    if (!settings) return;
    this.#logLevel = settings.logLevel;
    if (settings.subscriptions.length > 0) this.#subscriptions = new Set(settings.subscriptions);
  }

  get settings(): SessionSettings {
    return { logLevel: this.#logLevel, subscriptions: [...(this.#subscriptions ?? [])] };
  }

  /** True while a request is being answered. */
  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** Answers a request; undefined when it was cancelled, which is not answered (MCP cancellation). */
  async request({ id, method, params = {} }: JsonRpcRequest): Promise<JsonRpcResponse | undefined> {
    if (this.#running.has(id)) {
      return errorResponse(id, new ProtocolError(ERROR_CODES.invalidRequest, 'A request with this id is still running.'));
    }
    const abort = new AbortController();
    const token = progressTokenOf(params._meta);
    const progress =
      token === undefined
        ? undefined
        : createProgressSender(token, (update) => this.#notify('notifications/progress', update, id));
    this.#running.set(id, { abort, progress });
    try {
      const result = await this.#answer(id, method, params, abort.signal, progress);
      return abort.signal.aborted ? undefined : { jsonrpc: '2.0', id, result };
    } catch (thrown) {
      if (abort.signal.aborted) return undefined;
      const error =
        thrown instanceof UnknownResource
          ? new ProtocolError(ERROR_CODES.resourceNotFound, thrown.message, thrown.data)
          : toProtocolError(method, thrown);
      return errorResponse(id, error);
    } finally {
      progress?.stop();
      this.#running.delete(id);
    }
  }

  notification({ method, params = {} }: JsonRpcNotification): void {
    if (method !== 'notifications/cancelled' || !isRequestId(params.requestId)) return;
    this.cancel(params.requestId);
  }

  /** Stops a running request; it will have no response. Unknown and finished ids are ignored. */
  cancel(id: RequestId): void {
    this.#running.get(id)?.abort.abort(new Failure('cancelled', 'The client cancelled the call.'));
  }

  /** Hands the client's answer to the question it belongs to. */
  response(message: JsonRpcResponse): void {
    this.#questions?.answered(message);
  }

  /** Tells the client about a change in the catalogue. */
  changed(change: CatalogueChange): void {
    const notification = changeNotification(change, (uri) => this.#subscriptions?.has(uri) === true);
    if (notification) this.#wire.send(notification);
  }

  /** Stops everything that runs for this session; its tasks go on. */
  close(): void {
    this.#tasks?.stop();
    for (const { abort } of this.#running.values()) abort.abort(new Failure('cancelled', 'The session ended.'));
  }

  #answer(
    id: RequestId,
    method: string,
    params: JsonObject,
    signal: AbortSignal,
    progress: ProgressSender | undefined,
  ): JsonObject | SerializedResult | Promise<JsonObject | SerializedResult> {
    const withTasks = this.#service.offersTasks && this.terms.version === TASKS_REVISION;
    if (method === 'tools/list' && params.cursor === undefined) {
      return this.#service.toolsListJson(withTasks).then((json) => new SerializedResult(json));
    }
    const plainly = () => this.#answerPlainly(id, method, params, signal, progress, withTasks);
    if (!withTasks || !concernsTasks(method)) return plainly();
    this.#tasks ??= new SessionTasks(this.#service, {
      principal: this.principal,
      session: this.#wire.id,
      clientCapabilities: this.terms.clientCapabilities,
      notify: (name, values) => this.#notify(name, values),
    });
    return this.#tasks.answer(method, params, { ask: this.#askPort(id, signal), signal }, plainly);
  }

  #answerPlainly(
    id: RequestId,
    method: string,
    params: JsonObject,
    signal: AbortSignal,
    progress: ProgressSender | undefined,
    withExecution: boolean,
  ): JsonObject | SerializedResult | Promise<JsonObject | SerializedResult> {
    const shared = this.#service.handle({
      method,
      params,
      withExecution,
      principal: this.principal,
      session: this.#wire.id,
      signal,
      ask: this.#askPort(id, signal),
      ...(progress && { progress: progress.progress, output: progress.output }),
      log: (level, data, logger) => this.#log(level, data, logger, id),
      closeStream: () => this.#wire.closeStream(id),
    });
    if (shared) return shared;
    switch (method) {
      case 'ping':
        return {};
      case 'logging/setLevel':
        if (!isLogLevel(params.level))
          throw invalidParams('"params.level" must be one of the RFC 5424 levels, "debug" to "emergency".');
        this.#logLevel = params.level;
        this.#wire.settingsChanged?.();
        return {};
      case 'resources/subscribe':
        this.#subscriptions ??= new Set();
        this.#subscriptions.add(this.#knownResource(stringParam(params, 'uri')));
        this.#wire.settingsChanged?.();
        return {};
      case 'resources/unsubscribe':
        this.#subscriptions?.delete(stringParam(params, 'uri'));
        this.#wire.settingsChanged?.();
        return {};
      case 'initialize':
        throw new ProtocolError(ERROR_CODES.invalidRequest, 'This session is initialized already.');
      default:
        throw new ProtocolError(ERROR_CODES.methodNotFound, `There is no method "${method}" in MCP ${this.terms.version}.`);
    }
  }

  #knownResource(uri: string): string {
    if (!this.#service.catalogue.resources.has(uri)) throw new UnknownResource(uri);
    return uri;
  }

  #notify(method: string, params?: JsonObject, relatedTo?: RequestId): void {
    this.#wire.send({ jsonrpc: '2.0', method, ...(params && { params }) }, relatedTo);
  }

  #log(level: LogLevel, data: unknown, logger: string | undefined, relatedTo: RequestId): void {
    if (isAtLeast(level, this.#logLevel))
      this.#notify('notifications/message', { level, ...(logger && { logger }), data }, relatedTo);
  }

  #askPort(relatedTo: RequestId, signal: AbortSignal): AskPort {
    const { clientCapabilities } = this.terms;
    return {
      can: declaredCapabilities(clientCapabilities),
      state: undefined,
      request: (questions) => {
        this.#questions ??= new SessionQuestions(clientCapabilities, (message, request) => this.#wire.send(message, request));
        return this.#questions.ask(questions, relatedTo, signal);
      },
    };
  }
}
