/** Takes secrets out of what leaves the program. */

import { ASSIGNMENT_SHAPES } from './assignments.ts';
import { AUTHORIZATION_SHAPES } from './authorization.ts';
import { formsOf } from './known-forms.ts';
import { createLiteralSearch, type LiteralSearch } from './literal-search.ts';
import { PRIVATE_KEY_SHAPES } from './private-keys.ts';
import type { Shape } from './shape.ts';
import { maskSpans, mergeSpans, type Span } from './span.ts';
import { TOKEN_SHAPES } from './token-shapes.ts';
import { URL_PASSWORD } from './url-passwords.ts';

export interface Redactor {
  /** The text with markers (`[redacted]`, `[redacted:github-token]`) instead of secrets; the same text when there are none. */
  text(text: string): string;
  /** The same JSON value with every text in it redacted, keys included; the same object when there is nothing to mask. */
  json<T>(value: T): T;
  /** Where the secrets of a text are, in order, without overlaps. */
  spans(text: string): readonly Span[];
  /** From now on this is masked wherever it turns up, in its encoded forms too; values under 6 characters never are. */
  addSecret(value: string): void;
  /** Encoded forms of all known secrets: what a stream must not let go half of. */
  knownForms(): readonly string[];
}

const SHAPES: readonly Shape[] = [
  ...TOKEN_SHAPES,
  ...PRIVATE_KEY_SHAPES,
  URL_PASSWORD,
  ...AUTHORIZATION_SHAPES,
  ...ASSIGNMENT_SHAPES,
];

/** Arrays and objects within each other that are looked through; results are checked against schemas before. */
const MAX_DEPTH = 64;

/** Characters of a text that is remembered for being clean. */
const SHORTEST_REMEMBERED = 1024;
const NAMES = /pass|pwd|secret|token|key|credential|authorization/i;

interface ShapeSearch {
  readonly search: LiteralSearch;
  /** The shape of each anchor. */
  readonly shapes: readonly Shape[];
}

let shapeSearch: ShapeSearch | undefined;

/**
 * A redactor of known secrets and of what looks like a credential.
 * @param known secrets there are from the start; asked for at the first text
 */
export function createRedactor(known: () => Iterable<string>): Redactor {
  const secrets = new Set<string>();
  let asked = false;
  let forms: readonly string[] | undefined;
  let knownSearch: LiteralSearch | undefined;
  /** A long text without secrets: the same one mostly comes twice, as structured content and as text. */
  let clean: string | undefined;

  function knownForms(): readonly string[] {
    if (!asked) {
      asked = true;
      for (const secret of known()) secrets.add(secret);
    }
    forms ??= [...new Set([...secrets].flatMap(formsOf))];
    return forms;
  }

  function spans(text: string): readonly Span[] {
    const found: Span[] = [];
    const literals = knownForms();
    if (literals.length > 0) {
      knownSearch ??= createLiteralSearch(literals);
      knownSearch.search(text, (index, start) => {
        found.push({ start, end: start + (literals[index] as string).length, kind: undefined });
        return -1;
      });
    }
    shapeSearch ??= createShapeSearch();
    const { search, shapes } = shapeSearch;
    search.search(text, (index, start) => {
      const span = (shapes[index] as Shape).find(text, start);
      if (!span) return -1;
      if (span.start !== undefined) found.push(span);
      return span.end;
    });
    return found.length > 0 ? mergeSpans(found) : NONE;
  }

  function text(given: string): string {
    if (given === clean) return given;
    const found = spans(given);
    if (found.length === 0 && given.length > SHORTEST_REMEMBERED) clean = given;
    return found.length === 0 ? given : maskSpans(given, found, 0, given.length);
  }

  function json(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return text(value);
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
    if (Array.isArray(value)) {
      let copy: unknown[] | undefined;
      for (let at = 0; at < value.length; at++) {
        const masked = json(value[at], depth + 1);
        if (masked !== value[at]) copy ??= value.slice();
        if (copy) copy[at] = masked;
      }
      return copy ?? value;
    }
    let changed = false;
    const entries = Object.entries(value).map(([key, each]) => {
      const name = text(key);
      const masked = typeof each === 'string' && NAMES.test(key) ? named(key, each) : json(each, depth + 1);
      changed ||= name !== key || masked !== each;
      return [name, masked] as const;
    });
    return changed ? Object.fromEntries(entries) : value;
  }

  /** A value whose name may tell that it is a secret. */
  function named(name: string, value: string): string {
    const before = `"${name}":"`;
    const all = `${before}${value}"`;
    return maskSpans(all, spans(all), before.length, all.length - 1);
  }

  return {
    text,
    json: <T>(value: T) => json(value) as T,
    spans,
    addSecret(value) {
      if (secrets.has(value)) return;
      secrets.add(value);
      forms = undefined;
      clean = undefined;
      knownSearch = undefined;
    },
    knownForms,
  };
}

const NONE: readonly Span[] = [];

function createShapeSearch(): ShapeSearch {
  const anchored = SHAPES.flatMap((shape) => shape.anchors.map((anchor) => ({ anchor, shape })));
  return {
    search: createLiteralSearch(
      anchored.map(({ anchor }) => anchor),
      { caseless: true },
    ),
    shapes: anchored.map(({ shape }) => shape),
  };
}
