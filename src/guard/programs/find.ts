/** find(1): an expression whose actions run programs, write files and delete. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import {
  doubtful,
  type Program,
  type ReadContext,
  readRow,
  reads,
  runs,
  unknown,
  WRITES_HERE,
  writes,
  writesInto,
} from './program.ts';
import { beginningOf, LATER_WORDS, laterWord, mayBeOption } from './unknown-words.ts';

/** Tests and actions with one value, which may begin with a dash. */
const WITH_VALUE = new Set(
  'amin anewer atime cmin cnewer context ctime fstype gid group ilname iname inum ipath iregex iwholename links lname maxdepth mindepth mmin mtime name newer path perm printf regex regextype samefile size type uid used user wholename xtype D'
    .split(' ')
    .map((name) => `-${name}`),
);
const REFERENCE = new Set(['-newer', '-anewer', '-cnewer', '-samefile']);
const START = /^-(?:[HLP]|O\d?)$/;

function readFind(args: readonly Word[]): readonly Effect[] {
  const effects: Effect[] = [];
  const roots: Word[] = [];
  let at = 0;
  // Options of its own come first, then where to look.
  for (; at < args.length; at++) {
    const { text, whole } = beginningOf(args[at] as Word);
    if (whole && START.test(text)) continue;
    if (whole && text === '-D') {
      at++;
      continue;
    }
    if (/^[-(),!]/.test(text)) break;
    roots.push(args[at] as Word);
    if (mayBeOption(args[at] as Word)) effects.push(doubtful(args[at] as Word));
  }
  if (roots.length === 0) effects.push(reads('.'));
  else effects.push(...roots.map(reads));
  const found = startOfFound(roots);
  for (; at < args.length; at++) {
    const word = args[at] as Word;
    const { text, whole } = beginningOf(word);
    if (!whole) effects.push(...(mayBeAction(word) ? [doubtful(word)] : []));
    else if (/^-(?:exec|execdir|ok|okdir)$/.test(text)) {
      const end = endOfCommand(args, at + 1);
      const words = args.slice(at + 1, end);
      const many = args[end]?.value === '+';
      if (text.endsWith('dir')) effects.push(...command(words, many, './').map((effect) => inFolder(effect, words, roots)));
      else effects.push(...command(words, many, found));
      at = end;
    } else if (/^-(?:fprint0?|fls|fprintf)$/.test(text)) {
      const file = args[++at];
      if (file) effects.push(writes(file));
      if (text === '-fprintf') at++;
    } else if (text === '-delete') effects.push(...(roots.length > 0 ? roots.map(writesInto) : [WRITES_HERE]));
    else if (text === '-files0-from') {
      const file = args[++at];
      if (file) effects.push(reads(file));
    } else if (WITH_VALUE.has(text) || /^-newer[aBcmt]{2}$/.test(text)) {
      const value = args[++at];
      if (!value) continue;
      const { several, text: start } = beginningOf(value);
      if ((several || (value.expands && start === '')) && mayBeAction(value)) effects.push(doubtful(value));
      if (REFERENCE.has(text)) effects.push(reads(value));
    }
  }
  return effects;
}

/** Actions and nothing else would be dangerous: `*.ts` never becomes one, whatever files there are. */
function mayBeAction({ source, expands }: Word): boolean {
  if (!expands || /[$`'"\\{]/.test(source)) return true;
  const end = /[^*?\]]*$/.exec(source)?.[0] ?? '';
  return ACTIONS.some((action) => action.endsWith(end));
}

const ACTIONS = '-delete -exec -execdir -ok -okdir -fprint -fprint0 -fprintf -fls -files0-from'.split(' ');

/** What every file begins with that is found: never a dash, unless a place to look in does. */
function startOfFound(roots: readonly Word[]): string {
  const [first, ...others] = roots;
  if (!first) return './';
  const start = beginningOf(first).text;
  if (others.length === 0) return start;
  return [first, ...others].every((root) => !mayBeOption(root)) ? './' : '';
}

function endOfCommand(args: readonly Word[], from: number): number {
  let end = from;
  while (end < args.length && args[end]?.value !== ';' && !(args[end]?.value === '+' && args[end - 1]?.value === '{}')) end++;
  return end;
}

/** What is found lies anywhere below the roots: a path that leads upwards could lead to any folder. */
function inFolder(effect: Effect, words: readonly Word[], roots: readonly Word[]): Effect {
  if (effect.kind !== 'runs') return effect;
  const upwards = words.some(({ value, source }) => /(?:^|[/=])\.\.(?:\/|$)/.test(value ?? source));
  const [root = knownWord('.')] = roots;
  if (!upwards && roots.length < 2) return { ...effect, folder: root };
  return { ...effect, folder: { source: 'the folder of what is found', value: undefined, expands: false } };
}

function command(words: readonly Word[], many: boolean, found: string): readonly Effect[] {
  if (words[0]?.value?.includes('{}')) return [unknown('would run the files that it finds')];
  return runs(
    words.map((word) => {
      const placeholder = word.value?.indexOf('{}') ?? -1;
      if (placeholder === -1) return word;
      const start = `${word.value?.slice(0, placeholder)}${placeholder === 0 ? found : ''}`;
      return many && start === '' ? LATER_WORDS : laterWord(start);
    }),
  );
}

/** fd(1): -x runs a program for each file, -X one for all; it ends at `;`. */
function readFd(args: readonly Word[], context: ReadContext): readonly Effect[] {
  const at = args.findIndex(({ value }) => /^(?:-[a-zA-Z]*[xX]|--exec|--exec-batch)$/.test(value ?? ''));
  if (at === -1) return readRow({ grammar: FD, operands: ['text', 'reads'] }, args, context);
  const end = endOfCommand(args, at + 1);
  const words = args.slice(at + 1, end).map((word) => (/\{[/.]*\}/.test(word.value ?? '') ? laterWord('./') : word));
  const placed = words.some((word, index) => word !== args[at + 1 + index]);
  const others = [...args.slice(0, at), ...args.slice(end + 1)];
  return [...runs(placed ? words : [...words, laterWord('./')]), ...readFd(others, context)];
}

const FD: Grammar = {
  values: {
    'works in': '-C --base-directory',
    reads: '--ignore-file --search-path',
    text: '-e --extension -E --exclude -t --type -d --max-depth --min-depth --exact-depth -S --size -c --color -j --threads -g? --changed-within --changed-before -o --owner --format --batch-size --max-results --path-separator',
  },
  exact: true,
  careful: true,
};

export const FINDERS: readonly Program[] = [
  {
    names: 'fd fdfind',
    class: 'reads',
    about: 'looks for files; -x and -X run programs',
    read: (args, _taken, context) => readFd(args, context),
  },
  {
    names: 'find gfind',
    class: 'reads',
    about:
      'looks for files; -exec, -execdir, -ok and -okdir run programs, -delete removes, -fprint, -fprintf and -fls write files',
    read: (args) => readFind(args),
  },
];
