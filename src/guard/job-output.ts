/** The output of jobs in pieces: without secrets, also those that a border cuts in two, and safe to show. */
import type { Job, OutputStream } from '../backends/backend.ts';
import { matchLines } from '../backends/line-matcher.ts';
import { compileSearchPattern } from '../backends/search-pattern.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { maskSpans } from '../redaction/span.ts';
import { showOutput } from './text.ts';

/** Which part of a stream. */
export type PieceRange = { readonly maxBytes: number } & (
  | { readonly offset: number }
  /** The last so many lines, as far as they fit. */
  | { readonly lastLines: number }
);

export interface JobPiece {
  readonly text: string;
  /** Byte that it begins at. */
  readonly offset: number;
  /** Byte that the next piece begins at. */
  readonly nextOffset: number;
  /** Bytes there are by now. */
  readonly totalBytes: number;
  readonly flaw?: 'invalid_utf8' | 'binary';
}

type ReadBytes = (position: number, length: number) => Promise<Uint8Array>;

/** Bytes looked at before and behind a piece: a secret that begins or ends there is known for one. */
const CONTEXT_BYTES = 8 * 1024;

/** @param totalBytes of the stream by now */
export async function readPiece(read: ReadBytes, totalBytes: number, range: PieceRange): Promise<JobPiece> {
  const { maxBytes } = range;
  const wanted = 'offset' in range ? range.offset : await startOfLines(read, totalBytes, range.lastLines, maxBytes);
  const offset = Math.min(wanted, totalBytes);
  const from = Math.max(0, offset - CONTEXT_BYTES);
  const around = Buffer.from(await read(from, offset - from + maxBytes + CONTEXT_BYTES));
  const start = offset - from;
  const end = characterBorder(around, Math.min(start + maxBytes, totalBytes - from, around.byteLength), start);
  const characters = around.toString('latin1');
  const masked = Buffer.from(maskSpans(characters, redactor.spans(characters), start, end), 'latin1');
  const { text, flaw } = showOutput({ head: masked, tail: new Uint8Array(), totalBytes: masked.byteLength, omittedBytes: 0 });
  return { text, offset, nextOffset: from + end, totalBytes, ...(flaw && { flaw }) };
}

/** The end of a piece so that it does not end within a character (RFC 3629); as given where there is no such border near. */
function characterBorder(bytes: Buffer, end: number, start: number): number {
  for (let lead = end - 1; lead >= Math.max(start + 1, end - 3); lead--) {
    const byte = bytes[lead] as number;
    if (byte < 0x80) return end;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return lead + length > end ? lead : end;
  }
  return end;
}

async function startOfLines(read: ReadBytes, totalBytes: number, lines: number, maxBytes: number): Promise<number> {
  const from = Math.max(0, totalBytes - maxBytes);
  const bytes = Buffer.from(await read(from, totalBytes - from));
  // The line feed that ends the last line begins no other.
  let at = bytes.byteLength - 1;
  for (let left = lines; left > 0; left--) {
    at = at > 0 ? bytes.lastIndexOf(0x0a, at - 1) : -1;
    if (at < 0) return from;
  }
  return from + at + 1;
}

export interface WaitPattern {
  /** Regular expression for a line as it is shown; the last one need not be complete. */
  readonly expression: string;
  /** Streams to look at, each from this byte on. */
  readonly offsets: Readonly<Partial<Record<OutputStream, number>>>;
}

export interface Found {
  readonly stream: OutputStream;
  /** The line, at most 500 characters around what was looked for. */
  readonly line: string;
}

const PIECE_BYTES = 64 * 1024;
/** Characters of an unfinished line that are kept until it goes on. */
const MAX_LINE = 10_000;

/**
 * Looks at what has come since the last look.
 * @throws Failure `invalid_input` for an expression that is none, or takes too long
 */
export function searchOutput(
  { expression, offsets }: WaitPattern,
  read: (stream: OutputStream, position: number, length: number) => Promise<Uint8Array>,
): (job: Job) => Promise<Found | undefined> {
  const pattern = compileSearchPattern(expression, true);
  const places = (Object.entries(offsets) as [OutputStream, number][]).map(([stream, offset]) => ({ stream, offset, rest: '' }));
  return async ({ bytes }) => {
    for (const place of places) {
      const { stream } = place;
      while (place.offset < bytes[stream]) {
        const range = { offset: place.offset, maxBytes: PIECE_BYTES };
        const piece = await readPiece((position, length) => read(stream, position, length), bytes[stream], range);
        if (piece.nextOffset === place.offset) break;
        const lines = (place.rest + piece.text).split('\n');
        place.offset = piece.nextOffset;
        place.rest = (lines.at(-1) ?? '').slice(-MAX_LINE);
        const [match] = matchLines(
          lines.map((text, line) => ({ path: stream, line, text })),
          pattern,
        );
        if (match) return { stream, line: match.text };
      }
    }
    return undefined;
  };
}
