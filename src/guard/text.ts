/** Makes what came from outside safe to show to people, terminals and models. */
import type { CapturedOutput } from '../backends/backend.ts';

/**
 * Escape sequences of terminals (ECMA-48), in their 7-bit and 8-bit forms: control sequences; control strings, which
 * carry titles, links, the clipboard or images; and two-character sequences. A control string that is not ended goes
 * no further than its line, or it would hide the rest of the output; only device strings may span lines.
 */
const ESCAPES = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*(?:[@-~]|$)`,
    String.raw`(?:\u001b[PX^_]|[\u0090\u0098\u009e\u009f])[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u009c|\u001b\\)`,
    String.raw`(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u0080-\u009f]*(?:\u0007|\u009c|\u001b\\)?`,
    String.raw`\u001b[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);
/** Bold and underlined letters as printers make them (manual pages): struck twice, or over a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const OVERSTRIKES = /_\u0008(?=[^\n])|(.)\u0008(?=\1)/gu;
/** Control characters but tab and line feed. */
const CONTROLS = /(?![\t\n])\p{Cc}/gu;
/** Characters that change the order of others: bidi controls. */
const REORDERING = String.raw`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069`;
/** Characters that cannot be seen: blanks without width, fillers, tags, the variation selectors that no font has. */
const UNSEEN = String.raw`\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}`;
/** A joiner is seen only between the signs it joins, a variation selector only once behind its sign. */
const MISUSED = String.raw`(?<![^\0-\u024f])\u200d|\u200d(?![^\0-\u024f])|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+`;
const INVISIBLE = new RegExp(`[${REORDERING}${UNSEEN}]|${MISUSED}`, 'gu');

/** Text without terminal escapes, control characters and invisible tricks; line ends become `\n`, NUL becomes `␀`. */
export function safeText(text: string): string {
  if (!/[^\t\n -~]/.test(text)) return text;
  return text
    .replace(ESCAPES, '')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(OVERSTRIKES, '')
    .replaceAll('\0', '␀')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '');
}

/** Characters that text seldom has: what is no UTF-8, and controls that do not format it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const ODD = /\ufffd|(?![\t\n\r\f\u0007\u0008\u001b])\p{Cc}/gu;
/**
 * Their share above which output counts as binary. Random bytes have half, executables more; text in an old encoding
 * and lists of names that NUL separates have less.
 */
const ODD_SHARE = 0.3;

/** Whether bytes are not text, as their beginning tells. */
export function isBinary(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, 8192));
  return (text.match(ODD)?.length ?? 0) > text.length * ODD_SHARE;
}

export interface ShownOutput {
  /** Head and tail joined by a line that says how much is missing; of binary output its size and beginning. */
  readonly text: string;
  /** Bytes of neither head nor tail, with those of characters that the cut went through. */
  readonly omittedBytes: number;
  /** Absent for clean UTF-8. */
  readonly flaw?: 'invalid_utf8' | 'binary';
}

/** Bytes of binary output that are shown. */
const BINARY_BYTES = 64;

/** What a command wrote, safe to show. */
export function showOutput({ head, tail, totalBytes, omittedBytes }: CapturedOutput): ShownOutput {
  const cut = omittedBytes > 0;
  const [start, end] = cut ? [withoutCutEnd(head), withoutCutStart(tail)] : [head, tail];
  if (isBinary(start) || isBinary(end)) {
    const first = Buffer.from(head.subarray(0, BINARY_BYTES));
    return {
      text: `[binary, ${totalBytes} bytes, base64 of the first ${first.length}: ${first.toString('base64')}; write it to a file and read that with encoding=base64]`,
      omittedBytes,
      flaw: 'binary',
    };
  }
  const text = [new TextDecoder().decode(start), new TextDecoder().decode(end)];
  const flaw = text.some((part) => part.includes('\ufffd')) && !(isUtf8(start) && isUtf8(end)) ? 'invalid_utf8' : undefined;
  const missing = omittedBytes + (head.byteLength - start.byteLength) + (tail.byteLength - end.byteLength);
  const shown = cut ? text.map(safeText).join(`\n[… ${missing} bytes left out …]\n`) : safeText(text.join(''));
  return { text: shown, omittedBytes: missing, ...(flaw && { flaw }) };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** Without the beginning of a character whose rest was cut off (RFC 3629). */
function withoutCutEnd(bytes: Uint8Array): Uint8Array {
  let lead = bytes.byteLength - 1;
  while (lead > bytes.byteLength - 4 && isContinuation(bytes[lead])) lead--;
  const first = bytes[lead] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return lead + length > bytes.byteLength ? bytes.subarray(0, lead) : bytes;
}

/** Without the rest of a character whose beginning was cut off. */
function withoutCutStart(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < 3 && isContinuation(bytes[at])) at++;
  return bytes.subarray(at);
}
