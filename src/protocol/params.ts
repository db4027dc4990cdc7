import type { JsonObject } from '../tools/tool.ts';
import { invalidParams, isObject } from './jsonrpc.ts';

/** @throws ProtocolError -32602 */
export function stringParam(params: JsonObject, name: string): string {
  const value = params[name];
  if (typeof value !== 'string') throw invalidParams(`"params.${name}" must be a string.`);
  return value;
}

/** An object parameter, empty when absent. @throws ProtocolError -32602 */
export function objectParam(params: JsonObject, name: string): JsonObject {
  const value = params[name];
  if (value === undefined) return {};
  if (!isObject(value)) throw invalidParams(`"params.${name}" must be an object.`);
  return value;
}

/** An object of strings, empty when absent. @throws ProtocolError -32602 */
export function stringsParam(params: JsonObject, name: string): Record<string, string> {
  const values = objectParam(params, name);
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw invalidParams(`"params.${name}.${key}" must be a string.`);
  }
  return values as Record<string, string>;
}

/**
 * One page of a list. Cursors are opaque to clients; the order of the list must be stable.
 * @throws ProtocolError -32602 for a cursor that is not ours.
 */
export function page<T>(items: readonly T[], cursor: unknown, size: number): { items: readonly T[]; nextCursor?: string } {
  const start = cursor === undefined ? 0 : readCursor(cursor, items.length);
  const end = start + size;
  return { items: items.slice(start, end), ...(end < items.length && { nextCursor: writeCursor(end) }) };
}

const CURSOR = /^after:(\d{1,9})$/;

function writeCursor(position: number): string {
  return Buffer.from(`after:${position}`).toString('base64url');
}

function readCursor(cursor: unknown, length: number): number {
  const position = typeof cursor === 'string' ? CURSOR.exec(Buffer.from(cursor, 'base64url').toString())?.[1] : undefined;
  if (position === undefined || Number(position) > length) throw invalidParams('Unknown cursor: list again from the start.');
  return Number(position);
}
