/** Reads a script into the commands it could run. */
import type { Parser } from 'web-tree-sitter';
import { joinLines, strangeCharacters } from './data-regions.ts';
import { shellParser } from './grammar.ts';
import { type ParsedScript, Reading, TooMany } from './reading.ts';
import { syntaxTree, TooDeep } from './syntax-tree.ts';

/** What a script must not exceed: it is refused, never looked at in part. */
const MAX_LENGTH = 64 * 1024;

/** A script whose meaning is known in full, as far as its `problems` do not say otherwise. */
export async function parseScript(text: string): Promise<ParsedScript> {
  return readScript(await shellParser(), text);
}

/** The same with a parser at hand, for scripts inside scripts. */
export function readScript(parser: Parser, text: string): ParsedScript {
  const reading = new Reading(text, (inner) => readScript(parser, inner));
  if (text.length > MAX_LENGTH) {
    reading.problem(`it is longer than ${MAX_LENGTH} characters`, text.slice(0, 40));
    return reading;
  }
  const tree = parser.parse(text);
  if (!tree) {
    reading.problem('it cannot be parsed', text.slice(0, 40));
    return reading;
  }
  try {
    const root = syntaxTree(tree);
    const joined = joinLines(root, text);
    if (joined !== text) return readScript(parser, joined);
    const strange = strangeCharacters(root, text);
    if (strange) reading.problem(strange.reason, strange.source);
    reading.visit(root, { piped: false, input: [] });
  } catch (thrown) {
    if (thrown instanceof TooDeep) reading.problem('it is nested too deep', text.slice(0, 40));
    else if (thrown instanceof TooMany) reading.problem(thrown.message, text.slice(0, 40));
    else throw thrown;
  } finally {
    tree.delete();
  }
  return reading;
}
