import type { Redirection, Word } from './script.ts';
import type { SyntaxNode } from './syntax-tree.ts';
import { joinWords, readWord } from './words.ts';

/**
 * Adds what a node redirects to `found`.
 * @returns words that stand behind the target: they belong to the command
 */
export function readRedirection(node: SyntaxNode, script: string, found: Redirection[]): Word[] {
  const slice = ({ start, end }: SyntaxNode) => script.slice(start, end);
  const word = (part: SyntaxNode) => readWord(part, slice(part));
  if (node.type === 'heredoc_redirect') {
    const body = node.children.find(({ type }) => type === 'heredoc_body');
    const text = body ? slice(body) : '';
    const known = !isExpanded(node, script) || !/[$`\\]/.test(text);
    found.push({ operator: '<<', target: undefined, text: known ? text : undefined });
    const behind = node.children.filter(({ field }) => field === 'argument').map(word);
    // The rest of its line hangs below it.
    for (const child of node.children)
      if (child.type.endsWith('_redirect')) behind.push(...readRedirection(child, script, found));
    return behind;
  }
  let operator = '';
  const targets: Word[] = [];
  let end = -1;
  for (const child of node.children) {
    if (child.type === 'file_descriptor') continue;
    if (operator === '' && !child.named) operator = slice(child);
    else if (child.type !== 'ERROR' && !isDescriptor(child, script)) {
      if (child.start === end && targets.length > 0) targets.push(joinWords(targets.pop() as Word, word(child)));
      else targets.push(word(child));
      end = child.end;
    }
  }
  const [target, ...behind] = targets;
  const text = node.type === 'herestring_redirect' ? target?.value : undefined;
  found.push({ operator, target, ...(text !== undefined && { text }) });
  return behind;
}

/** A number right before a redirection is its descriptor (POSIX.1-2024 2.7); the grammar does not always see that. */
export function isDescriptor({ type, end }: SyntaxNode, script: string): boolean {
  return type === 'number' && /[<>]/.test(script[end] ?? '');
}

/** Whether the text of a here-document is expanded: its delimiter is not quoted. */
export function isExpanded({ children }: SyntaxNode, script: string): boolean {
  const start = children.find(({ type }) => type === 'heredoc_start');
  return !start || !/['"\\]/.test(script.slice(start.start, start.end));
}
