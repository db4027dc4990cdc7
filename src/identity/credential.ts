/** From a credential to the principal behind it. API keys are one kind of credential; others verify behind the same shape. */
import { apiKeyId, fitsHash } from './api-key.ts';
import type { KeyLookup } from './key-lookup.ts';
import { type ApiKey, isUsable, keyPrincipal } from './key-record.ts';
import type { Principal } from './principal.ts';

/** Whom a credential stands for. */
export interface Identified {
  readonly principal: Principal;
  /** Own limit of this credential; undefined for the configured one. */
  readonly requestsPerMinute: number | undefined;
  /** False once it was revoked or has expired: what runs or listens in its name ends then. */
  isCurrent(): boolean;
}

/** Why a credential is not accepted: a sentence, for whoever sent it. */
export interface Refused {
  readonly refused: string;
}

/** Verifies what was sent as a credential. */
export type VerifyCredential = (credential: string) => Identified | Refused | Promise<Identified | Refused>;

/** Verifies API keys. It says that a key has expired only to who knows its secret. */
export function createKeyVerifier(lookup: KeyLookup): VerifyCredential {
  const identified = new WeakMap<ApiKey, Identified>();

  function identify(key: ApiKey): Identified {
    const known = identified.get(key);
    if (known) return known;
    const made: Identified = {
      principal: keyPrincipal(key),
      requestsPerMinute: key.requestsPerMinute,
      isCurrent: () => {
        const now = lookup.find(key.id);
        return now !== undefined && now.hash === key.hash && isUsable(now, Date.now());
      },
    };
    identified.set(key, made);
    return made;
  }

  return (credential) => {
    const id = apiKeyId(credential);
    if (id === undefined) return { refused: 'This is not an API key, or it is misspelt: its checksum does not fit.' };
    const key = lookup.find(id);
    if (!key || !fitsHash(credential, key.hash)) return { refused: 'The API key is unknown, or was revoked.' };
    if (key.expiresMs !== undefined && !isUsable(key, Date.now())) {
      return { refused: `The API key expired at ${new Date(key.expiresMs).toISOString()}.` };
    }
    return identify(key);
  };
}
