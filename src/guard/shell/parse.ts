/** Reads a script into the commands it could run. */
import type { Parser } from 'web-tree-sitter';
import { isBashCommand, isBashExpansion, isBashSyntax } from './bash-only.ts';
import { dataProblem, joinLines, strangeCharacters } from './data-regions.ts';
import { shellParser } from './grammar.ts';
import { isDescriptor, isExpanded, readRedirection } from './redirections.ts';
import { RESERVED } from './reserved-words.ts';
import { knownWord, type Redirection, type Script, type ScriptProblem, type SimpleCommand, type Word } from './script.ts';
import { childIn, type SyntaxNode, syntaxTree, TooDeep } from './syntax-tree.ts';
import { joinWords, readWord } from './words.ts';

/** What a script must not exceed: it is refused, never looked at in part. */
const MAX_LENGTH = 64 * 1024;
const MAX_COMMANDS = 1000;

export interface ParsedScript extends Script {
  /** It uses what only Bash knows, so that another shell would read it differently. */
  readonly bashOnly: boolean;
}

/** A script whose meaning is known in full, as far as its `problems` do not say otherwise. */
export async function parseScript(text: string): Promise<ParsedScript> {
  return readScript(await shellParser(), text);
}

/** The same with a parser at hand, for scripts inside scripts. */
export function readScript(parser: Parser, text: string): ParsedScript {
  const reading = new Reading(parser, text);
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
    else if (thrown instanceof TooMany) reading.problem(`it holds more than ${MAX_COMMANDS} commands`, text.slice(0, 40));
    else throw thrown;
  } finally {
    tree.delete();
  }
  return reading;
}

/** The same variable with a value of which only the beginning is known. */
function unknownValue(given: { name: string; value: Word } | undefined): { name: string; value: Word } {
  return { name: given?.name ?? '', value: { source: given?.value.source ?? '', value: undefined, expands: false } };
}

class TooMany extends Error {}

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

/** What a command inherits from what it stands in. */
interface Surroundings {
  readonly piped: boolean;
  /** Redirections of the compound commands around it. */
  readonly input: readonly Redirection[];
}

class Reading implements ParsedScript {
  readonly commands: SimpleCommand[] = [];
  readonly functions = new Set<string>();
  readonly evaluated = new Set<string>();
  readonly problems: ScriptProblem[] = [];
  bashOnly = false;
  readonly #parser: Parser;
  readonly #text: string;

  constructor(parser: Parser, text: string) {
    this.#parser = parser;
    this.#text = text;
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
        this.#string(node);
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

  #word(node: SyntaxNode): Word {
    return readWord(node, this.#slice(node));
  }

  #add(node: SyntaxNode, parts: Omit<SimpleCommand, 'source'>): void {
    if (this.commands.length >= MAX_COMMANDS) throw new TooMany();
    if (isBashCommand(parts.words)) this.bashOnly = true;
    const [first] = parts.words;
    // The grammar takes it for a program behind `!`; a shell does not.
    if (first && RESERVED.has(first.source)) this.problem('a word of the shell stands where a program should', this.#slice(node));
    this.commands.push({ ...parts, source: this.#slice(node).slice(0, 500) });
  }

  /** @param outer redirections of a statement around it that are the command's own, and words that stand behind them */
  #command(node: SyntaxNode, around: Surroundings, outer: Redirection[] = [], behind: readonly Word[] = []): void {
    const words: Word[] = [];
    const assignments: { name: string; value: Word }[] = [];
    const redirections: Redirection[] = [];
    const inside: SyntaxNode[] = [];
    let before: SyntaxNode | undefined;
    for (const child of node.children) {
      inside.push(child);
      const goesOn = before !== undefined && before.end === child.start;
      // Between words stand blanks; what else there is belongs to one of them.
      if (before && !/^[ \t\n]*$/.test(this.#text.slice(before.end, child.start)))
        this.problem('a word goes on where it seems to end', this.#slice(node));
      if (child.type === 'variable_assignment') assignments.push(this.#assignment(child));
      else if (child.type.endsWith('_redirect')) words.push(...readRedirection(child, this.#text, redirections));
      else if (isDescriptor(child, this.#text)) continue;
      else if (goesOn && before?.type === 'variable_assignment') assignments.push(unknownValue(assignments.pop()));
      else if (goesOn && before?.type.endsWith('_redirect'))
        this.problem('a word goes on where it seems to end', this.#slice(node));
      else if (goesOn && words.length > 0) words.push(joinWords(words.pop() as Word, this.#word(child)));
      else words.push(this.#word(child));
      before = child;
    }
    words.push(...behind);
    this.#add(node, { words, assignments, redirections: [...around.input, ...redirections, ...outer], piped: around.piped });
    for (const child of inside) this.#inside(child, around);
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

  #assignment(node: SyntaxNode): { name: string; value: Word } {
    const name = childIn(node, 'name');
    const value = childIn(node, 'value');
    const appends = node.children.some(({ type }) => type === '+=');
    return {
      name: name ? this.#slice(name).replace(/\[.*$/s, '') : '',
      value: appends
        ? { source: this.#slice(node), value: undefined, expands: false }
        : value
          ? this.#word(value)
          : { source: '', value: '', expands: false },
    };
  }

  #bareAssignments(node: SyntaxNode, around: Surroundings): void {
    const all = node.type === 'variable_assignment' ? [node] : node.children;
    const assignments = all.filter(({ type }) => type === 'variable_assignment').map((each) => this.#assignment(each));
    if (/[^\s;&|<>()\n]/.test(this.#text[node.end] ?? ''))
      this.problem('a word goes on where it seems to end', this.#slice(node));
    this.#add(node, { words: [], assignments, redirections: around.input, piped: around.piped });
    for (const each of all) this.#inside(each, around);
  }

  /** `export A=b`: a builtin whose arguments may be assignments. */
  #declaration(node: SyntaxNode, around: Surroundings): void {
    const words: Word[] = [];
    const assignments: { name: string; value: Word }[] = [];
    let end = -1;
    for (const child of node.children) {
      if (child.start === end) this.problem('a word goes on where it seems to end', this.#slice(node));
      end = child.end;
      if (child.type === 'variable_assignment') assignments.push(this.#assignment(child));
      words.push(child.type === 'variable_assignment' ? this.#assignmentWord(child) : this.#word(child));
    }
    this.#add(node, { words, assignments, redirections: around.input, piped: around.piped });
    for (const child of node.children) this.#inside(child, around);
  }

  #assignmentWord(node: SyntaxNode): Word {
    const { name, value } = this.#assignment(node);
    const source = this.#slice(node);
    return value.value === undefined
      ? { source, value: undefined, expands: false }
      : { source, value: `${name}=${value.value}`, expands: false };
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

  /** Within double quotes a single quote is itself, in `${x:-'}` too; the grammar takes it for the beginning of a text. */
  #string(node: SyntaxNode): void {
    const hasQuote = (part: SyntaxNode): boolean =>
      part.type === 'raw_string' ||
      part.type === 'ansi_c_string' ||
      (part.type !== 'command_substitution' && part.children.some(hasQuote));
    if (node.children.some((child) => child.type === 'expansion' && hasQuote(child)))
      this.problem('it holds a quote in an expansion in quotes, which shells read differently', this.#slice(node));
  }

  /** Variables whose values are evaluated here: what they hold may run commands, in a subscript. */
  #arithmetic(node: SyntaxNode): void {
    if (node.type === 'compound_statement' && node.children[0]?.type !== '((') return;
    const collect = (part: SyntaxNode) => {
      // Here a single quote quotes nothing.
      if ((part.type === 'raw_string' || part.type === 'ansi_c_string') && /`|\$\(/.test(this.#slice(part)))
        this.problem('it holds a quoted substitution in arithmetic, which is not quoted there', this.#slice(node));
      if (part.type === 'variable_name' || part.type === 'word') {
        const name = /^[A-Za-z_]\w*$/.exec(this.#slice(part))?.[0];
        if (name) this.evaluated.add(name);
      }
      for (const child of part.children) collect(child);
    };
    collect(node);
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
    const start = node.children.find(({ type }) => type === 'heredoc_start');
    const lineEnd = start ? this.#text.indexOf('\n', start.end) : -1;
    for (const child of node.children) {
      // The grammar takes a first line that begins with a backslash for more words of the command.
      if (
        child.field !== null &&
        child.type !== 'heredoc_body' &&
        child.type !== 'heredoc_end' &&
        child.end > lineEnd &&
        lineEnd !== -1
      )
        this.problem('a here-document begins in a way that cannot be read', this.#slice(node));
      if (child.type === 'heredoc_body' && isExpanded(node, this.#text)) {
        for (const part of child.children) this.visit(part, { piped: false, input: [] });
        // What the grammar has seen is read as it stands; the rest once more, for it does not see everything.
        const text = withoutParts(child, this.#text);
        // Quotes are no quotes there: with a backslash before them they are none here either.
        if (isExpanded(node, this.#text) && /[$`]/.test(text))
          this.#include(readScript(this.#parser, `: "${text.replaceAll('"', '\\"')}"`));
      } else if (child.type !== 'heredoc_body')
        this.visit(child, child.type === 'pipeline' || child.type === 'command' ? { piped: true, input: [] } : around);
    }
  }

  /** The words of `[ … ]` and `[[ … ]]`, for what is in them may be evaluated. */
  #test(node: SyntaxNode, around: Surroundings): void {
    const words: Word[] = [];
    const collect = (part: SyntaxNode) => {
      if (WORDS.has(part.type)) words.push(this.#word(part));
      else for (const child of part.children) collect(child);
    };
    const [bracket, ...rest] = node.children;
    // `[[ x -eq 0 ]]` evaluates x.
    if (/-(?:eq|ne|lt|le|gt|ge)\b/.test(this.#slice(node))) for (const child of rest) this.#evaluates(child);
    if (bracket) words.push(knownWord(this.#slice(bracket)));
    for (const child of rest) collect(child);
    this.#add(node, { words, assignments: [], redirections: around.input, piped: around.piped });
  }

  #evaluates(node: SyntaxNode): void {
    const name = /^(?:["']?\$?\{?)([A-Za-z_]\w*)\}?["']?$/.exec(this.#slice(node))?.[1];
    if (name) this.evaluated.add(name);
    for (const child of node.children) this.#evaluates(child);
  }

  #include(script: ParsedScript): void {
    for (const command of script.commands.filter(({ words }) => words[0]?.value !== ':' || words.length > 2))
      this.commands.push(command);
    for (const name of script.functions) this.functions.add(name);
    for (const name of script.evaluated) this.evaluated.add(name);
    this.problems.push(...script.problems);
    this.bashOnly ||= script.bashOnly;
  }

  /** `${X:=value}` sets X. */
  #expansion(node: SyntaxNode, around: Surroundings): void {
    const source = this.#slice(node);
    if (isBashExpansion(source)) this.bashOnly = true;
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
    const values = node.children.filter(({ field }) => field === 'value').map((value) => this.#word(value));
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
      this.#include(readScript(this.#parser, inner.replace(escaped, '$1')));
      if (!inner.includes('\\"')) return;
    }
  }
}

/** The text of a node with blanks where its named parts stand. */
function withoutParts(node: SyntaxNode, text: string): string {
  let rest = text.slice(node.start, node.end);
  for (const { start, end, named, type } of node.children) {
    if (!named || type === 'heredoc_content') continue;
    rest = rest.slice(0, start - node.start) + ' '.repeat(end - start) + rest.slice(end - node.start);
  }
  return rest;
}
