/** Scripts made of everything a shell has, in which a denied program may or may not run. */
import fc from 'fast-check';
import { anyQuote, backticks, double, single } from './quoting.ts';

/** Programs that the policy denies. */
export const DENIED = ['rm', 'curl', 'sudo', 'dd', 'wget', 'nc'] as const;

type Text = fc.Arbitrary<string>;
const { constant, constantFrom, integer, oneof, tuple } = fc;

const denied = constantFrom(...DENIED);
const variable = constantFrom('a', 'b', 'x', 'y', 'cmd', 'IFS2', '_v');
const functionName = constantFrom('f', 'g', 'ls', 'run', 'echo2', 'rm2');
const file = constantFrom('f.txt', 'a.sh', 'out', './b.sh', 'd/c.sh', '"$PWD/e.sh"');
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
const inertWord = denied.chain((name) =>
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
const words = fc.array(word, { maxLength: 3 }).map((all) => all.join(' '));

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

const simple: Text = oneof({ weight: 3, arbitrary: harmless }, { weight: 2, arbitrary: direct });

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

const wrapped: Text = tuple(
  fc.array(constantFrom(...WRAPPERS), { minLength: 1, maxLength: 3 }),
  argv,
  constantFrom('', 'echo f.txt | ', "printf 'x' | "),
).map(
  ([wrappers, command, input]) =>
    `${input}${wrappers.join(' ')} ${command}${wrappers.some((each) => each.startsWith('find')) ? ' \\;' : ''}`,
);

/** What may stand in a list without braces around it. */
const inLine = (text: string) => (/[\n#]|&$/.test(text) ? `{ ${text}\n}` : text);

/** @param depth how many more levels of scripts in scripts */
export function script(depth: number): Text {
  if (depth === 0) return oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: wrapped });
  const inner = script(depth - 1);
  return oneof(
    { weight: 3, arbitrary: simple },
    { weight: 3, arbitrary: wrapped },
    { weight: 4, arbitrary: lists(inner) },
    { weight: 4, arbitrary: compounds(inner) },
    { weight: 4, arbitrary: substitutions(inner) },
    { weight: 5, arbitrary: scriptsInTexts(inner) },
    { weight: 3, arbitrary: variables() },
    { weight: 3, arbitrary: files(inner) },
  );
}

function lists(inner: Text): Text {
  return tuple(inner, constantFrom('\n', ';', '&&', '||', '|', '&', '\n#\n', ';\\\n', '|&'), inner).map(
    ([left, operator, right]) => {
      if (operator.startsWith('\n')) return left + operator + right;
      return `${inLine(left)} ${operator} ${inLine(right)}`;
    },
  );
}

function compounds(inner: Text): Text {
  return tuple(inner, inner, functionName, inertWord).chain(([one, two, called, inert]) =>
    constantFrom(
      `{ ${one}\n}`,
      `( ${one}\n)`,
      `if ${one}\nthen ${two}\nelse ${one}\nfi`,
      `if true; then :; else ${one}\nfi`,
      `while true; do ${one}\nbreak; done`,
      `until false; do ${one}\nbreak; done`,
      `for i in 1 ${inert}; do ${one}\ndone`,
      `for (( i = 0; i < 1; i++ )); do ${one}\ndone`,
      `case ${inert} in (x) ${one}\n;; *) ${two}\n;; esac`,
      `case x in ${inert}) ${one}\n;; x) :;; esac`,
      `${called}() { ${one}\n}; ${two}\n${called}`,
      `${called}() { ${one}\n}`,
      `function ${called} { ${one}\n}; ${called}`,
      `${called}() { "$@"; }; ${called} ${inert}`,
      `[[ -n x ]] && { ${one}\n}`,
      `(( 0 )) || { ${one}\n}`,
      `! { ${one}\n}`,
      `select i in a; do ${one}\nbreak; done <<< 1`,
      `coproc { ${one}\n}; wait`,
      `false && { ${one}\n}`,
      `exit 0\n${one}`,
      `{ ${one}\n} > /dev/null 2>&1 < f.txt`,
    ),
  );
}

function substitutions(inner: Text): Text {
  return tuple(inner, variable).chain(([one, left]) =>
    constantFrom(
      `echo $(${one}\n)`,
      `echo "$(${one}\n)"`,
      `echo ${backticks(one)}`,
      `echo "${backticks(one).replaceAll('"', '\\"')}"`,
      `echo '$(${one.replaceAll("'", '')}\n)'`,
      `${left}=$(${one}\n)`,
      `${left}=x$(${one}\n) true`,
      `echo \${none:-$(${one}\n)}`,
      `echo "\${none:=$(${one}\n)}"`,
      `echo \${HOME:+$(${one}\n)} \${HOME:-$(${one}\n)}`,
      `echo $(( $(${one}\n echo 1) + 1 ))`,
      `cat <(${one}\n)`,
      `echo x > >(${one}\n)`,
      `cat <<E1\n$(${one}\n)\nE1`,
      `cat <<'E2'\n$(${one}\n)\nE2`,
      `cat <<-E3\n\t\${none:-$(${one}\n)}\n\tE3`,
      `cat <<< "$(${one}\n)"`,
      `a=(x "$(${one}\n)")`,
      `a[$(${one}\n echo 0)]=1`,
      `[[ -n $(${one}\n) ]]`,
      `case $(${one}\n) in *) ;; esac`,
      `for i in $(${one}\n); do :; done`,
      `echo x > "$(${one}\n echo out)"`,
      `export ${left}="$(${one}\n)"`,
      `$(${one}\n)`,
      `echo {a,$(${one}\n)}`,
    ),
  );
}

function scriptsInTexts(inner: Text): Text {
  return tuple(inner, anyQuote, variable).chain(([one, quote, left]) =>
    constantFrom(
      `eval ${quote(one)}`,
      `eval eval ${single(quote(one))}`,
      `sh -c ${quote(one)}`,
      `bash -c ${quote(one)} x y`,
      `bash --norc -ec ${quote(one)}`,
      `env A=b timeout 2 sh -c ${quote(one)}`,
      `echo ${quote(one)} | sh`,
      `printf '%s\\n' ${quote(one)} | bash -s`,
      `sh <<< ${quote(one)}`,
      `sh <<'E4'\n${one}\nE4`,
      `sh <<E5\n${one.replace(/[\\$`]/g, '\\$&')}\nE5`,
      `cat <<'E6'\n${one}\nE6`,
      `${left}=${quote(one)}; eval "$${left}"`,
      `${left}=${quote(one)}; sh -c "$${left}"`,
      `${left}=${quote(one)}; echo "$${left}"`,
      `trap ${quote(one)} EXIT`,
      `trap ${quote(one)} USR1`,
      `trap -- ${quote(one)} 0 INT`,
      `. <(echo ${quote(one)})`,
      `source /dev/stdin <<< ${quote(one)}`,
      `find . -maxdepth 0 -exec sh -c ${quote(one)} \\;`,
      `echo x | xargs -I{} sh -c ${quote(one)}`,
      `xargs -0 sh -c < /dev/null ${quote(one)}`,
      `alias q=${quote(one)}\nq`,
      `shopt -s expand_aliases; alias q=${quote(one)}\nq`,
      `echo ${quote(one)}`,
      `echo ${double(one)} > /dev/null`,
      `grep -e ${quote(one)} f.txt`,
      `git commit -m ${quote(one)}`,
      `awk ${single(`BEGIN { system(${JSON.stringify(one)}) }`)}`,
      `awk ${single(`BEGIN { print ${JSON.stringify(one)} }`)}`,
      `sed ${single(`1e ${one.split('\n')[0]}`)} f.txt`,
      `sed -n ${single(`s/x/${one.replace(/[/\\&\n]/g, '')}/p`)} f.txt`,
      `env -S ${quote(`sh -c ${single(one)}`)}`,
      `x='a[$(${one.replaceAll("'", '')}\n)]'; (( x ))`,
      `set -- ${quote(one)}; eval "$1"`,
      `f() { eval "$1"; }; f ${quote(one)}`,
    ),
  );
}

function variables(): Text {
  return tuple(denied, variable, words, anyQuote).chain(([program, left, rest, quote]) =>
    constantFrom(
      `${left}=${quote(program)}; $${left} ${rest}`,
      `${left}=${program}; echo $${left}`,
      `${left}='${program} f.txt'; $${left}`,
      `${left}=${program}; "$${left}" ${rest}`,
      `set -- ${program} f.txt; "$@"`,
      `set -- ${program}; $1 ${rest}`,
      `for i in echo ${program}; do $i x; done`,
      `read -r ${left} <<E7\n${program}\nE7\n$${left} x`,
      `a=(${program} x); "\${a[@]}"`,
      `${left}=${program.slice(1)}; ${program[0]}$${left} x`,
      `${left}=x${program}; \${${left}#x} x`,
      `command_not_found_handle() { ${program} x; }; no-such-program`,
      `ln -s "$(command -v ${program})" tidy; ./tidy x`,
      `hash -p /usr/bin/${program} ls; ls`,
      `export ${left}=${program}; sh -c '$${left} x'`,
      `echo ${program} x | xargs env`,
      `echo ${program} | { read -r ${left}; $${left} x; }`,
      `PATH=/nowhere; ${program} x`,
      `${program}() { echo mine; }; ${program} x`,
      `alias ${program}=echo\n${program} x`,
      `unset none; \${none-${program}} x`,
      `IFS=_; ${left}=${program}_x; $${left}`,
      `type ${program}; command -v ${program}; which ${program}`,
      `man ${program} | head -1`,
      `test ${program} = x || echo ${program}`,
    ),
  );
}

function files(inner: Text): Text {
  return tuple(inner, file, anyQuote).chain(([one, path, quote]) =>
    constantFrom(
      `mkdir -p d; echo ${quote(one)} > ${path}; sh ${path}`,
      `mkdir -p d; cat > ${path} <<'E8'\n${one}\nE8\n. ./${path}`,
      `mkdir -p d; printf '%s\\n' ${quote(`#!/bin/sh\n${one}`)} > ${path}; chmod +x ${path}; ./${path}`,
      `echo ${quote(one)} | tee a.sh > /dev/null; bash a.sh`,
      `echo ${quote(one)} > g.sh; cp g.sh h.sh; sh h.sh`,
      `echo ${quote(one)} > g.sh; sh < g.sh`,
      `echo ${quote(one)} > g.sh; eval "$(cat g.sh)"`,
      `echo ${quote(one)} > g.sh; cat g.sh`,
      `mkdir -p d; cd d; echo ${quote(one)} > c.sh; cd ..; sh d/c.sh`,
    ),
  );
}

/** Signs that begin or end something. */
const SIGNS = [
  '$',
  '`',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '<',
  '>',
  '|',
  '&',
  ';',
  '#',
  '\n',
  ' ',
  '=',
  '!',
  '<<',
  '$(',
  '${',
  "$'",
  '\\\n',
  '$((',
  'E',
  ';;',
  'in',
  'do',
  '\r',
  '\t',
  '~',
  '*',
  '-',
];

/** The script with a few signs put in, doubled or taken out: where parsers begin to disagree. */
function disturbed(text: string, changes: readonly (readonly [number, number, string])[]): string {
  let result = text;
  for (const [place, kind, sign] of changes) {
    const at = Math.floor((place / 1000) * (result.length + 1));
    const rest = kind === 0 ? result.slice(at + 1) : result.slice(at);
    result = result.slice(0, at) + (kind === 0 ? '' : sign) + rest;
  }
  return result;
}

const changes = fc.array(tuple(integer({ min: 0, max: 999 }), integer({ min: 0, max: 2 }), constantFrom(...SIGNS)), {
  minLength: 1,
  maxLength: 3,
});

export const anyScript: Text = oneof(
  { weight: 1, arbitrary: script(1) },
  { weight: 3, arbitrary: script(2) },
  { weight: 2, arbitrary: script(3) },
  { weight: 2, arbitrary: tuple(script(2), changes).map(([text, all]) => disturbed(text, all)) },
)
  .chain((text) => constantFrom(text, text, text, `[[ x ]]\n${text}`))
  .filter((text) => !text.includes('\0') && text.trim() !== '');
