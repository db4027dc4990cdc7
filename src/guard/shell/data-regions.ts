/**
 * Checks the parts of a script that are taken for data. Where the grammar and a shell disagreed about where a comment,
 * a quoted text or a here-document ends, commands could hide there.
 */
import { isExpanded } from './redirections.ts';
import type { ScriptProblem } from './script.ts';
import { nodeAt, type SyntaxNode } from './syntax-tree.ts';

/** Control characters but tab and line feed, and blanks that only look like blanks to a shell, or only to the grammar. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const STRANGE = /[\0-\x08\x0b-\x1f\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]/g;
/** Where text is only text. */
const TEXT_NODES = new Set(['string_content', 'string', 'raw_string', 'heredoc_body', 'heredoc_content', 'comment']);

/** The first strange character outside quotes, comments and here-documents. */
export function strangeCharacters(root: SyntaxNode, text: string): ScriptProblem | undefined {
  STRANGE.lastIndex = 0;
  for (let found = STRANGE.exec(text); found; found = STRANGE.exec(text)) {
    const code = text.charCodeAt(found.index);
    const place = nodeAt(root, found.index);
    const harmless = code > 0x1f && code !== 0x7f && TEXT_NODES.has(place.type);
    if (harmless) continue;
    return {
      reason: `it holds the character U+${code.toString(16).toUpperCase().padStart(4, '0')}, which shells and people read differently`,
      source: text.slice(Math.max(0, found.index - 20), found.index + 20),
    };
  }
  return undefined;
}

/** Where a backslash before a line feed is itself, as it is in a here-document whose delimiter is quoted. */
const KEEPS_BACKSLASH = new Set(['raw_string', 'ansi_c_string', 'comment']);

/**
 * The script with continued lines joined (POSIX.1-2024 2.2.1), which a shell does before it takes words apart; the
 * grammar takes the place for a blank.
 */
export function joinLines(root: SyntaxNode, text: string): string {
  if (!text.includes('\\\n')) return text;
  const verbatim = verbatimRanges(root, text);
  return text.replace(/\\./gs, (pair, at: number) => {
    if (pair !== '\\\n' || verbatim.some(({ start, end }) => start <= at && at < end)) return pair;
    const place = nodeAt(root, at);
    return KEEPS_BACKSLASH.has(place.type) ? pair : '';
  });
}

/** Here-documents that a shell takes as they stand. */
function verbatimRanges(node: SyntaxNode, text: string): readonly Pick<SyntaxNode, 'start' | 'end'>[] {
  const inside = node.children.flatMap((child) => verbatimRanges(child, text));
  if (node.type !== 'heredoc_redirect' || isExpanded(node, text)) return inside;
  return [...inside, ...node.children.filter(({ type }) => type === 'heredoc_body')];
}

/** Why a node that is taken for data may be none; undefined when it is. */
export function dataProblem(node: SyntaxNode, text: string): string | undefined {
  const source = text.slice(node.start, node.end);
  switch (node.type) {
    case 'raw_string':
      return /^'[^']*'$/.test(source) ? undefined : 'a single-quoted text does not end where it seems to';
    case 'comment': {
      const before = text[node.start - 1];
      const begins = before === undefined || /[ \t\n;&|()]/.test(before);
      return begins && /^#[^\n]*$/.test(source) ? undefined : 'a comment does not begin or end where it seems to';
    }
    case 'heredoc_redirect':
      return hereDocumentProblem(node, text);
    default:
      return undefined;
  }
}

/** A here-document ends at the first line that is its delimiter, quotes taken off (POSIX.1-2024 2.7.4). */
function hereDocumentProblem(node: SyntaxNode, text: string): string | undefined {
  const slice = (part: SyntaxNode) => text.slice(part.start, part.end);
  const start = node.children.find(({ type }) => type === 'heredoc_start');
  const body = node.children.find(({ type }) => type === 'heredoc_body');
  const end = node.children.find(({ type }) => type === 'heredoc_end');
  const wrong = 'a here-document does not end where it seems to';
  if (!start || !end) return wrong;
  const lineEnd = text.indexOf('\n', start.end);
  // The grammar takes a first line that begins with a backslash for more words of the command.
  const isBehind = ({ field, type, end }: SyntaxNode) => field !== null && !/^heredoc_(?:body|end)$/.test(type) && end > lineEnd;
  if (lineEnd !== -1 && node.children.some(isBehind)) return 'a here-document begins in a way that cannot be read';
  const written = slice(start);
  const plain = /^(?:\w+|'[^'\\]+'|"[^"\\$`]+"|\\\w+)$/.test(written);
  if (!plain) return 'the delimiter of a here-document is quoted in an unusual way';
  const delimiter = written.replace(/['"\\]/g, '');
  const stripsTabs = slice(node).startsWith('<<-') || /^\d*<<-/.test(slice(node));
  const lines = (body ? slice(body) : '').split('\n');
  const isEnd = (line: string) => (stripsTabs ? line.replace(/^\t+/, '') : line) === delimiter;
  if (lines.slice(0, -1).some(isEnd)) return wrong;
  const endLine = text.slice(text.lastIndexOf('\n', end.end - 1) + 1).split('\n', 1)[0] ?? '';
  return isEnd(endLine) ? undefined : wrong;
}

/** Within double quotes a single quote is itself, in `${x:-'}` too; the grammar takes it for the beginning of a text. */
export function quotesInExpansion(string: SyntaxNode): boolean {
  const hasQuote = (part: SyntaxNode): boolean =>
    part.type === 'raw_string' ||
    part.type === 'ansi_c_string' ||
    (part.type !== 'command_substitution' && part.children.some(hasQuote));
  return string.children.some((child) => child.type === 'expansion' && hasQuote(child));
}

/** The text of a node with blanks where its named parts stand. */
export function withoutParts(node: SyntaxNode, text: string): string {
  let rest = text.slice(node.start, node.end);
  for (const { start, end, named, type } of node.children) {
    if (!named || type === 'heredoc_content') continue;
    rest = rest.slice(0, start - node.start) + ' '.repeat(end - start) + rest.slice(end - node.start);
  }
  return rest;
}
