/** Makes what came from outside safe to show to people, terminals and models. */

/** Escape sequences of terminals (ECMA-48): control sequences, control strings, and two-character ones. */
const ESCAPES = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)`,
    String.raw`\u001b[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);
/** Control characters but tab and line feed. */
const CONTROLS = /(?![\t\n])\p{Cc}/gu;
/** Characters that change the order of others or cannot be seen: bidi controls, zero-width ones, tags. */
const INVISIBLE = /[\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu;

/** Text without terminal escapes, control characters and invisible tricks; line ends become `\n`. */
export function safeText(text: string): string {
  if (!/[^\t\n -~]/.test(text)) return text;
  return text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(CONTROLS, '').replace(INVISIBLE, '');
}

/** Share of bytes that no text has, above which output counts as binary. */
const BINARY_SHARE = 0.1;

/** Whether bytes are not text: they hold NUL, or much that is no UTF-8. */
export function isBinary(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, 8192);
  if (sample.includes(0)) return true;
  const text = new TextDecoder().decode(sample);
  const broken = text.split('\ufffd').length - 1;
  return broken > 1 && broken > text.length * BINARY_SHARE;
}
