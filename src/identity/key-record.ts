/** What is kept of an API key: one file a key, named after it, in the folder `keys` of the state folder. */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { type Principal, SCOPES, type Scope } from './principal.ts';

/** An API key without its secret. Times are milliseconds since 1970. */
export interface ApiKey {
  /** 8 characters of base62. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the key's text, hex. */
  readonly hash: string;
  readonly createdMs: number;
  /** Undefined for a key that does not expire. */
  readonly expiresMs: number | undefined;
  /** Undefined for `authentication.requests_per_minute`. */
  readonly requestsPerMinute: number | undefined;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** @param state the state folder */
export function keysFolder(state: string): string {
  return join(state, 'keys');
}

/** The name of a key's file. That the name is in it keeps two keys from having the same, whoever makes them when. */
export function keyFileName(name: string): string {
  return `${name}.json`;
}

/** Whether a file in the folder is a key's, and not one that is being written. */
export function isKeyFile(fileName: string): boolean {
  return fileName.endsWith('.json');
}

/** @throws Failure `invalid_input` for what cannot be the name of a key */
export function checkKeyName(name: string): void {
  if (!NAME.test(name)) {
    throw new Failure('invalid_input', `"${name}" cannot be the name of a key.`, {
      hint: 'Use 1 to 64 of A-Z a-z 0-9 . _ - (a host, a program, a person).',
    });
  }
  if (name.toLowerCase() === 'local') {
    throw new Failure('invalid_input', 'A key cannot be named "local": that is who uses this machine without a key.', {
      hint: 'Choose another name.',
    });
  }
}

export function isUsable({ expiresMs }: ApiKey, nowMs: number): boolean {
  return expiresMs === undefined || expiresMs > nowMs;
}

/** Who the holder of a key is. */
export function keyPrincipal({ id, name, scopes }: ApiKey): Principal {
  return { id: `key:${id}`, kind: 'key', name, scopes: new Set(scopes) };
}

export function writeKeyRecord({ expiresMs, createdMs, requestsPerMinute, ...key }: ApiKey): string {
  const record = {
    ...key,
    created: new Date(createdMs).toISOString(),
    expires: expiresMs === undefined ? null : new Date(expiresMs).toISOString(),
    ...(requestsPerMinute !== undefined && { requests_per_minute: requestsPerMinute }),
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Undefined for what we have not written: a key in doubt is no key. */
export function readKeyRecord(text: string, fileName: string): ApiKey | undefined {
  let record: Record<string, unknown>;
  try {
    record = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { id, name, scopes, hash, created, expires, requests_per_minute: rate } = record;
  const known = typeof id === 'string' && /^[0-9A-Za-z]{8}$/.test(id) && typeof name === 'string' && NAME.test(name);
  if (!known || keyFileName(name) !== fileName) return undefined;
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every((each) => SCOPES.includes(each))) return undefined;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const createdMs = time(created);
  const expiresMs = expires === null ? undefined : time(expires);
  if (Number.isNaN(createdMs) || Number.isNaN(expiresMs)) return undefined;
  if (rate !== undefined && !(Number.isInteger(rate) && (rate as number) > 0)) return undefined;
  return { id, name, scopes, hash, createdMs, expiresMs, requestsPerMinute: rate as number | undefined };
}

function time(text: unknown): number {
  return typeof text === 'string' ? Date.parse(text) : Number.NaN;
}
