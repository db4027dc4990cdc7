/** Lines compared at most, and characters of each, so that a large file cannot make a wrong edit expensive. */
const MAX_LINES = 50_000;
const MAX_COMPARED = 300;
const MAX_SHOWN = 160;
const MAX_CANDIDATES = 3;
/** Characters a new text must have for its presence to mean that the edit was made before. */
const MEANINGFUL = 8;
/** Share of equal character pairs from which a line counts as similar. */
const SIMILAR = 0.5;

/**
 * Why a text was not found, in sentences: it differs by white space only, the new text is there already, or these
 * lines look most like it.
 * @param text with `\n` line endings
 */
export function describeNearMiss(text: string, edit: { readonly old_text: string; readonly new_text: string }): string {
  const lines = text.split('\n', MAX_LINES);
  const wanted = edit.old_text.replaceAll('\r\n', '\n').split('\n');
  const line = findIgnoringWhiteSpace(lines, wanted);
  if (line !== undefined) {
    const found = lines.slice(line, line + Math.min(wanted.length, MAX_CANDIDATES));
    return `Line ${line + 1} differs from it only by white space:\n${show(found, line)}`;
  }
  const intended = edit.new_text.replaceAll('\r\n', '\n');
  const already = intended.trim().length < MEANINGFUL ? -1 : text.indexOf(intended);
  if (already >= 0) return `The new_text is already there, at line ${text.slice(0, already).split('\n').length}.`;
  const similar = mostSimilar(lines, wanted);
  if (similar.length === 0) return 'No line looks like it.';
  return `The most similar lines:\n${similar.map((at) => show([lines[at] ?? ''], at)).join('\n')}`;
}

function show(lines: readonly string[], first: number): string {
  return lines
    .map((line, index) => `${first + index + 1}: ${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line}`)
    .join('\n');
}

function findIgnoringWhiteSpace(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const squeeze = (line: string) => line.replace(/\s+/g, '');
  const targets = wanted.map(squeeze);
  while (targets.length > 1 && targets.at(-1) === '') targets.pop();
  while (targets.length > 1 && targets[0] === '') targets.shift();
  if (targets.every((target) => target === '')) return undefined;
  const squeezed = lines.map(squeeze);
  const last = targets.length - 1;
  for (let at = 0; at + last < squeezed.length; at += 1) {
    const fits = targets.every((target, index) => {
      const line = squeezed[at + index] as string;
      // The text may begin inside its first line and end inside its last one.
      if (last === 0) return line.includes(target);
      if (index === 0) return line.endsWith(target);
      return index === last ? line.startsWith(target) : line === target;
    });
    if (fits) return at;
  }
  return undefined;
}

/** Indexes of the lines most like the longest wanted line, best first. */
function mostSimilar(lines: readonly string[], wanted: readonly string[]): number[] {
  const anchor = wanted.map((line) => line.trim()).reduce((longest, line) => (line.length > longest.length ? line : longest), '');
  const pairs = pairsOf(anchor);
  if (pairs.size === 0) return [];
  return lines
    .map((line, at) => ({ at, score: similarity(pairs, pairsOf(line.trim())) }))
    .filter(({ score }) => score >= SIMILAR)
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, MAX_CANDIDATES)
    .map(({ at }) => at);
}

function pairsOf(line: string): Set<string> {
  const pairs = new Set<string>();
  const end = Math.min(line.length, MAX_COMPARED) - 1;
  for (let at = 0; at < end; at += 1) pairs.add(line.slice(at, at + 2));
  return pairs;
}

/** Sørensen–Dice coefficient of two sets of character pairs. */
function similarity(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const pair of other) if (one.has(pair)) shared += 1;
  return (2 * shared) / (one.size + other.size);
}
