/** Entries as JSON, redacted: on the way of every call, so it is made to be quick. */
import { createHash } from 'node:crypto';
import type { AuditEntry, AuditNote } from './audit-log.ts';

/** Longest string that is kept whole, UTF-16 units: a caller must not fill the disk with one argument. */
const MAX_STRING = 16_384;
/** Most values of a list that are kept. */
const MAX_VALUES = 256;

/** Fields whose values are words of our own, or numbers in disguise: there is nothing to redact. */
const OWN_WORDS: ReadonlySet<string> = new Set(['event', 'outcome', 'code', 'verdict', 'decision', 'what', 'role', 'version']);
/** Fields that say the same again and again: redacted once, not for every call. */
const REPEATED: ReadonlySet<string> = new Set(['principal', 'principal_name', 'session', 'tool', 'backend', 'rule', 'sandbox']);
const MAX_REMEMBERED = 512;
const MAX_REMEMBERED_LENGTH = 128;

/** A UUID is no secret, and a redactor could take one for a key. */
const isUuid = (text: string) => text.length === 36 && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text);

/** Characters that JSON leaves as they are and a terminal acts on: the file can be shown as it is. */
const ACTIVE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The fields of an entry as JSON without the braces around them. */
export type Serialize = (entry: AuditEntry | AuditNote) => string;

/** @param redact takes secrets out of a string */
export function createSerializer(redact: (text: string) => string): Serialize {
  const remembered = new Map<string, string>();

  function repeated(text: string): string {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const made = quote(cut(redact(text)));
    if (text.length > MAX_REMEMBERED_LENGTH) return made;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, made);
    return made;
  }

  function string(key: string, text: string): string {
    if (OWN_WORDS.has(key)) return quote(text);
    if (key === 'task' && isUuid(text)) return `"${text}"`;
    return REPEATED.has(key) ? repeated(text) : quote(cut(redact(text)));
  }

  function value(key: string, given: unknown): string {
    if (typeof given === 'string') return string(key, given);
    if (Array.isArray(given)) return list(key, given);
    return JSON.stringify(given) ?? 'null';
  }

  function list(key: string, values: readonly unknown[]): string {
    const shown = values.slice(0, MAX_VALUES).map((each) => value(key, each));
    if (values.length > MAX_VALUES) shown.push(`"… ${values.length - MAX_VALUES} more …"`);
    return `[${shown.join(',')}]`;
  }

  return (entry) => {
    let fields = '';
    for (const key in entry) {
      const given = (entry as unknown as Record<string, unknown>)[key];
      if (given !== undefined) fields += `${fields === '' ? '"' : ',"'}${key}":${value(key, given)}`;
    }
    return fields;
  };
}

function quote(text: string): string {
  const quoted = JSON.stringify(text);
  if (!/[^ -~]/.test(quoted)) return quoted;
  return quoted.replace(ACTIVE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A long text's beginning, its length and its hash: enough to tell whether it is the one that somebody shows. */
function cut(text: string): string {
  if (text.length <= MAX_STRING) return text;
  const digest = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, MAX_STRING).toWellFormed()}… [${text.length} characters in all, SHA-256 ${digest}]`;
}
