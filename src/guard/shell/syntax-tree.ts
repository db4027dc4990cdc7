/** A parse tree as plain objects: reading it node by node out of the parser's memory takes longer than parsing does. */
import type { Tree, TreeCursor } from 'web-tree-sitter';

export interface SyntaxNode {
  /** As tree-sitter-bash names it; punctuation is its own type. */
  readonly type: string;
  /** False for punctuation and keywords. */
  readonly named: boolean;
  /** It was put in by the parser where something is missing. */
  readonly missing: boolean;
  /** Indexes into the script, UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** What it is to its parent. */
  readonly field: string | null;
  readonly children: readonly SyntaxNode[];
}

/** Deeper than any script that is written by hand. */
const MAX_DEPTH = 150;

/** Thrown for a tree past any measure. */
export class TooDeep extends Error {}

/** @throws TooDeep */
export function syntaxTree(tree: Tree): SyntaxNode {
  const cursor = tree.walk();
  try {
    return copy(cursor, tree.rootNode.hasError, 0);
  } finally {
    cursor.delete();
  }
}

function copy(cursor: TreeCursor, flawed: boolean, depth: number): SyntaxNode {
  if (depth > MAX_DEPTH) throw new TooDeep();
  const type = cursor.nodeType;
  const named = cursor.nodeIsNamed;
  const missing = flawed && cursor.nodeIsMissing;
  const start = cursor.startIndex;
  const end = cursor.endIndex;
  const field = depth === 0 ? null : cursor.currentFieldName;
  const children: SyntaxNode[] = [];
  if (named && cursor.gotoFirstChild()) {
    do children.push(copy(cursor, flawed, depth + 1));
    while (cursor.gotoNextSibling());
    cursor.gotoParent();
  }
  return { type, named, missing, start, end, field, children };
}

/** The smallest node that holds the character at the index. */
export function nodeAt(root: SyntaxNode, index: number): SyntaxNode {
  const inside = root.children.find(({ start, end }) => start <= index && index < end);
  return inside ? nodeAt(inside, index) : root;
}

export function childIn(node: SyntaxNode, field: string): SyntaxNode | undefined {
  return node.children.find((child) => child.field === field);
}
