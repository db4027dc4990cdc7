/**
 * The `requestState` of input-required results (MCP 2026-07-28, multi round-trip requests): what a call has to
 * remember between its rounds, carried by the client and so sealed.
 *
 * AES-256-GCM; bound to the principal, the method, its salient parameters and a short life, and good for one use.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Principal } from '../identity/principal.ts';
import type { JsonObject } from '../tools/tool.ts';
import { invalidParams } from './jsonrpc.ts';

/** What the earlier rounds of a call left for the next. */
export interface RoundState {
  /** Answers of earlier rounds by the keys they were asked under. */
  readonly answers: Readonly<Record<string, JsonObject>>;
  /** What the tool itself passed on. */
  readonly state?: unknown;
}

interface Sealed extends RoundState {
  readonly principal: string;
  readonly request: string;
  readonly expiresMs: number;
  readonly nonce: string;
}

export interface RequestStateCodec {
  seal(round: RoundState, principal: Principal, method: string, params: JsonObject): Promise<string>;
  /** @throws ProtocolError -32602 for a state that is forged, foreign, expired or used before. */
  open(token: unknown, principal: Principal, method: string, params: JsonObject): Promise<RoundState>;
}

/** How long a person has to answer, milliseconds. */
const LIFETIME_MS = 10 * 60_000;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param loadKey 32 bytes; called once, when first needed. */
export function createRequestStateCodec(loadKey: () => Promise<Uint8Array>): RequestStateCodec {
  let key: Promise<Uint8Array> | undefined;
  const used = new Map<string, number>();

  function useOnce({ nonce, expiresMs }: Sealed) {
    const now = Date.now();
    // Insertion order is nearly order of expiry, so the front holds what can be forgotten.
    for (const [each, expires] of used) {
      if (expires > now) break;
      used.delete(each);
    }
    if (used.has(nonce)) throw refused('has been used before');
    used.set(nonce, expiresMs);
  }

  return {
    async seal(round, principal, method, params) {
      key ??= loadKey();
      const sealed: Sealed = {
        ...round,
        principal: principal.id,
        request: digest(method, params),
        expiresMs: Date.now() + LIFETIME_MS,
        nonce: randomBytes(16).toString('base64url'),
      };
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', await key, iv);
      const body = Buffer.concat([cipher.update(JSON.stringify(sealed), 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    async open(token, principal, method, params) {
      key ??= loadKey();
      const sealed = decrypt(token, await key);
      if (!sealed) throw refused('fails its integrity check');
      if (sealed.principal !== principal.id) throw refused('belongs to somebody else');
      if (sealed.request !== digest(method, params)) throw refused('belongs to another request');
      if (sealed.expiresMs <= Date.now()) throw refused('has expired');
      useOnce(sealed);
      return { answers: sealed.answers, state: sealed.state };
    },
  };
}

function refused(reason: string) {
  return invalidParams(`"params.requestState" ${reason}: call again without it.`);
}

/** The part of a request that must be the same in every round. */
function digest(method: string, params: JsonObject): string {
  const { name, uri, arguments: values } = params;
  return createHash('sha256')
    .update(JSON.stringify([method, name, uri, values]))
    .digest('base64url');
}

function decrypt(token: unknown, key: Uint8Array): Sealed | undefined {
  if (typeof token !== 'string') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as Sealed;
  } catch {
    return undefined;
  }
}
