/** What a word of a script is once its quotes are taken off (POSIX.1-2024 2.2 and 2.6; Bash manual 3.1.2). */
import { knownWord, type Word } from './script.ts';
import type { SyntaxNode } from './syntax-tree.ts';

/** A process substitution is handed to the program as the name of a pipe. */
const PIPE_NAME = '/dev/fd/63';

/** Two pieces that stand side by side are one word, though the grammar has not always seen that. */
export function joinWords(first: Word, second: Word): Word {
  return {
    source: first.source + second.source,
    value: first.value === undefined || second.value === undefined ? undefined : first.value + second.value,
    expands: first.expands || second.expands,
  };
}

interface Part {
  /** Undefined when it cannot be known. */
  readonly value: string | undefined;
  readonly expands: boolean;
}

const unknown: Part = { value: undefined, expands: false };

/** @param text the node's text */
export function readWord(node: SyntaxNode, text: string): Word {
  if (node.type === 'word' && PLAIN.test(text)) return knownWord(text);
  const { value, expands } = readPart(node, text);
  return { source: text, value: expands ? undefined : value, expands };
}

/** The commonest words are as they look. */
const PLAIN = /^[A-Za-z0-9_./:=@%+,-]+$/;

function readPart(node: SyntaxNode, text: string): Part {
  switch (node.type) {
    case 'word':
    case 'number':
    case 'variable_name':
    case 'test_operator':
    case 'extglob_pattern':
    case 'regex':
      return unquoted(text);
    case 'command_name':
      return node.children[0] && node.children.length === 1 ? readPart(node.children[0], text) : unknown;
    case 'raw_string':
      return { value: text.slice(1, -1), expands: false };
    case 'string':
    case 'translated_string':
      return quoted(node, text);
    case 'ansi_c_string':
      return { value: ansiC(text.slice(2, -1)), expands: false };
    case 'concatenation':
      return joined(node, text);
    case 'brace_expression':
      return { value: undefined, expands: true };
    case 'process_substitution':
      return { value: PIPE_NAME, expands: false };
    default:
      // Punctuation that the grammar gives no name, `{` and `}` among it.
      return node.named ? unknown : unquoted(text);
  }
}

function unquoted(text: string): Part {
  let value = '';
  let expands = text.startsWith('~');
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '\\') {
      at++;
      if (text[at] !== '\n') value += text[at] ?? '';
    } else {
      if (character === '*' || character === '?' || character === '[') expands = true;
      // The grammar takes these for letters where it does not know better; the shell does not.
      if (character === '$' || character === '`' || character === '"' || character === "'") {
        if (!(character === '$' && at === text.length - 1)) return unknown;
      }
      value += character;
    }
  }
  return { value, expands };
}

function quoted(node: SyntaxNode, text: string): Part {
  if (node.children.some(({ type, named }) => named && type !== 'string_content')) return unknown;
  const inner = text.slice(text.indexOf('"') + 1, -1);
  // A dollar sign that begins an expansion the grammar did not see.
  if (/(?<!\\)(?:\\\\)*(?:\$[A-Za-z0-9_{(@*#?$!-]|`)/.test(inner)) return unknown;
  return { value: inner.replace(/\\([$`"\\\n])/g, (_, escaped: string) => (escaped === '\n' ? '' : escaped)), expands: false };
}

function joined(node: SyntaxNode, text: string): Part {
  let value: string | undefined = '';
  let expands = false;
  let unquotedText = '';
  let end = node.start;
  for (const child of node.children) {
    // Nothing may lie between the pieces but what continues a line.
    const childText = text.slice(child.start - node.start, child.end - node.start);
    const between = text.slice(end - node.start, child.start - node.start);
    if (between !== '' && between.replaceAll('\\\n', '') !== '') return unknown;
    end = child.end;
    const part = readPart(child, childText);
    expands ||= part.expands && !(childText.startsWith('~') && value !== '');
    value = part.value === undefined || value === undefined ? undefined : value + part.value;
    unquotedText += child.type === 'word' || !child.named ? childText : '_';
  }
  // `{a,b}` and `{1..3}`
  if (/\{[^}]*(?:,|\.\.)[^}]*\}/.test(unquotedText)) expands = true;
  return { value, expands };
}

const ANSI_C: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text between `$'` and `'` (Bash manual 3.1.2.4); undefined for what is no character. */
function ansiC(text: string): string | undefined {
  // A NUL ends it, and what these stand for differs between versions.
  if (
    /\\(?:x\{|0(?![0-7])|00|x0{1,2}(?![0-9A-Fa-f])|u0{1,4}(?![0-9A-Fa-f])|U0{1,8}(?![0-9A-Fa-f])|c@|[^abeEfnrtv\\'"?xuUc0-7\n])/.test(
      text,
    )
  )
    return undefined;
  try {
    return text.replace(
      /\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))/gs,
      (_, hex?: string, short?: string, long?: string, octal?: string, control?: string, letter?: string) => {
        if (hex ?? short ?? long) return String.fromCodePoint(Number.parseInt((hex ?? short ?? long) as string, 16));
        if (octal) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
        if (control) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
        const character = letter as string;
        return ANSI_C[character] ?? (/[\\'"?]/.test(character) ? character : `\\${character}`);
      },
    );
  } catch {
    return undefined;
  }
}
