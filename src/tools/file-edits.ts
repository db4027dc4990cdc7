import { Failure } from '../errors.ts';
import { describeNearMiss } from './near-miss.ts';

/** One replacement; `old_text` must occur exactly once unless all occurrences are meant. */
export interface Edit {
  readonly old_text: string;
  readonly new_text: string;
  readonly replace_all?: boolean | undefined;
}

export interface EditedText {
  readonly text: string;
  readonly replacements: number;
}

/** Line numbers named in a failure at most. */
const MAX_NAMED_LINES = 10;

/**
 * The text after all edits, each applied to what the one before left. Line breaks of `old_text` and `new_text` mean
 * those of the file: in a CRLF file `\n` finds `\r\n`, and what is put in gets the file's ending. Everything not
 * replaced keeps its bytes.
 * @throws Failure `invalid_input` when one edit does not fit; nothing has been applied then
 */
export function applyEdits(text: string, edits: readonly Edit[]): EditedText {
  const lineBreak = text.includes('\n') ? usualLineBreak(text) : undefined;
  let edited = text;
  let replacements = 0;
  edits.forEach((edit, index) => {
    const name = edits.length > 1 ? `edit ${index + 1} of ${edits.length}` : 'the edit';
    const places = findPlaces(edited, edit, name);
    const replacement = lineBreak ? toUnix(edit.new_text).replaceAll('\n', lineBreak) : edit.new_text;
    edited = replaceAt(edited, places, replacement);
    replacements += places.length;
  });
  if (edited === text) {
    throw new Failure('invalid_input', 'The edits change nothing: the file already reads like that.', {
      hint: 'Give a new_text that differs from old_text.',
    });
  }
  return { text: edited, replacements };
}

/** The line ending most lines of a text have. */
function usualLineBreak(text: string): '\n' | '\r\n' {
  let windows = 0;
  let all = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    all += 1;
    if (text[at - 1] === '\r') windows += 1;
  }
  return windows * 2 > all ? '\r\n' : '\n';
}

export function toUnix(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function findPlaces(text: string, edit: Edit, name: string): Place[] {
  const wanted = toUnix(edit.old_text);
  if (wanted === '') {
    throw new Failure('invalid_input', `In ${name} old_text is empty.`, {
      hint: 'Give the text to replace, or use write_file for a new file.',
    });
  }
  const unix = toUnix(text);
  const found: number[] = [];
  const step = edit.replace_all ? wanted.length : 1;
  for (let at = unix.indexOf(wanted); at >= 0; at = unix.indexOf(wanted, at + step)) found.push(at);
  if (found.length === 0) {
    throw new Failure('invalid_input', `The old_text of ${name} is not in the file. ${describeNearMiss(unix, edit)}`, {
      hint: 'Copy the text exactly as read_file shows it, white space included.',
    });
  }
  if (found.length > 1 && !edit.replace_all) {
    const lines = found.slice(0, MAX_NAMED_LINES).map((at) => lineAt(unix, at));
    const more = found.length > MAX_NAMED_LINES ? ' and more' : '';
    throw new Failure(
      'invalid_input',
      `The old_text of ${name} occurs ${found.length} times, at lines ${lines.join(', ')}${more}.`,
      {
        hint: 'Add lines around it to old_text until it is unique, or set replace_all.',
        details: { occurrences: found.length, lines },
      },
    );
  }
  const places = found.map((start) => ({ start, end: start + wanted.length }));
  return unix.length === text.length ? places : toOriginal(text, places);
}

/** Places in the text with `\n` endings, as places in the text with the `\r` that were left out. */
function toOriginal(text: string, places: readonly Place[]): Place[] {
  let skipped = 0;
  let next = text.indexOf('\r\n');
  const original = (position: number) => {
    while (next >= 0 && next - skipped < position) {
      skipped += 1;
      next = text.indexOf('\r\n', next + 2);
    }
    return position + skipped;
  };
  return places.map(({ start, end }) => ({ start: original(start), end: original(end) }));
}

function replaceAt(text: string, places: readonly Place[], replacement: string): string {
  const parts: string[] = [];
  let done = 0;
  for (const { start, end } of places) {
    parts.push(text.slice(done, start), replacement);
    done = end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
