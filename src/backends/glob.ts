import { Failure } from '../errors.ts';

/**
 * The one glob dialect of file searches, whatever program does the looking: `*` and `?` stay inside a name,
 * `**` crosses folders, `[a-z]` and `[!a-z]` are sets, `{a,b}` are alternatives, `\` makes the next character plain.
 * Names that start with a dot are ordinary names; whether they are looked at is not the pattern's business.
 *
 * Matching never backtracks over more than the latest `*`, so no pattern can make it slow.
 */
type Token =
  | { readonly kind: 'character'; readonly value: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

type Segment = readonly Token[] | 'globstar';

const MAX_ALTERNATIVES = 256;

/**
 * @param pattern without a slash it is matched against the last name of a path, with one against the whole path
 * @returns a test for paths relative to the searched folder
 * @throws Failure `invalid_input` for a pattern that cannot be read
 */
export function compileGlob(pattern: string, caseSensitive: boolean): (path: string) => boolean {
  const fold = caseSensitive ? (text: string) => text : (text: string) => text.toLowerCase();
  const alternatives = expandBraces(pattern).map((alternative) => compileAlternative(fold(alternative)));
  return (path) => {
    const names = fold(path).split('/');
    return alternatives.some(({ wholePath, segments }) => matchSegments(segments, wholePath ? names : names.slice(-1)));
  };
}

function compileAlternative(pattern: string): { wholePath: boolean; segments: Segment[] } {
  const wholePath = pattern.includes('/');
  const trimmed = pattern.replace(/^(\.?\/+)+/, '');
  const names = (trimmed.endsWith('/') ? `${trimmed}**` : trimmed).split(/\/+/);
  const segments: Segment[] = names.map((name) => (wholePath && name === '**' ? 'globstar' : tokenize(name, pattern)));
  // `a/**` is what lies below `a`, not `a` itself.
  if (segments.at(-1) === 'globstar') segments.push([{ kind: 'star' }]);
  return { wholePath, segments };
}

function unreadable(pattern: string, why: string): Failure {
  return new Failure('invalid_input', `The glob "${pattern}" cannot be read: ${why}.`, {
    hint: 'Globs know *, ?, **, [a-z], {a,b}; put a backslash before a character that is meant literally.',
  });
}

function tokenize(name: string, pattern: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...name];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] as string;
    if (character === '\\') {
      at += 1;
      const literal = characters[at];
      if (literal === undefined) throw unreadable(pattern, 'it ends with a backslash');
      tokens.push({ kind: 'character', value: literal });
    } else if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (character === '?') {
      tokens.push({ kind: 'any' });
    } else if (character === '[') {
      const { token, end } = tokenizeSet(characters, at, pattern);
      tokens.push(token);
      at = end;
    } else {
      tokens.push({ kind: 'character', value: character });
    }
  }
  return tokens;
}

function tokenizeSet(characters: readonly string[], start: number, pattern: string): { token: Token; end: number } {
  const ranges: [string, string][] = [];
  let at = start + 1;
  const negated = characters[at] === '!' || characters[at] === '^';
  if (negated) at += 1;
  const take = (): string => {
    if (characters[at] === '\\') at += 1;
    const taken = characters[at];
    if (taken === undefined) throw unreadable(pattern, 'a [ has no ]');
    at += 1;
    return taken;
  };
  // A ] right after the opening is a member, as in every glob dialect.
  for (let first = true; first || characters[at] !== ']'; first = false) {
    const low = take();
    if (characters[at] === '-' && characters[at + 1] !== undefined && characters[at + 1] !== ']') {
      at += 1;
      ranges.push([low, take()]);
    } else {
      ranges.push([low, low]);
    }
  }
  return { token: { kind: 'set', negated, ranges }, end: at };
}

/** Splits `{a,b}` into patterns; braces without a comma stay as they are. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const waiting = [pattern];
  while (waiting.length > 0) {
    const next = waiting.shift() as string;
    const group = findBraces(next);
    if (!group) done.push(next);
    else waiting.push(...group.choices.map((choice) => next.slice(0, group.start) + choice + next.slice(group.end + 1)));
    if (done.length + waiting.length > MAX_ALTERNATIVES) {
      throw unreadable(pattern, `its braces stand for more than ${MAX_ALTERNATIVES} patterns`);
    }
  }
  return done;
}

function findBraces(pattern: string): { start: number; end: number; choices: string[] } | undefined {
  const open: { start: number; commas: number[] }[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '{') open.push({ start: at, commas: [] });
    else if (character === ',') open.at(-1)?.commas.push(at);
    else if (character === '}') {
      const group = open.pop();
      if (!group || group.commas.length === 0) continue;
      const edges = [group.start, ...group.commas, at];
      const choices = edges.slice(1).map((edge, index) => pattern.slice((edges[index] as number) + 1, edge));
      return { start: group.start, end: at, choices };
    }
  }
  return undefined;
}

function matchSegments(segments: readonly Segment[], names: readonly string[]): boolean {
  return matchWithStars(
    segments,
    names,
    (segment) => segment === 'globstar',
    (segment, name) => matchWithStars(segment as readonly Token[], [...name], (token) => token.kind === 'star', matchToken),
  );
}

function matchToken(token: Token, character: string): boolean {
  if (token.kind === 'any') return true;
  if (token.kind === 'character') return token.value === character;
  if (token.kind === 'star') return false;
  return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
}

/** Wildcard matching that only ever returns to the latest star: what an earlier one took can stay as it is. */
function matchWithStars<P, V>(
  pattern: readonly P[],
  values: readonly V[],
  isStar: (part: P) => boolean,
  matches: (part: P, value: V) => boolean,
): boolean {
  let part = 0;
  let value = 0;
  let starPart = -1;
  let starValue = 0;
  while (value < values.length) {
    const current = pattern[part];
    if (current !== undefined && isStar(current)) {
      starPart = part;
      starValue = value;
      part += 1;
    } else if (current !== undefined && matches(current, values[value] as V)) {
      part += 1;
      value += 1;
    } else if (starPart >= 0) {
      part = starPart + 1;
      starValue += 1;
      value = starValue;
    } else {
      return false;
    }
  }
  while (part < pattern.length && isStar(pattern[part] as P)) part += 1;
  return part === pattern.length;
}
