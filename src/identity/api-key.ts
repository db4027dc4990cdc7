/**
 * The text of an API key: `mcpp_<id>_<secret><checksum>`, 63 characters of base62.
 *
 * The prefix and the checksum let people, secret scanners and us tell a key, and a misspelt one, without looking
 * anything up. Only a hash is kept of it.
 */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'mcpp_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 8;
/** 62^43 > 2^256. */
const SECRET_LENGTH = 43;
/** 62^6 > 2^32. */
const CHECKSUM_LENGTH = 6;

const WHOLE = new RegExp(`^${PREFIX}([0-9A-Za-z]{${ID_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH}}([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

export interface NewApiKey {
  /** Names the key without giving it away, 8 characters. */
  readonly id: string;
  /** The key itself; it is shown once and never kept. */
  readonly text: string;
}

export function newApiKey(): NewApiKey {
  const id = randomDigits(ID_LENGTH);
  const body = `${PREFIX}${id}_${randomDigits(SECRET_LENGTH)}`;
  return { id, text: body + checksum(body) };
}

/** The id in a key's text; undefined for what is not a key, or a misspelt one. */
export function apiKeyId(text: string): string | undefined {
  const [, id, given] = WHOLE.exec(text) ?? [];
  return given === checksum(text.slice(0, -CHECKSUM_LENGTH)) ? id : undefined;
}

/**
 * What is kept of a key, as hex. One round of SHA-256: slow hashes make up for secrets that can be guessed, and nobody
 * guesses 256 random bits; every request would pay for one.
 */
export function hashApiKey(text: string): string {
  return sha256(text).toString('hex');
}

/** Whether the text is the key that the hash was made of; takes as long for a near miss as for any other. */
export function fitsHash(text: string, hash: string): boolean {
  const kept = Buffer.from(hash, 'hex');
  const given = sha256(text);
  return kept.length === given.length && timingSafeEqual(kept, given);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function randomDigits(length: number): string {
  return Array.from({ length }, () => DIGITS[randomInt(DIGITS.length)]).join('');
}

/** CRC-32 of the rest, in base62. */
function checksum(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = DIGITS[rest % DIGITS.length] + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}
