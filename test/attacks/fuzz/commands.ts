/** Single commands in which a denied program runs, in disguise, or is only spoken of. */
import fc from 'fast-check';
import { anyQuote } from './quoting.ts';

/** Programs that the policy denies. */
export const DENIED = ['rm', 'curl', 'sudo', 'dd', 'wget', 'nc'] as const;

export type Text = fc.Arbitrary<string>;
const { constant, constantFrom, integer, oneof, tuple } = fc;

export const denied = constantFrom(...DENIED);
export const variable = constantFrom('a', 'b', 'x', 'y', 'cmd', 'IFS2', '_v');
export const functionName = constantFrom('f', 'g', 'ls', 'run', 'echo2', 'rm2');
export const file = constantFrom('f.txt', 'a.sh', 'out', './b.sh', 'd/c.sh', '"$PWD/e.sh"');
const plainWord = constantFrom(
  'hello',
  'f.txt',
  '-n',
  '--',
  '-x',
  '1',
  '"a b"',
  "'c;d'",
  '$HOME',
  '"$x"',
  '${y:-z}',
  '*.txt',
  '{1,2}',
  '~',
  '#',
  '$((1+2))',
);

/** Denied words where they are only words. */
export const inertWord = denied.chain((name) =>
  constantFrom(
    name,
    `'${name} -rf x'`,
    `"${name} f.txt"`,
    `'$(${name})'`,
    `"\\$(${name})"`,
    `'\`${name}\`'`,
    `--${name}`,
    `x${name}`,
    `${name}.txt`,
    `"; ${name} x"`,
  ),
);
const word = oneof({ weight: 3, arbitrary: plainWord }, { weight: 2, arbitrary: inertWord });
export const words = fc.array(word, { maxLength: 3 }).map((all) => all.join(' '));

/** A denied program as the first word of a command, in disguise. */
const name: Text = tuple(denied, anyQuote, integer({ min: 1, max: 3 })).chain(([program, quote, at]) =>
  oneof(
    { weight: 8, arbitrary: constant(program) },
    {
      weight: 10,
      arbitrary: constantFrom(
        quote(program),
        `\\${program}`,
        `${program.slice(0, at)}''${program.slice(at)}`,
        `${program.slice(0, at)}"${program.slice(at)}"`,
        `'${program.slice(0, at)}'\\${program.slice(at)}`,
        `"${program.slice(0, at)}"${program.slice(at)}''`,
        `${program.slice(0, at)}\\\n${program.slice(at)}`,
        `/usr/bin/${program}`,
        `/bin/../bin/./${program}`,
        `/bin/${program.slice(0, -1)}[${program.at(-1)}]`,
        `\${none:-${program}}`,
        `\${none}${program}`,
        `$(echo ${program})`,
        `$(printf %s%s ${program.slice(0, at)} ${program.slice(at) || "''"})`,
        `\`echo ${program}\``,
        `${program.slice(0, at)}$(echo ${program.slice(at)})`,
        `$none ${program}`,
        `{${program},f.txt}`,
      ),
    },
  ),
);

const harmless: Text = oneof(
  constantFrom(
    'true',
    ':',
    'false',
    'ls',
    'pwd',
    '# nothing',
    'x=1',
    'y=',
    'test -e f.txt',
    '[ -n "$x" ]',
    'cat f.txt',
    'cd .',
    'wait',
    'set --',
    'shift 0',
  ),
  words.map((all) => `echo ${all}`),
  words.map((all) => `printf '%s\\n' ${all}`),
  inertWord.map((text) => `grep -c ${text} f.txt`),
  inertWord.map((text) => `git add ${text}`),
  tuple(variable, word).map(([left, right]) => `${left}=${right}`),
  inertWord.map((text) => `: # ${text}`),
);

/** A denied program with what else makes up a command. */
const direct: Text = tuple(
  constantFrom('', '', '', 'a=1 ', '2>/dev/null ', '</dev/null ', '! '),
  name,
  words,
  constantFrom('', '', '', ' >/dev/null', ' 2>&1', ' >> out', ' &'),
).map(([before, program, rest, after]) => `${before}${program} ${rest}${after}`);

export const simple: Text = oneof({ weight: 3, arbitrary: harmless }, { weight: 2, arbitrary: direct });

/** Commands that other programs can be given as arguments. */
const argumentsOnly: Text = tuple(denied, anyQuote, words).map(([program, quote, rest]) => `${quote(program)} ${rest}`);
const argv: Text = oneof(
  { weight: 3, arbitrary: argumentsOnly },
  { weight: 2, arbitrary: inertWord.map((text) => `echo ${text}`) },
);

const WRAPPERS = [
  'env',
  'env -i',
  'env -u X A=b',
  'env -',
  'timeout 2',
  'timeout -k 1 2',
  'nice',
  'nice -n 3',
  'nohup',
  'command',
  'command -p',
  'exec',
  'setsid -w',
  'stdbuf -oL',
  'xargs',
  'xargs -r -n1',
  'xargs -I{}',
  'busybox',
  'time',
  'find . -maxdepth 0 -exec',
  'flock out',
  'env -S',
  'builtin command',
];

export const wrapped: Text = tuple(
  fc.array(constantFrom(...WRAPPERS), { minLength: 1, maxLength: 3 }),
  argv,
  constantFrom('', 'echo f.txt | ', "printf 'x' | "),
).map(
  ([wrappers, command, input]) =>
    `${input}${wrappers.join(' ')} ${command}${wrappers.some((each) => each.startsWith('find')) ? ' \\;' : ''}`,
);
