import { marker } from './markers.ts';

/** A piece of text that is masked. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What kind of secret it is, for its marker; undefined for one that is known by its value. */
  readonly kind: string | undefined;
}

/** A piece of a text with markers instead of its spans. */
export function maskSpans(text: string, spans: readonly Span[], from: number, to: number): string {
  let masked = '';
  let done = from;
  for (const { start, end, kind } of spans) {
    if (end <= done) continue;
    if (start >= to) break;
    masked += text.slice(done, start) + marker(kind);
    done = end;
  }
  return masked + text.slice(done, to);
}

/** Spans that overlap or touch nothing else, in order: those that overlap become one, of the first kind that is known. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (!last || span.start >= last.end) merged.push(span);
    else
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end), kind: strongest(last.kind, span.kind) };
  }
  return merged;
}

/** A token tells more by its shape than by the name it was assigned to. */
function strongest(one: string | undefined, other: string | undefined): string | undefined {
  const isVague = (kind: string | undefined) => kind === undefined || kind === 'password' || kind === 'secret';
  if (!isVague(one)) return one;
  return isVague(other) ? (one ?? other) : other;
}
