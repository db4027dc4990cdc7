/** How references to secrets are written in configuration values. */

export type ReferenceKind = 'env' | 'file' | 'command';

export interface Reference {
  readonly kind: ReferenceKind;
  /** Name, path or script. */
  readonly target: string;
  /** The reference with its braces. */
  readonly written: string;
}

export type TemplatePart = string | Reference;

const START = /\$\$\{|\$\{/g;
const KINDED = /^(env|file|command):([\s\S]*)$/;

/**
 * Splits a value into text and references; `$${` becomes `${` in the text.
 * @returns the parts, or what is wrong as the end of a sentence
 */
export function parseTemplate(text: string): readonly TemplatePart[] | { readonly problem: string } {
  const parts: TemplatePart[] = [];
  let done = 0;
  for (;;) {
    START.lastIndex = done;
    const start = START.exec(text);
    if (!start) break;
    const at = start.index;
    if (at > done) parts.push(text.slice(done, at));
    if (start[0] === '$${') {
      parts.push('${');
      done = at + 3;
      continue;
    }
    const end = closingBrace(text, at + 2);
    if (end === undefined) return { problem: 'a reference has no closing brace; `$${` stands for the characters `${`' };
    const written = text.slice(at, end + 1);
    const [, kind, target = ''] = KINDED.exec(text.slice(at + 2, end)) ?? [];
    if (kind === undefined) {
      // The value may be a secret in the wrong braces, so it is not repeated.
      return {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how references are written
        problem: 'a reference is `${env:NAME}`, `${file:PATH}` or `${command:SCRIPT}`; `$${` stands for the characters `${`',
      };
    }
    if (target.trim() === '') return { problem: `${written} names nothing` };
    parts.push({ kind: kind as ReferenceKind, target: target.trim(), written });
    done = end + 1;
  }
  if (done < text.length) parts.push(text.slice(done));
  return parts;
}

/** The brace that ends a reference: scripts may hold pairs of braces, and single ones within quotes. */
function closingBrace(text: string, from: number): number | undefined {
  const quotes = text.startsWith('command:', from);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quotes && character === '\\') at++;
    else if (quotes && (character === "'" || character === '"')) {
      const end = text.indexOf(character, at + 1);
      if (end < 0) return undefined;
      at = end;
    } else if (character === '{') depth++;
    else if (character === '}' && depth-- === 0) return at;
  }
  return undefined;
}
