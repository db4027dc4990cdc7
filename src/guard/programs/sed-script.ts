/** Reads a sed script (POSIX.1-2024 sed; GNU sed manual 3 and 4) for what runs programs and what writes files. */

export interface SedActions {
  /** It runs a program: the command `e`, or `s///e`. */
  readonly runs: boolean;
  /** Files of `w` and `W`, `s///w`. */
  readonly writes: readonly string[];
  /** Files of `r` and `R`. */
  readonly reads: readonly string[];
}

/** Where the text from `at` ends that `mark` delimits. */
function pastDelimiter(script: string, at: number, mark: string): number {
  let inside = false;
  for (let index = at; index < script.length; index++) {
    const character = script[index];
    if (character === '\\') index++;
    else if (character === '[' && mark !== '[') inside = true;
    else if (character === ']') inside = false;
    else if (character === mark && !inside) return index + 1;
  }
  // A bracket that is never closed delimits nothing.
  const plain = script.indexOf(mark, at);
  return plain === -1 ? script.length : plain + 1;
}

const endOfLine = (script: string, at: number) => {
  const end = script.indexOf('\n', at);
  return end === -1 ? script.length : end;
};

/** The lines of `a`, `i` and `c` go on where a backslash ends them. */
function endOfText(script: string, at: number): number {
  let end = endOfLine(script, at);
  while (end < script.length && script[end - 1] === '\\') end = endOfLine(script, end + 1);
  return end;
}

function pastAddress(script: string, at: number): number {
  let end = at;
  for (;;) {
    const character = script[end];
    if (character === '/') end = pastDelimiter(script, end + 1, '/');
    else if (character === '\\' && end + 1 < script.length) end = pastDelimiter(script, end + 2, script[end + 1] as string);
    else if (character !== undefined && /[\d$~+,!IM \t]/.test(character)) end++;
    else return end;
  }
}

export function readSedScript(script: string): SedActions {
  const writes: string[] = [];
  const reads: string[] = [];
  let runs = false;
  let at = 0;
  while (at < script.length) {
    const start = pastAddress(script, at);
    const command = script[start];
    if (command === undefined) break;
    at = start + 1;
    if (command === 's' || command === 'y') {
      const mark = script[at] ?? '';
      at = pastDelimiter(script, at + 1, mark);
      at = pastDelimiter(script, at, mark);
      if (command === 'y') continue;
      const flags = /^[\dgpiImMe ]*/.exec(script.slice(at))?.[0] ?? '';
      runs ||= flags.includes('e');
      at += flags.length;
      if (script[at] === 'w') {
        const end = endOfLine(script, at);
        writes.push(script.slice(at + 1, end).trim());
        at = end;
      }
    } else if (command === 'e') {
      runs = true;
      at = endOfLine(script, at);
    } else if (command === 'w' || command === 'W') {
      const end = endOfLine(script, at);
      writes.push(script.slice(at, end).trim());
      at = end;
    } else if (command === 'r' || command === 'R') {
      const end = endOfLine(script, at);
      reads.push(script.slice(at, end).trim());
      at = end;
    } else if (command === 'a' || command === 'i' || command === 'c') at = endOfText(script, at);
    else if (command === '#') at = endOfLine(script, at);
    else if (command === ':' || command === 'b' || command === 't' || command === 'T') {
      const label = /^[^;\n}]*/.exec(script.slice(at))?.[0] ?? '';
      at += label.length;
    }
  }
  return { runs, writes, reads };
}
