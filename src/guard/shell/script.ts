/**
 * What a shell script would run, as far as that can be known before it runs.
 *
 * Made by parse.ts from a tree-sitter-bash tree; the policy decides on it, the program table reads its words.
 */

/** One word of a command after quoting has been taken off, before anything is expanded. */
export interface Word {
  /** As it stands in the script. */
  readonly source: string;
  /**
   * What the program gets; undefined when it cannot be known: the word holds a variable, a substitution, arithmetic,
   * or something the shell would expand to several words.
   */
  readonly value: string | undefined;
  /** It holds an unquoted glob (`*`, `?`, `[`), a brace expansion or a tilde, so `value` is undefined: file names take its place. */
  readonly expands: boolean;
}

/** A word whose value is known, as argument vectors have them. */
export function knownWord(value: string): Word {
  return { source: value, value, expands: false };
}

export interface Redirection {
  /** `>`, `>>`, `<`, `<>`, `>|`, `&>`, `&>>`, `>&`, `<&`, `<<<`, `<<`. */
  readonly operator: string;
  /** File, descriptor number or text; undefined for a here-document, whose text is `text`. */
  readonly target: Word | undefined;
  /** Text of a here-document or here-string when it is known. */
  readonly text?: string | undefined;
}

/** One program with its arguments: what the shell would hand to execve(2), or a builtin or function of its own. */
export interface SimpleCommand {
  /** Program and arguments; never empty, but for a command that is only assignments or redirections. */
  readonly words: readonly Word[];
  /** Variables set for this command alone, or in the shell when there are no words. */
  readonly assignments: readonly { readonly name: string; readonly value: Word }[];
  readonly redirections: readonly Redirection[];
  /** Its standard input is a pipe from another command. */
  readonly piped: boolean;
  /** As it stands in the script, at most 500 characters. */
  readonly source: string;
}

/** Something that makes the script's meaning unknowable, or that no policy lets pass under an allow-list. */
export interface ScriptProblem {
  /** End of a sentence: `the quote is never closed`. */
  readonly reason: string;
  readonly source: string;
}

export interface Script {
  /**
   * Every simple command that could run, in order, whatever it stands in: lists, pipelines, substitutions, compound
   * commands, functions, process substitutions.
   */
  readonly commands: readonly SimpleCommand[];
  /** Names of functions the script defines: a command of that name is the function. */
  readonly functions: ReadonlySet<string>;
  /** Variables whose values are evaluated as arithmetic. */
  readonly evaluated: ReadonlySet<string>;
  readonly problems: readonly ScriptProblem[];
}
