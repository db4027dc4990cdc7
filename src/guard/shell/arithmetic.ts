/**
 * Variables whose values a script evaluates as arithmetic. What they hold may run commands then, in a subscript:
 * `x='a[$(date)]'; echo $((x))` runs date (Bash manual 6.5).
 */
import type { Word } from './script.ts';
import type { SyntaxNode } from './syntax-tree.ts';

/** Variables that Bash evaluates whatever is assigned to them. */
export const INTEGERS: ReadonlySet<string> = new Set(['RANDOM', 'SRANDOM', 'OPTIND', 'HISTCMD']);

/** Names of variables, and numbers of positional parameters behind a dollar sign. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w$])[A-Za-z_]\w*|\$\{?[!#]?([A-Za-z_]\w*|\d+|[@*])/g)].map(([whole, name]) => name ?? whole);
}

export interface ArithmeticNames {
  readonly names: readonly string[];
  /** It holds a single-quoted substitution, which is not quoted there. */
  readonly quoted: boolean;
}

/** What a node that is arithmetic, or holds subscripts, evaluates. */
export function arithmeticNames(node: SyntaxNode, text: string): ArithmeticNames {
  const names: string[] = [];
  let quoted = false;
  const collect = (part: SyntaxNode) => {
    const source = text.slice(part.start, part.end);
    if ((part.type === 'raw_string' || part.type === 'ansi_c_string') && /`|\$\(/.test(source)) quoted = true;
    if (/^(?:special_)?variable_name$/.test(part.type) || (part.type === 'word' && /^[A-Za-z_]\w*$/.test(source)))
      names.push(source);
    for (const child of part.children) collect(child);
  };
  // What holds the element is not evaluated, as long as all of it is not.
  for (const part of node.children) if (node.type !== 'subscript' || part.field !== 'name') collect(part);
  return { names, quoted };
}

/** `[[ x -eq 0 ]]` evaluates x. */
export function comparedNames(node: SyntaxNode, text: string): readonly string[] {
  const source = text.slice(node.start, node.end);
  return /-(?:eq|ne|lt|le|gt|ge)\b/.test(source) ? namesIn(source) : [];
}

/** `${s:x}` and `${a[@]:x}` evaluate x; `${!x}` looks up what x holds, a subscript too. @param source `${…}` */
export function expansionNames(source: string): readonly string[] {
  const [, part] = /^\$\{[#!]?(?:\w+|[@*])(?:\[[^\]]*\])?:(?![-=?+])(.*)\}$/s.exec(source) ?? [];
  const [, indirect] = /^\$\{!(\w+)(?![@*[\w])/.exec(source) ?? [];
  return [...(part === undefined ? [] : namesIn(part)), ...(indirect === undefined ? [] : [indirect])];
}

/** `a=([x]=1)` evaluates x. @param source `(…)` */
export function subscriptNames(source: string): readonly string[] {
  return [...source.matchAll(/\[([^\]]*)\]\+?=/g)].flatMap(([, subscript]) => namesIn(subscript ?? ''));
}

/** What commands of the shell evaluate: `let x`, and whatever is assigned to `declare -i x` later. */
export function commandNames(words: readonly Word[]): readonly string[] {
  const [first, ...args] = words;
  if (first?.value === 'let') return args.flatMap(({ source }) => namesIn(source));
  if (!/^(?:declare|typeset|local|readonly|export)$/.test(first?.value ?? '')) return [];
  const isInteger = args.some(({ value }) => /^-[A-Za-z]*i/.test(value ?? ''));
  return isInteger ? args.flatMap(({ source }) => namesIn(source)) : [];
}
