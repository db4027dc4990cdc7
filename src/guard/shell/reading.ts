/** Goes through the parse tree of a script and gathers every command that could run. */
import { arithmeticNames, commandNames, comparedNames, expansionNames, subscriptNames } from './arithmetic.ts';
import { isBashCommand, isBashExpansion, isBashSyntax } from './bash-only.ts';
import { type CommandParts, readAssignment, readCommand, readDeclaration, readTest, wordOf } from './command-parts.ts';
import { dataProblem, quotesInExpansion, withoutParts } from './data-regions.ts';
import { isExpanded, readRedirection } from './redirections.ts';
import { RESERVED } from './reserved-words.ts';
import type { Redirection, Script, ScriptProblem, SimpleCommand, Word } from './script.ts';
import { childIn, type SyntaxNode } from './syntax-tree.ts';

const MAX_COMMANDS = 1000;

/** Thrown for more commands than that: they are refused, never looked at in part. */
export class TooMany extends Error {
  override readonly message = `it holds more than ${MAX_COMMANDS} commands`;
}

export interface ParsedScript extends Script {
  /** It uses what only Bash knows, so that another shell would read it differently. */
  readonly bashOnly: boolean;
}

/** What a command inherits from what it stands in. */
interface Surroundings {
  readonly piped: boolean;
  /** Redirections of the compound commands around it. */
  readonly input: readonly Redirection[];
}

/** Goes through a parse tree and gathers what could run. @throws TooMany */
export class Reading implements ParsedScript {
  readonly commands: SimpleCommand[] = [];
  readonly functions = new Set<string>();
  readonly evaluated = new Set<string>();
  readonly problems: ScriptProblem[] = [];
  bashOnly = false;
  readonly #text: string;
  readonly #readInner: (text: string) => ParsedScript;

  /** @param readInner for scripts inside this one */
  constructor(text: string, readInner: (text: string) => ParsedScript) {
    this.#text = text;
    this.#readInner = readInner;
  }

  problem(reason: string, source: string): void {
    this.problems.push({ reason, source: source.slice(0, 200) });
  }

  visit(node: SyntaxNode, around: Surroundings): void {
    const { type } = node;
    if (!node.named && type !== 'ERROR' && !node.missing) {
      if (isBashSyntax(type)) this.bashOnly = true;
      return;
    }
    if (type === 'ERROR' || node.missing) {
      this.problem(node.missing ? `a ${type} is missing` : 'it is not a complete, well-formed script', this.#slice(node));
      // What is inside may still be run by a shell that reads it differently.
    } else if (isBashSyntax(type)) this.bashOnly = true;
    switch (type) {
      case 'command':
        this.#command(node, around);
        return;
      case 'declaration_command':
      case 'unset_command':
        this.#declaration(node, around);
        return;
      case 'variable_assignment':
      case 'variable_assignments':
        this.#bareAssignments(node, around);
        return;
      case 'redirected_statement':
        this.#redirected(node, around);
        return;
      case 'pipeline':
        node.children.forEach((child, index) => {
          this.visit(child, index === 0 ? around : { ...around, piped: true });
        });
        return;
      case 'function_definition':
        this.#function(node, around);
        return;
      case 'string':
        if (quotesInExpansion(node))
          this.problem('it holds a quote in an expansion in quotes, which shells read differently', this.#slice(node));
        break;
      case 'arithmetic_expansion':
      case 'c_style_for_statement':
      case 'compound_statement':
      case 'subscript':
        this.#arithmetic(node);
        break;
      case 'command_substitution':
        if (this.#slice(node).startsWith('`')) {
          this.#backticks(node);
          return;
        }
        break;
      case 'expansion':
        this.#expansion(node, around);
        break;
      case 'array':
        this.#evaluate(subscriptNames(this.#slice(node)));
        break;
      case 'process_substitution':
        if (this.#slice(node).startsWith('>')) {
          for (const child of node.children) this.visit(child, { piped: true, input: [] });
          return;
        }
        break;
      case 'for_statement':
        this.#loopVariable(node, around);
        break;
      case 'heredoc_redirect':
        this.#hereDocument(node, around);
        return;
      case 'raw_string':
      case 'comment': {
        const wrong = dataProblem(node, this.#text);
        if (wrong) this.problem(wrong, this.#slice(node));
        break;
      }
      case 'test_command':
        this.#test(node, around);
        break;
      case 'word':
      case 'regex':
      case 'string_content':
      case 'extglob_pattern':
        this.#leftOver(node);
        return;
    }
    for (const child of node.children) this.visit(child, around);
  }

  #slice(node: SyntaxNode): string {
    return this.#text.slice(node.start, node.end);
  }

  #add(node: SyntaxNode, parts: Omit<CommandParts, 'torn'> & Pick<SimpleCommand, 'piped'>): void {
    if (this.commands.length >= MAX_COMMANDS) throw new TooMany();
    if (isBashCommand(parts.words)) this.bashOnly = true;
    this.#evaluate(commandNames(parts.words));
    const [first] = parts.words;
    // The grammar takes it for a program behind `!`; a shell does not.
    if (first && RESERVED.has(first.source)) this.problem('a word of the shell stands where a program should', this.#slice(node));
    this.commands.push({ ...parts, source: this.#slice(node).slice(0, 500) });
  }

  /** @param outer redirections of a statement around it that are the command's own, and words that stand behind them */
  #command(node: SyntaxNode, around: Surroundings, outer: Redirection[] = [], behind: readonly Word[] = []): void {
    const { words, assignments, redirections, torn } = readCommand(node, this.#text);
    if (torn) this.#torn(node);
    this.#add(node, {
      words: [...words, ...behind],
      assignments,
      redirections: [...around.input, ...redirections, ...outer],
      piped: around.piped,
    });
    for (const child of node.children) this.#inside(child, around);
  }

  #torn(node: SyntaxNode): void {
    this.problem('a word goes on where it seems to end', this.#slice(node));
  }

  /** What a word, an assignment or a redirection holds may run too: substitutions. */
  #inside(node: SyntaxNode, around: Surroundings): void {
    const inner: Surroundings = { piped: around.piped, input: around.input };
    if (node.type === 'variable_assignment') {
      if (this.#hasBashAssignment(node)) this.bashOnly = true;
      for (const child of node.children) this.visit(child, inner);
    } else this.visit(node, inner);
  }

  #hasBashAssignment(node: SyntaxNode): boolean {
    return node.children.some(({ type }) => type === '+=' || type === 'subscript' || type === 'array');
  }

  #bareAssignments(node: SyntaxNode, around: Surroundings): void {
    const all = node.type === 'variable_assignment' ? [node] : node.children;
    const assignments = all.filter(({ type }) => type === 'variable_assignment').map((each) => readAssignment(each, this.#text));
    if (/[^\s;&|<>()\n]/.test(this.#text[node.end] ?? '')) this.#torn(node);
    this.#add(node, { words: [], assignments, redirections: around.input, piped: around.piped });
    for (const each of all) this.#inside(each, around);
  }

  /** `export A=b`: a builtin whose arguments may be assignments. */
  #declaration(node: SyntaxNode, around: Surroundings): void {
    const { words, assignments, torn } = readDeclaration(node, this.#text);
    if (torn) this.#torn(node);
    this.#add(node, { words, assignments, redirections: around.input, piped: around.piped });
    for (const child of node.children) this.#inside(child, around);
  }

  #redirected(node: SyntaxNode, around: Surroundings): void {
    const body = childIn(node, 'body');
    const redirections: Redirection[] = [];
    const behind: Word[] = [];
    const rest: SyntaxNode[] = [];
    for (const child of node.children) {
      if (child === body) continue;
      rest.push(child);
      if (child.type.endsWith('_redirect')) behind.push(...readRedirection(child, this.#text, redirections));
    }
    if (!body) {
      this.#add(node, { words: behind, assignments: [], redirections: [...around.input, ...redirections], piped: around.piped });
    } else if (body.type === 'command') this.#command(body, around, redirections, behind);
    else this.#redirectedBody(body, around, redirections, behind);
    for (const child of rest) this.visit(child, around);
  }

  /** A redirection behind a list or pipeline is its last command's; behind a compound command it is for all in it. */
  #redirectedBody(body: SyntaxNode, around: Surroundings, redirections: Redirection[], behind: readonly Word[]): void {
    if (body.type !== 'pipeline' && body.type !== 'list' && body.type !== 'negated_command') {
      if (behind.length > 0) this.problem('words stand behind the redirection of a compound command', this.#slice(body));
      // Also where no command stands in it that could tell of them.
      this.#add(body, { words: [], assignments: [], redirections, piped: around.piped });
      this.visit(body, { ...around, input: [...around.input, ...redirections] });
      return;
    }
    const children = body.children;
    const last = children.at(-1);
    children.forEach((child, index) => {
      const inner = body.type === 'pipeline' && index > 0 ? { ...around, piped: true } : around;
      if (child !== last) this.visit(child, inner);
      else if (child.type === 'command') this.#command(child, inner, redirections, behind);
      else this.#redirectedBody(child, inner, redirections, behind);
    });
  }

  /** What a function reads from its input is known where it is called, not here. */
  #function(node: SyntaxNode, around: Surroundings): void {
    const redirections: Redirection[] = [];
    for (const child of node.children) {
      if (child.field === 'name') this.functions.add(this.#slice(child));
      else if (child.type.endsWith('_redirect')) readRedirection(child, this.#text, redirections);
    }
    if (redirections.length > 0) this.#add(node, { words: [], assignments: [], redirections, piped: around.piped });
    for (const child of node.children) if (child.field !== 'name') this.visit(child, { piped: true, input: redirections });
  }

  /** Variables whose values are evaluated here: what they hold may run commands, in a subscript. */
  #arithmetic(node: SyntaxNode): void {
    if (node.type === 'compound_statement' && node.children[0]?.type !== '((') return;
    const { names, quoted } = arithmeticNames(node, this.#text);
    if (quoted) this.problem('it holds a quoted substitution in arithmetic, which is not quoted there', this.#slice(node));
    this.#evaluate(names);
  }

  #evaluate(names: readonly string[]): void {
    for (const name of names) this.evaluated.add(name);
  }

  /** Text in which the grammar has seen no substitution, although a shell would. */
  #leftOver(node: SyntaxNode): void {
    const source = this.#slice(node);
    if (/(?:^|[^\\])(?:\\\\)*(?:`|\$\()/s.test(source)) this.problem('it holds a substitution that cannot be read', source);
  }

  /**
   * What stands in a here-document whose delimiter is not quoted is expanded as in double quotes (POSIX.1-2024 2.7.4).
   * The rest of its line hangs below it too: a command there gets the document through a pipe.
   */
  #hereDocument(node: SyntaxNode, around: Surroundings): void {
    const wrong = dataProblem(node, this.#text);
    if (wrong) this.problem(wrong, this.#slice(node));
    for (const child of node.children) {
      if (child.type === 'heredoc_body' && isExpanded(node, this.#text)) {
        for (const part of child.children) this.visit(part, { piped: false, input: [] });
        // What the grammar has seen is read as it stands; the rest once more, for it does not see everything.
        const text = withoutParts(child, this.#text);
        // Quotes are no quotes there: with a backslash before them they are none here either.
        if (isExpanded(node, this.#text) && /[$`]/.test(text))
          this.#include(this.#readInner(`: "${text.replaceAll('"', '\\"')}"`));
      } else if (child.type !== 'heredoc_body')
        this.visit(child, child.type === 'pipeline' || child.type === 'command' ? { piped: true, input: [] } : around);
    }
  }

  /** `[ … ]` and `[[ … ]]` */
  #test(node: SyntaxNode, around: Surroundings): void {
    this.#evaluate(comparedNames(node, this.#text));
    const words = readTest(node, this.#text);
    this.#add(node, { words, assignments: [], redirections: around.input, piped: around.piped });
  }

  #include(script: ParsedScript): void {
    for (const command of script.commands.filter(({ words }) => words[0]?.value !== ':' || words.length > 2))
      this.commands.push(command);
    for (const name of script.functions) this.functions.add(name);
    this.#evaluate([...script.evaluated]);
    this.problems.push(...script.problems);
    this.bashOnly ||= script.bashOnly;
  }

  /** `${X:=value}` sets X. */
  #expansion(node: SyntaxNode, around: Surroundings): void {
    const source = this.#slice(node);
    if (isBashExpansion(source)) this.bashOnly = true;
    this.#evaluate(expansionNames(source));
    if (/['"].*(?:`|\$\()/s.test(source) && node.children.some(({ type }) => type === 'raw_string'))
      this.problem('it holds a quoted substitution in an expansion', source);
    // `${x@P}` expands what the variable holds as if it stood in the script.
    if (/@P\}$/.test(source)) this.problem('what it expands to cannot be known', source);
    const name = /^\$\{([A-Za-z_]\w*):?=/.exec(source)?.[1];
    if (name) this.#sets(node, name, around);
  }

  #loopVariable(node: SyntaxNode, around: Surroundings): void {
    const variable = childIn(node, 'variable');
    if (!variable) return;
    const name = this.#slice(variable);
    const values = node.children.filter(({ field }) => field === 'value').map((value) => wordOf(value, this.#text));
    if (values.length === 0) this.#sets(variable, name, around);
    else
      this.#add(variable, { words: [], assignments: values.map((value) => ({ name, value })), redirections: [], piped: false });
  }

  /** A variable gets a value that is not known. */
  #sets(node: SyntaxNode, name: string, { input, piped }: Surroundings): void {
    const value: Word = { source: this.#slice(node), value: undefined, expands: false };
    this.#add(node, { words: [], assignments: [{ name, value }], redirections: input, piped });
  }

  /** Inside backquotes `\`` and `\\` are escaped once more (POSIX.1-2024 2.6.3), so the grammar reads them wrong. */
  #backticks(node: SyntaxNode): void {
    const inner = this.#slice(node).slice(1, -1);
    if (!inner.includes('\\')) {
      for (const child of node.children) this.visit(child, { piped: false, input: [] });
      return;
    }
    // Within double quotes `\"` is escaped as well; where it stands is not told here, so both readings count.
    for (const escaped of [/\\([`\\$])/g, /\\([`\\$"])/g]) {
      this.#include(this.#readInner(inner.replace(escaped, '$1')));
      if (!inner.includes('\\"')) return;
    }
  }
}
