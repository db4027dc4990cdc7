/** Reads an awk program (POSIX.1-2024 awk; GAWK manual 4, 5, 12) for what runs programs, and what files it names. */
import type { Effect } from './effect.ts';
import { connects, fed, reads, runsCode, runsScript, writes } from './program.ts';

type Kind = 'string' | 'regex' | 'word' | 'sign' | 'end';

interface Token {
  readonly kind: Kind;
  /** Of a string what it stands for; undefined when it holds escapes that are not read here. */
  readonly text: string | undefined;
}

const TOKEN =
  /[ \t\r]+|\\\n|#[^\n]*|("(?:[^"\\\n]|\\[\s\S])*")|([A-Za-z_]\w*|\d[\w.]*)|([;\n])|(\|\||&&|\|&|>>|[<>=!~^*%+-]=|[\s\S])/y;
/** After these words a slash begins an expression, as it does after signs; after other words it divides. */
const KEYWORD = /^(?:print|printf|return|in|if|else|do|while|for|switch|case|default|delete|exit|next|nextfile|BEGIN|END)$/;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[\^?\]?[^\]\n]*\])*\//y;

function tokens(program: string): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < program.length) {
    const last = found.at(-1);
    if (program[at] === '/') {
      const meaning = slashAfter(last, found.at(-2));
      REGEX.lastIndex = at;
      const regex = meaning === 'divides' ? undefined : REGEX.exec(program)?.[0];
      if (regex && meaning === 'unsure' && /["#]/.test(regex)) found.push({ kind: 'sign', text: UNSURE });
      else if (regex && meaning === 'begins') {
        found.push({ kind: 'regex', text: '' });
        at = REGEX.lastIndex;
        continue;
      }
    }
    TOKEN.lastIndex = at;
    const [, text, word, end, sign] = TOKEN.exec(program) ?? [];
    at = Math.max(TOKEN.lastIndex, at + 1);
    if (text !== undefined) found.push({ kind: 'string', text: plainString(text.slice(1, -1)) });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
    else if (end !== undefined) found.push({ kind: 'end', text: end });
    else if (sign !== undefined) found.push({ kind: sign === '}' || sign === '{' ? 'end' : 'sign', text: sign });
  }
  return found;
}

/** In place of a sign, where a text may be a regular expression and hide what is in it, or not. */
const UNSURE = '?/';

function slashAfter(last: Token | undefined, before: Token | undefined): 'divides' | 'begins' | 'unsure' {
  if (last === undefined || last.kind === 'end') return 'begins';
  if (last.kind === 'string') return 'divides';
  if (last.kind === 'regex' || last.text === ')') return 'unsure';
  if (last.kind === 'word') {
    if (last.text === 'length' || last.text === 'getline') return 'unsure';
    return KEYWORD.test(last.text ?? '') ? 'begins' : 'divides';
  }
  const doubled = before?.kind === 'sign' && before.text === last.text && /^[+-]$/.test(last.text ?? '');
  return doubled ? 'unsure' : last.text === ']' ? 'divides' : 'begins';
}

/** A string with its plain escapes taken off. */
function plainString(text: string): string | undefined {
  return /\\[^"\\/]/.test(text) ? undefined : text.replace(/\\(["\\/])/g, '$1');
}

const AWK = (how: string) => runsCode('awk', how);

/** Before a string that is all of a command, not joined to something. */
const STARTS_EXPRESSION = /^(?:[({,=!&|;\n]|&&|\|\||while|if|return)$/;

const startsExpression = (token: Token | undefined) => token?.kind !== 'string' && STARTS_EXPRESSION.test(token?.text ?? '{');

export function readAwkProgram(program: string): readonly Effect[] {
  const effects: Effect[] = [];
  const all = tokens(program);
  let depth = 0;
  /** Depth of parentheses that a print statement began in. */
  let printDepth: number | undefined;
  for (const [index, { kind, text }] of all.entries()) {
    const before = all[index - 1];
    const next = all[index + 1];
    const alone = next?.kind === 'string' && next.text !== undefined && endsStatement(all[index + 2]);
    if (kind === 'end') {
      printDepth = undefined;
      if (text !== ';' && text !== '\n') depth = 0;
    } else if (kind === 'word') {
      if (text === 'print' || text === 'printf') printDepth = depth;
      else if (text === 'system') {
        const script = all[index + 2];
        const literal = next?.text === '(' && script?.kind === 'string' && all[index + 3]?.text === ')';
        effects.push(...(literal && script.text !== undefined ? runsScript(script.text, '') : [AWK('system()')]));
      } else if (text === 'getline') effects.push(...readGetline(all, index));
    } else if (kind === 'sign') {
      if (text === '(') depth++;
      else if (text === ')') depth--;
      else if (text === '@') effects.push(AWK('@'));
      else if (text === UNSURE) effects.push(AWK('a text between slashes'));
      else if (text === '|&') effects.push(AWK('a pipe'));
      else if (text === '|') {
        if (next?.text === 'getline') {
          const whole = before?.kind === 'string' && before.text !== undefined && startsExpression(all[index - 2]);
          effects.push(...(whole && before.text !== undefined ? runsScript(before.text, '') : [AWK('a pipe')]));
        } else effects.push(...(alone && next.text !== undefined ? fed(runsScript(next.text, '')) : [AWK('a pipe')]));
      } else if ((text === '>' || text === '>>') && printDepth === depth) {
        effects.push(...(alone && next.text !== undefined ? file(next.text, writes) : [writesUnknown]));
      }
    }
  }
  return effects;
}

const endsStatement = (token: Token | undefined) => token === undefined || token.kind === 'end';

const writesUnknown: Effect = writes({ source: 'the file that its program names', value: undefined, expands: false });

function file(name: string, effect: (path: string) => Effect): readonly Effect[] {
  if (/^\/inet[46]?\//.test(name)) return [connects()];
  return name === '-' ? [] : [effect(name)];
}

/** `getline < "file"`, `getline line < file` */
function readGetline(all: readonly Token[], index: number): readonly Effect[] {
  const sign = [1, 2].find((offset) => all[index + offset]?.text === '<');
  if (sign === undefined) return [];
  const name = all[index + sign + 1];
  if (name?.kind === 'string' && name.text !== undefined) return file(name.text, reads);
  return [reads({ source: 'the file that its program names', value: undefined, expands: false })];
}
