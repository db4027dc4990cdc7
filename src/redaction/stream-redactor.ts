/** Redaction of text that comes in pieces: a secret that a border cuts in two must not slip through. */
import { isUnfinishedKey } from './private-keys.ts';
import type { Redactor } from './redactor.ts';
import { maskSpans } from './span.ts';

export interface StreamRedactor {
  /** Takes the next piece, and gives what can be let go by now. */
  push(piece: string): string;
  /** What was held back, at the end. */
  flush(): string;
}

/** Characters of one word that are held back at most. */
const LONGEST_WORD = 8 * 1024;
/** Characters let go that are remembered: what stands before a word decides on what it is. */
const CONTEXT = 1024;

/**
 * Held back are the last word, a quoted value or private key that has no end yet, and what a known secret could begin
 * with. All that is given is together what the redactor makes of the whole text, but for words longer than 8 KiB.
 */
export function createStreamRedactor(redactor: Redactor): StreamRedactor {
  let context = '';
  let held = '';
  /** What was let go last was masked, and may go on. */
  let masking = false;
  const startOfKnown = createPrefixSearch(redactor);

  function release(all: string, limit: number): string {
    const spans = redactor.spans(all);
    const cut = spans.find(({ start, end }) => start < limit && end > limit);
    // It may go on, or it goes as a whole.
    const from = !cut ? limit : cut.end === all.length && all.length - cut.start <= LONGEST_WORD ? cut.start : cut.end;
    const end = Math.max(from, context.length);
    // The rest of what was masked before has its marker already.
    const rest = masking ? spans.find((span) => span.start < context.length && span.end > context.length) : undefined;
    const given = maskSpans(all, spans, Math.min(rest?.end ?? context.length, end), end);
    masking = spans.some((span) => span.start < end && span.end >= end);
    held = all.slice(end);
    context = all.slice(Math.max(0, end - CONTEXT), end);
    return given;
  }

  return {
    push(piece) {
      if (piece === '') return '';
      const all = context + held + piece;
      return release(all, Math.min(startOfUnfinished(all), startOfKnown(all)));
    },
    flush() {
      const last = held === '' ? '' : release(context + held, context.length + held.length);
      const rest = held === '' ? '' : redactor.text(held);
      context = '';
      held = '';
      return last + rest;
    },
  };
}

/** The same for bytes, which need not be text: those that are no secret stay as they are. */
export interface ByteRedactor {
  push(bytes: Uint8Array): Uint8Array;
  flush(): Uint8Array;
}

export function createByteRedactor(redactor: Redactor): ByteRedactor {
  const stream = createStreamRedactor(redactor);
  const view = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    push: (bytes) => Buffer.from(stream.push(view(bytes).toString('latin1')), 'latin1'),
    flush: () => Buffer.from(stream.flush(), 'latin1'),
  };
}

/** Where the last word begins, or the private key it is in. */
function startOfUnfinished(text: string): number {
  let start = text.length;
  while (start > 0 && text.length - start < LONGEST_WORD && !isBlank(text.charCodeAt(start - 1))) start--;
  const block = text.lastIndexOf('-----BEGIN ');
  return block >= 0 && block < start && isUnfinishedKey(text, block) ? block : start;
}

const isBlank = (code: number) => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** Finds where the end of a text begins that is the beginning of a known secret, in any of its forms. */
function createPrefixSearch(redactor: Redactor): (text: string) => number {
  let indexed: readonly string[] | undefined;
  let longest = 0;
  const byFirst = new Map<number, string[]>();

  return (text) => {
    const forms = redactor.knownForms();
    if (forms !== indexed) {
      indexed = forms;
      longest = Math.max(0, ...forms.map(({ length }) => length));
      byFirst.clear();
      for (const form of forms) byFirst.set(form.charCodeAt(0), [...(byFirst.get(form.charCodeAt(0)) ?? []), form]);
    }
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
      const candidates = byFirst.get(text.charCodeAt(at));
      const rest = candidates && text.slice(at);
      if (rest !== undefined && candidates?.some((form) => form.length > rest.length && form.startsWith(rest))) return at;
    }
    return text.length;
  };
}
