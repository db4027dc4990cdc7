/** Reads a sed script (POSIX.1-2024 sed; GNU sed manual 3 and 4) for what runs programs and what files it names. */
import type { Effect } from './effect.ts';
import { reads, runsCode, runsScript, writes } from './program.ts';

/** Where the text that `mark` ends is over. @param brackets whether a bracket hides the mark, as in a pattern */
function pastMark(script: string, from: number, mark: string, brackets = true): number {
  for (let at = from; at < script.length; at++) {
    const character = script[at];
    if (character === '\\') at++;
    else if (character === '[' && brackets && mark !== '[') at = endOfBracket(script, at);
    else if (character === mark) return at + 1;
  }
  return script.length;
}

/** A bracket that is never closed is a character like others. */
function endOfBracket(script: string, at: number): number {
  let end = at + 1;
  if (script[end] === '^') end++;
  if (script[end] === ']') end++;
  for (; end < script.length && script[end] !== '\n'; end++) {
    if (script[end] === ']') return end;
    // `[:alpha:]`, `[.x.]`, `[=x=]`
    const [, kind] = /^\[([:.=])/.exec(script.slice(end, end + 2)) ?? [];
    if (kind) {
      const close = script.indexOf(`${kind}]`, end + 2);
      if (close !== -1) end = close + 1;
    }
  }
  return at;
}

const endOfLine = (script: string, at: number) => {
  const end = script.indexOf('\n', at);
  return end === -1 ? script.length : end;
};

/** The text of `a`, `i` and `c` goes on where a backslash ends its line. */
function endOfText(script: string, at: number): number {
  let end = endOfLine(script, at);
  while (end < script.length && /(?<!\\)(?:\\\\)*\\$/.test(script.slice(at, end))) end = endOfLine(script, end + 1);
  return end;
}

export function readSedScript(script: string): readonly Effect[] {
  const effects: Effect[] = [];
  let at = 0;

  function pastAddress(): void {
    for (;;) {
      const character = script[at];
      if (character === '/') at = pastMark(script, at + 1, '/');
      else if (character === '\\' && at + 1 < script.length) at = pastMark(script, at + 2, script[at + 1] as string);
      else if (character !== undefined && /[\d$~+,!IM\s;{}]/.test(character)) at++;
      else return;
    }
  }

  /** The rest of the line names a file. */
  function fileName(): string {
    const end = endOfLine(script, at);
    const name = script.slice(at, end).trim();
    at = end;
    return name;
  }

  while (at < script.length) {
    pastAddress();
    const command = script[at++];
    switch (command) {
      case 's':
      case 'y': {
        const mark = script[at] ?? '';
        at = pastMark(script, at + 1, mark, command === 's');
        at = pastMark(script, at, mark, false);
        if (command === 'y') break;
        for (; /[\dgpiImMe \t]/.test(script[at] ?? ''); at++) {
          if (script[at] === 'e') effects.push(runsCode('shell', 's///e'));
        }
        if (script[at] === 'w') {
          at++;
          effects.push(writes(fileName()));
        }
        break;
      }
      case 'e': {
        const text = fileName();
        // A backslash is taken off before a shell gets the text.
        const isPlain = text !== '' && text !== '}' && !text.includes('\\');
        effects.push(...(isPlain ? runsScript(text, '') : [runsCode('shell', 'the command e')]));
        break;
      }
      case 'w':
      case 'W':
        effects.push(writes(fileName()));
        break;
      case 'r':
      case 'R':
        effects.push(reads(fileName()));
        break;
      case 'a':
      case 'i':
      case 'c':
        at = endOfText(script, at);
        break;
      case '#':
        at = endOfLine(script, at);
        break;
      case ':':
      case 'b':
      case 't':
      case 'T':
        while (at < script.length && !/[;\n}]/.test(script[at] as string)) at++;
        break;
    }
  }
  return effects;
}
