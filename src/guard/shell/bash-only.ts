/** What only Bash knows: a script that uses it is read differently by another shell, or not at all. */
import type { Word } from './script.ts';

/** Words that Bash takes for commands of its own and other shells do not, or not in the same way. */
const COMMANDS = new Set(
  'source declare typeset shopt mapfile readarray pushd popd let enable complete caller disown select coproc function'.split(' '),
);
const NODES = new Set(
  'ansi_c_string translated_string process_substitution herestring_redirect brace_expression array subscript c_style_for_statement'.split(
    ' ',
  ),
);
const TOKENS = new Set(['[[', '((', '&>', '&>>', '|&', '+=', ';&', ';;&', '$[', 'function', 'select', 'coproc', '=~']);
/** `${x/a/b}`, `${x:1}`, `${x^^}`, `${!x}`, `${x@Q}` (Bash manual 3.5.3). */
const EXPANSION = /^\$\{(?:!|[A-Za-z_]\w*(?:\[|\/|\^|,|@|:(?![-=?+])))/;

/** @param type of a node of the grammar, or a token */
export function isBashSyntax(type: string): boolean {
  return NODES.has(type) || TOKENS.has(type);
}

/** @param source `${…}` as it stands in the script */
export function isBashExpansion(source: string): boolean {
  return EXPANSION.test(source);
}

export function isBashCommand([first, ...args]: readonly Word[]): boolean {
  if (first?.value === undefined) return false;
  return COMMANDS.has(first.value) || (first.value === 'set' && args.some(({ value }) => value === 'pipefail'));
}
