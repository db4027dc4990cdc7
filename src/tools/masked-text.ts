/** Text that came from a model who was shown masks: they must not be written over the secrets they stand for. */
import { Failure } from '../errors.ts';
import { holdsMarker, MARKER, markersIn } from '../redaction/markers.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { maskSpans } from '../redaction/span.ts';
import { type Edit, toUnix } from './file-edits.ts';

/**
 * @param before the old content of the file; empty when there is none
 * @throws Failure `invalid_input` when the new content has more masks than the old one
 */
export function refuseNewMarkers(path: string, before: string, after: string): void {
  const had = new Map<string, number>();
  for (const marker of markersIn(before)) had.set(marker, (had.get(marker) ?? 0) + 1);
  for (const marker of markersIn(after)) {
    const left = had.get(marker) ?? 0;
    if (left === 0) {
      throw new Failure('invalid_input', `${path} was not changed: ${marker} is what tools show instead of a secret.`, {
        hint:
          'Use edit_file with old_text and new_text that have the mask at the same place, and the secret stays. ' +
          'If these characters themselves are meant, use write_file with encoding=base64.',
        details: { marker },
      });
    }
    had.set(marker, left - 1);
  }
}

/**
 * The edit as it is meant: where old_text has masks, they stand for the secrets of the one place in the file that is shown
 * like that, and the same masks in new_text for the same secrets.
 * @throws Failure `invalid_input` when several places are shown like that
 */
export function unmaskEdit(text: string, edit: Edit): Edit {
  if (!holdsMarker(edit.old_text)) return edit;
  const unix = toUnix(text);
  const wanted = toUnix(edit.old_text);
  if (unix.includes(wanted)) return edit;
  const view = maskedView(unix);
  const at = view.shown.indexOf(wanted);
  if (at < 0) return edit;
  if (view.shown.includes(wanted, at + 1)) {
    throw new Failure('invalid_input', 'The old_text with masked secrets fits several places in the file.', {
      hint: 'Add lines around it to old_text until it is unique.',
    });
  }
  const masks = view.masks.filter(({ start, marker }) => start >= at && start + marker.length <= at + wanted.length);
  const left = [...masks];
  return {
    ...edit,
    old_text: unix.slice(view.toOriginal(at), view.toOriginal(at + wanted.length)),
    // In their order; a mask that is left out is a secret that goes.
    new_text: toUnix(edit.new_text).replace(MARKER, (marker) => {
      const next = left.findIndex((mask) => mask.marker === marker);
      return next < 0 ? marker : (left.splice(0, next + 1).at(-1)?.original ?? marker);
    }),
  };
}

interface Mask {
  readonly marker: string;
  /** Where it stands in the shown text. */
  readonly start: number;
  /** What it stands for: itself, where the file has just these characters. */
  readonly original: string;
}

interface MaskedView {
  readonly shown: string;
  readonly masks: readonly Mask[];
  /** The place in the text that a place in the shown one, in no mask, means. */
  toOriginal(position: number): number;
}

/** A text as tools show it, and what its masks stand for. */
function maskedView(text: string): MaskedView {
  const spans = redactor.spans(text);
  const shown = maskSpans(text, spans, 0, text.length);
  const masks: Mask[] = [];
  let longer = 0;
  let next = 0;
  for (const { 0: marker, index: start } of shown.matchAll(MARKER)) {
    const span = spans[next];
    if (!span || span.start + longer !== start) {
      masks.push({ marker, start, original: marker });
      continue;
    }
    masks.push({ marker, start, original: text.slice(span.start, span.end) });
    longer += marker.length - (span.end - span.start);
    next++;
  }
  const toOriginal = (position: number) =>
    masks.reduce((at, { marker, start, original }) => (start < position ? at - marker.length + original.length : at), position);
  return { shown, masks, toOriginal };
}
