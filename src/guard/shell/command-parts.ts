/** Takes a command of the parse tree apart: its words, the variables it sets and what it redirects. */
import { isDescriptor, readRedirection } from './redirections.ts';
import { knownWord, type Redirection, type SimpleCommand, type Word } from './script.ts';
import { childIn, type SyntaxNode } from './syntax-tree.ts';
import { joinWords, readWord } from './words.ts';

type Assignment = SimpleCommand['assignments'][number];

export interface CommandParts {
  readonly words: readonly Word[];
  readonly assignments: readonly Assignment[];
  readonly redirections: readonly Redirection[];
  /** The grammar has ended a word where a shell goes on with it. */
  readonly torn: boolean;
}

/** @param text the whole script */
export function readCommand(node: SyntaxNode, text: string): CommandParts {
  const words: Word[] = [];
  const assignments: Assignment[] = [];
  const redirections: Redirection[] = [];
  let torn = false;
  let before: SyntaxNode | undefined;
  for (const child of node.children) {
    const goesOn = before !== undefined && before.end === child.start;
    // Between words stand blanks; what else there is belongs to one of them.
    if (before && !/^[ \t\n]*$/.test(text.slice(before.end, child.start))) torn = true;
    if (child.type === 'variable_assignment') assignments.push(readAssignment(child, text));
    else if (child.type.endsWith('_redirect')) words.push(...readRedirection(child, text, redirections));
    else if (isDescriptor(child, text)) continue;
    else if (goesOn && before?.type === 'variable_assignment') assignments.push(unknownValue(assignments.pop()));
    else if (goesOn && before?.type.endsWith('_redirect')) torn = true;
    else if (goesOn && words.length > 0) words.push(joinWords(words.pop() as Word, wordOf(child, text)));
    else words.push(wordOf(child, text));
    before = child;
  }
  return { words, assignments, redirections, torn };
}

/** `export A=b`: a builtin whose arguments may be assignments. */
export function readDeclaration(node: SyntaxNode, text: string): Omit<CommandParts, 'redirections'> {
  const words: Word[] = [];
  const assignments: Assignment[] = [];
  let torn = false;
  let end = -1;
  for (const child of node.children) {
    if (child.start === end) torn = true;
    end = child.end;
    if (child.type === 'variable_assignment') {
      const assignment = readAssignment(child, text);
      assignments.push(assignment);
      words.push(asWord(assignment, text.slice(child.start, child.end)));
    } else words.push(wordOf(child, text));
  }
  return { words, assignments, torn };
}

export function readAssignment(node: SyntaxNode, text: string): Assignment {
  const name = childIn(node, 'name');
  const value = childIn(node, 'value');
  const appends = node.children.some(({ type }) => type === '+=');
  return {
    name: name ? text.slice(name.start, name.end).replace(/\[.*$/s, '') : '',
    value: appends
      ? { source: text.slice(node.start, node.end), value: undefined, expands: false }
      : value
        ? wordOf(value, text)
        : { source: '', value: '', expands: false },
  };
}

function asWord({ name, value }: Assignment, source: string): Word {
  return { source, value: value.value === undefined ? undefined : `${name}=${value.value}`, expands: false };
}

/** The same variable with a value of which only the beginning is known. */
function unknownValue(given: Assignment | undefined): Assignment {
  return { name: given?.name ?? '', value: { source: given?.value.source ?? '', value: undefined, expands: false } };
}

/** Nodes that are one word. */
const WORDS = new Set([
  'word',
  'number',
  'string',
  'raw_string',
  'ansi_c_string',
  'concatenation',
  'simple_expansion',
  'expansion',
  'command_substitution',
  'process_substitution',
  'arithmetic_expansion',
  'test_operator',
]);

/** The words of `[ … ]` and `[[ … ]]`, the bracket among them: what is in them may be evaluated. */
export function readTest(node: SyntaxNode, text: string): readonly Word[] {
  const words: Word[] = [];
  const collect = (part: SyntaxNode) => {
    if (WORDS.has(part.type)) words.push(wordOf(part, text));
    else if (!part.named && /^(?:[=!<>]=?|==|=~|&&|\|\|)$/.test(part.type)) words.push(knownWord(part.type));
    else for (const child of part.children) collect(child);
  };
  const [bracket, ...rest] = node.children;
  if (bracket) words.push(knownWord(text.slice(bracket.start, bracket.end)));
  for (const child of rest) collect(child);
  return words;
}

export function wordOf(node: SyntaxNode, text: string): Word {
  return readWord(node, text.slice(node.start, node.end));
}
