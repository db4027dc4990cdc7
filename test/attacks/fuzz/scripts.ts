/** Scripts made of everything a shell has, in which a denied program may or may not run. */
import fc from 'fast-check';
import { denied, file, functionName, inertWord, simple, type Text, variable, words, wrapped } from './commands.ts';
import { anyQuote, backticks, double, single } from './quoting.ts';

const { constantFrom, integer, oneof, tuple } = fc;

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
