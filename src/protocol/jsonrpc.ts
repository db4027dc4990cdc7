/** JSON-RPC 2.0 as MCP narrows it: ids are strings or integers, never null; params are objects; no batches. */
import type { JsonObject } from '../tools/tool.ts';

export type RequestId = string | number;

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JsonObject;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

export interface JsonRpcResult {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly result: JsonObject | SerializedResult;
}

export interface JsonRpcError {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export type JsonRpcResponse = JsonRpcResult | JsonRpcError;
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

/** A message from the other side, told apart. */
export type IncomingMessage =
  | { readonly kind: 'request'; readonly message: JsonRpcRequest }
  | { readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | { readonly kind: 'response'; readonly message: JsonRpcResponse };

/** A result whose JSON is there already: `tools/list`, which is sent many times, and what comes from an agent. */
export class SerializedResult {
  /** JSON without the braces around it. */
  readonly properties: string;

  constructor(properties: string) {
    this.properties = properties;
  }
}

/** JSON-RPC 2.0 §5.1, and the codes MCP 2026-07-28 and 2025-11-25 define. */
export const ERROR_CODES = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** 2025-11-25 and earlier only. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** An error of the protocol itself, answered as a JSON-RPC error (not as a tool result with `isError`). */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** The orchestrator hands it on as it is: the protocol answers it, not the tool. */
  readonly passThrough = true;
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export function invalidParams(message: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.invalidParams, message);
}

export function errorResponse(id: RequestId | null, error: ProtocolError): JsonRpcError {
  return {
    jsonrpc: '2.0',
    id,
    error: { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) },
  };
}

/** The JSON of a message; results serialized before are spliced in as they are. */
export function encodeMessage(message: JsonRpcMessage): string {
  if ('result' in message && message.result instanceof SerializedResult) {
    return `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{${message.result.properties}}}`;
  }
  return JSON.stringify(message);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value));
}

/**
 * Tells a parsed JSON value apart.
 * @throws ProtocolError -32600 for anything that is not one MCP message; batches were removed in MCP 2025-06-18.
 */
export function readMessage(value: unknown): IncomingMessage {
  if (Array.isArray(value)) throw invalidRequest('JSON-RPC batches are not supported: send one message at a time.');
  if (!isObject(value) || value.jsonrpc !== '2.0') throw invalidRequest('Not a JSON-RPC 2.0 message: "jsonrpc" must be "2.0".');
  const { id, method, params } = value;
  if (method !== undefined) {
    if (typeof method !== 'string') throw invalidRequest('"method" must be a string.');
    if (params !== undefined && !isObject(params)) throw invalidRequest('"params" must be an object.');
    if (id === undefined) return { kind: 'notification', message: value as unknown as JsonRpcNotification };
    if (!isRequestId(id)) throw invalidRequest('"id" must be a string or an integer.');
    return { kind: 'request', message: value as unknown as JsonRpcRequest };
  }
  if (isRequestId(id) && (isObject(value.result) || isObject(value.error))) {
    return { kind: 'response', message: value as unknown as JsonRpcResponse };
  }
  throw invalidRequest('Not a JSON-RPC request, notification or response.');
}

/** The id of something that could not be read as a message, so that the error can name it. */
export function idOf(value: unknown): RequestId | null {
  return isObject(value) && isRequestId(value.id) ? value.id : null;
}

/**
 * Parses one message's text.
 * @throws ProtocolError -32700 when it is not JSON.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError(ERROR_CODES.parse, 'Parse error: the message is not valid JSON.');
  }
}

function invalidRequest(message: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.invalidRequest, message);
}
