/** What stands in the place of a secret. It tells what kind of secret was there, and neither its text nor its length. */

/** Finds all of them. */
export const MARKER = /\[redacted(?::[a-z][a-z-]{0,40})?\]/g;

/** The marker for a kind of secret, `[redacted:github-token]`; without a kind `[redacted]`. */
export function marker(kind: string | undefined): string {
  return kind === undefined ? '[redacted]' : `[redacted:${kind}]`;
}

/** Whether a text holds a marker: somebody is about to write down what we showed instead of a secret. */
export function holdsMarker(text: string): boolean {
  return text.includes('[redacted') && text.search(MARKER) >= 0;
}

/** The markers in a text, in order. */
export function markersIn(text: string): readonly string[] {
  return text.includes('[redacted') ? (text.match(MARKER) ?? []) : [];
}
