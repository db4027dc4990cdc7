/**
 * Headers that mirror the body of a request (MCP 2026-07-28, Streamable HTTP, request metadata). A request whose
 * headers say one thing and whose body another is refused: something on the way may have trusted the headers.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ERROR_CODES, isObject, type JsonRpcRequest, ProtocolError } from '../protocol/jsonrpc.ts';
import { requestedVersion } from '../protocol/stateless-era.ts';
import type { JsonObject } from '../tools/tool.ts';

/** Where the name of a request stands, for the methods that carry `Mcp-Name`. */
const NAME_OF: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** @throws ProtocolError -32020 when a standard header is missing or differs from the body. */
export function checkStandardHeaders(headers: IncomingHttpHeaders, { method, params = {} }: JsonRpcRequest): void {
  compare('MCP-Protocol-Version', one(headers['mcp-protocol-version']), requestedVersion(params));
  compare('Mcp-Method', one(headers['mcp-method']), method);
  const key = Object.hasOwn(NAME_OF, method) ? NAME_OF[method] : undefined;
  if (key) compare('Mcp-Name', decode('Mcp-Name', one(headers['mcp-name'])), params[key]);
}

/**
 * Checks the `Mcp-Param-*` headers that a tool's schema asks for with `x-mcp-header`.
 * @throws ProtocolError -32020 when one is missing, malformed or differs from the arguments.
 */
export function checkParameterHeaders(headers: IncomingHttpHeaders, schema: JsonObject, values: JsonObject): void {
  for (const { name, path } of mirroredParameters(schema)) {
    const label = `Mcp-Param-${name}`;
    const value = path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), values);
    const told = decode(label, one(headers[label.toLowerCase()]));
    if (value === undefined || value === null) {
      if (told !== undefined) throw mismatch(`${label} is given, but the argument is not`);
    } else if (typeof value === 'number') {
      if (told === undefined || told.trim() === '' || Number(told) !== value) compare(label, told, String(value));
    } else {
      compare(label, told, String(value));
    }
  }
}

/** The standard headers for a request, as a client sends them. */
export function standardHeaders({ method, params = {} }: JsonRpcRequest): Record<string, string> {
  const version = requestedVersion(params);
  const key = Object.hasOwn(NAME_OF, method) ? NAME_OF[method] : undefined;
  const name = key && params[key];
  return {
    ...(typeof version === 'string' && { 'mcp-protocol-version': encode(version) }),
    'mcp-method': encode(method),
    ...(typeof name === 'string' && { 'mcp-name': encode(name) }),
  };
}

/** The `Mcp-Param-*` headers that a tool's schema asks for, as a client sends them. */
export function parameterHeaders(schema: JsonObject, values: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { name, path } of mirroredParameters(schema)) {
    const value = path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), values);
    if (value !== undefined && value !== null) headers[`mcp-param-${name.toLowerCase()}`] = encode(String(value));
  }
  return headers;
}

interface MirroredParameter {
  readonly name: string;
  readonly path: readonly string[];
}

const known = new WeakMap<JsonObject, readonly MirroredParameter[]>();

/** The parameters marked with `x-mcp-header`, reached through `properties` only. */
function mirroredParameters(schema: JsonObject): readonly MirroredParameter[] {
  const found = known.get(schema) ?? walk(schema, []);
  known.set(schema, found);
  return found;
}

function walk(schema: JsonObject, path: readonly string[]): MirroredParameter[] {
  if (!isObject(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([key, property]) => {
    if (!isObject(property)) return [];
    const here = [...path, key];
    const name = property['x-mcp-header'];
    return [...(typeof name === 'string' ? [{ name, path: here }] : []), ...walk(property, here)];
  });
}

function compare(name: string, told: string | undefined, actual: unknown): void {
  if (told === undefined) throw mismatch(`the ${name} header is missing`);
  if (told !== actual) throw mismatch(`${name} is "${told}", the body says ${JSON.stringify(actual) ?? 'nothing'}`);
}

function mismatch(what: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.headerMismatch, `Header mismatch: ${what}.`);
}

const SENTINEL = /^=\?base64\?(.*)\?=$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A header's value, out of its Base64 sentinel if it wears one. */
function decode(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/[^\t\x20-\x7e]/.test(value)) throw mismatch(`${name} holds characters that must be Base64-encoded`);
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!BASE64.test(encoded)) throw mismatch(`${name} is not valid Base64`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    throw mismatch(`${name} is not valid UTF-8`);
  }
}

/** In its Base64 sentinel where it could not travel, or be read, as it is. */
function encode(value: string): string {
  const plain = /^[\x20-\x7e]*$/.test(value) && value.trim() === value && !SENTINEL.test(value);
  return plain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
