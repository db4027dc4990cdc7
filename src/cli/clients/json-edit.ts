/**
 * Small changes to JSON text that somebody else wrote. Everything outside the change stays byte for byte:
 * comments, order, indentation, line ends.
 */
import type { Node, ParseError } from 'jsonc-parser';

type Parser = typeof import('jsonc-parser');

export interface JsonDialect {
  /** Comments and trailing commas are allowed. */
  readonly comments: boolean;
}

/** Where a text stops being JSON, 1-based. */
export class JsonProblem extends Error {
  readonly line: number;
  readonly column: number;

  constructor(text: string, offset: number, what: string) {
    super(what);
    const before = text.slice(0, offset).split('\n');
    this.line = before.length;
    this.column = (before.at(-1)?.length ?? 0) + 1;
  }
}

/** A text that holds one JSON object, ready to be changed. */
export interface JsonText {
  readonly text: string;
  /** The values it holds. */
  readonly values: unknown;
  /** The same text with the value at the keys set; objects on the way are made. @throws JsonProblem */
  set(keys: readonly string[], value: unknown): JsonText;
  /** The same text without the property at the keys. */
  remove(keys: readonly string[]): JsonText;
}

/** @throws JsonProblem for what is not one object, or names a key twice */
export async function openJson(text: string, dialect: JsonDialect): Promise<JsonText> {
  // A CommonJS module for Node, whose names only some runtimes find: as the default export it is whole.
  const loaded: Parser & { readonly default?: Parser } = await import('jsonc-parser');
  return parse(loaded.default ?? loaded, text.trim() === '' ? '{}\n' : text, dialect);
}

function parse(parser: Parser, text: string, dialect: JsonDialect): JsonText {
  // A byte order mark is no JSON; as a blank it is skipped and keeps every offset.
  const readable = text.replace(/^\uFEFF/, ' ');
  const errors: ParseError[] = [];
  const root = parser.parseTree(readable, errors, {
    disallowComments: !dialect.comments,
    allowTrailingComma: dialect.comments,
  });
  const [error] = errors;
  if (error) throw new JsonProblem(text, error.offset, `not valid JSON (${parser.printParseErrorCode(error.error)})`);
  if (root?.type !== 'object') throw new JsonProblem(text, root?.offset ?? 0, 'not a JSON object');
  refuseDoubles(text, root);
  const again = (changed: string) => parse(parser, changed, dialect);
  return {
    text,
    values: parser.getNodeValue(root),
    set: (keys, value) => again(set(parser, text, root, keys, value)),
    remove: (keys) => again(remove(parser, text, root, keys)),
  };
}

/** Readers disagree on which of two equal keys counts, so we could not tell what a change does. */
function refuseDoubles(text: string, node: Node): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (node.type === 'object') {
      const [key] = child.children ?? [];
      if (seen.has(key?.value)) throw new JsonProblem(text, child.offset, `the key "${key?.value}" is there twice`);
      seen.add(key?.value);
    }
    refuseDoubles(text, child);
  }
}

function set(parser: Parser, text: string, root: Node, keys: readonly string[], value: unknown): string {
  let at = root;
  for (const [depth, key] of keys.entries()) {
    const below = parser.findNodeAtLocation(at, [key]);
    if (below === undefined) {
      const inner = keys.slice(depth + 1).reduceRight<unknown>((inside, name) => ({ [name]: inside }), value);
      return insert(parser, text, at, key, inner);
    }
    if (depth < keys.length - 1 && below.type !== 'object') {
      throw new JsonProblem(text, below.offset, `"${key}" is not an object`);
    }
    at = below;
  }
  return splice(text, at.offset, at.offset + at.length, written(text, value, indentAt(text, at.offset)));
}

/** Adds a property after the last one of an object, on lines of its own where the object has them. */
function insert(parser: Parser, text: string, object: Node, key: string, value: unknown): string {
  const closing = object.offset + object.length - 1;
  const last = object.children?.at(-1);
  const outer = indentAt(text, object.offset);
  if (last && !text.slice(object.offset, closing).includes('\n')) {
    const comma = commaAfter(parser, text, last, closing);
    const property = `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return comma === undefined
      ? splice(text, endOf(last), endOf(last), `, ${property}`)
      : splice(text, comma + 1, comma + 1, ` ${property}`);
  }
  const end = object.offset + text.slice(object.offset, closing).trimEnd().length;
  const onOwnLine = last !== undefined && text.slice(lineStart(text, last.offset), last.offset).trim() === '';
  const indent = onOwnLine ? indentAt(text, last.offset) : outer + unitOf(text);
  const property = `${eolOf(text)}${indent}${JSON.stringify(key)}: ${written(text, value, indent)}`;
  if (!last) return splice(text, end, closing, `${property}${eolOf(text)}${outer}`);
  if (commaAfter(parser, text, last, closing) !== undefined) return splice(text, end, end, `${property},`);
  // Comments may stand between the last value, which needs a comma now, and the end.
  return splice(splice(text, end, end, property), endOf(last), endOf(last), ',');
}

function remove(parser: Parser, text: string, root: Node, keys: readonly string[]): string {
  const property = parser.findNodeAtLocation(root, [...keys])?.parent;
  const siblings = property?.parent?.children;
  if (!property?.parent || !siblings) return text;
  const closing = endOf(property.parent) - 1;
  const inner = text.slice(property.parent.offset + 1, closing);
  const others = inner.replace(text.slice(property.offset, endOf(property)), '');
  if (siblings.length === 1 && /^[\s,]*$/.test(others)) return splice(text, property.parent.offset + 1, closing, '');
  const comma = commaAfter(parser, text, property, closing);
  let from = property.offset;
  let to = comma === undefined ? endOf(property) : comma + 1;
  const start = lineStart(text, from);
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(to))?.[0];
  const sameLine = text.slice(start, from).trim() !== '';
  if (!sameLine && rest !== undefined) {
    from = start;
    to += rest.length;
  } else if (siblings.at(-1) !== property) {
    to += /^[ \t]*/.exec(text.slice(to))?.[0].length ?? 0;
  } else if (sameLine) {
    from = text.slice(0, from).trimEnd().length;
  }
  const without = splice(text, from, to, '');
  const before = siblings[siblings.indexOf(property) - 1];
  if (comma !== undefined || before === undefined) return without;
  const orphan = commaAfter(parser, text, before, closing);
  return orphan === undefined ? without : splice(without, orphan, orphan + 1, '');
}

/** Offset of the comma that follows a property, comments in between skipped. */
function commaAfter(parser: Parser, text: string, property: Node, closing: number): number | undefined {
  const scanner = parser.createScanner(text, true);
  scanner.setPosition(endOf(property));
  scanner.scan();
  // 5 is SyntaxKind.CommaToken: a const enum, which type stripping cannot read.
  const found = scanner.getToken() === 5 && scanner.getTokenOffset() < closing;
  return found ? scanner.getTokenOffset() : undefined;
}

function written(text: string, value: unknown, indent: string): string {
  return JSON.stringify(value, null, unitOf(text)).replaceAll('\n', eolOf(text) + indent);
}

/** The first indentation in the text, two spaces where there is none. */
function unitOf(text: string): string {
  return /^([ \t]+)["/]/m.exec(text)?.[1] ?? '  ';
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? '';
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function splice(text: string, from: number, to: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to);
}
