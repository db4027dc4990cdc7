/** Finds any of many strings in one pass. */
export interface LiteralSearch {
  /**
   * Calls `visit` for every occurrence, overlapping ones too, in the order of their starts. `visit` returns the
   * position to go on from, or -1 for the next one.
   */
  search(text: string, visit: (literal: number, start: number) => number): void;
}

const TABLE_SIZE = 1 << 16;

/**
 * A search that looks at two characters and then jumps as far as none of the strings can begin (S. Wu, U. Manber,
 * "A fast algorithm for multi-pattern searching", 1994).
 * @param literals each at least two characters; the shortest one is the longest jump
 * @param caseless A to Z are the same as a to z
 */
export function createLiteralSearch(literals: readonly string[], { caseless = false } = {}): LiteralSearch {
  const shortest = Math.min(...literals.map(({ length }) => length));
  const shifts = new Uint8Array(TABLE_SIZE).fill(Math.min(shortest - 1, 255));
  const candidates = new Map<number, number[]>();
  for (const [index, literal] of literals.entries()) {
    for (let end = 1; end < shortest; end++) {
      const pair = pairAt(literal, end);
      shifts[pair] = Math.min(shifts[pair] as number, shortest - 1 - end);
    }
    const last = pairAt(literal, shortest - 1);
    candidates.set(last, [...(candidates.get(last) ?? []), index]);
  }
  const isAt = caseless ? isAtCaseless : (text: string, literal: string, start: number) => text.startsWith(literal, start);

  return {
    search(text, visit) {
      const { length } = text;
      let end = shortest - 1;
      while (end < length) {
        const pair = pairAt(text, end);
        const shift = shifts[pair] as number;
        if (shift > 0) {
          end += shift;
          continue;
        }
        const start = end - shortest + 1;
        end++;
        for (const index of candidates.get(pair) ?? []) {
          if (!isAt(text, literals[index] as string, start)) continue;
          const next = visit(index, start);
          if (next > start) end = Math.max(end, next + shortest - 1);
        }
      }
    },
  };
}

/** Two characters as a place in the table; letters of both cases, and rare characters, share places. */
function pairAt(text: string, end: number): number {
  return (((text.charCodeAt(end - 1) | 0x20) << 8) ^ (text.charCodeAt(end) | 0x20)) & (TABLE_SIZE - 1);
}

function isAtCaseless(text: string, literal: string, start: number): boolean {
  if (start + literal.length > text.length) return false;
  for (let at = 0; at < literal.length; at++) {
    if ((text.charCodeAt(start + at) | 0x20) !== (literal.charCodeAt(at) | 0x20)) return false;
  }
  return true;
}
