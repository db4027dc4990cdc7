/** More commands, levels and letters than a checker may care to look at. */
import { type Attack, scripts } from './attack.ts';

/** A shell takes no longer script as one argument. */
const LONGEST = 120_000;
const nested = (levels: number, begin: string, end: string, inside: string) => begin.repeat(levels) + inside + end.repeat(levels);

export const MANY_COMMANDS: readonly Attack[] = scripts({
  'the 61st command': `${'true; '.repeat(60)}rm keep.txt`,
  'the 51st, with and': `${'true && '.repeat(50)}rm keep.txt`,
  'the 501st command': `${'true\n'.repeat(500)}rm keep.txt`,
  'one of 501 commands in the middle': `${'true\n'.repeat(250)}rm keep.txt\n${'true\n'.repeat(250)}`,
  'the 999th command': `${':\n'.repeat(998)}rm keep.txt`,
  'the 1001st command': `${':\n'.repeat(1000)}rm keep.txt`,
  'the 5001st command': `${':\n'.repeat(5000)}rm keep.txt`,
  'the 30001st command': `${':\n'.repeat(30_000)}rm keep.txt`,
  'the first of 5001 commands': `rm keep.txt\n${':\n'.repeat(5000)}`,
  'the 101st of a pipe': `${'true | '.repeat(100)}rm keep.txt`,
  'behind a long comment': `# ${'x'.repeat(LONGEST - 100)}\nrm keep.txt`,
  'behind 100 KB of blanks': `true;${' '.repeat(100_000)}rm keep.txt`,
  'behind an argument of 100 KB': `: ${'x'.repeat(100_000)}; rm keep.txt`,
  'behind 10,000 arguments': `: ${'x '.repeat(10_000)}; rm keep.txt`,
  'behind one letter more than 64 KiB': `${' '.repeat(65_526)}rm keep.txt`,
  'behind a here-document of 100 KB': `cat <<END >/dev/null\n${'x'.repeat(99)}\n${`${'y'.repeat(99)}\n`.repeat(1000)}END\nrm keep.txt`,
  'behind 300 here-documents': `${'cat <<E >/dev/null\nx\nE\n'.repeat(300)}rm keep.txt`,
  'behind 2,000 assignments': `${'x=1; '.repeat(2000)}rm keep.txt`,
  'behind 1,000 functions': `${Array.from({ length: 1000 }, (_, index) => `f${index}() { :; }\n`).join('')}rm keep.txt`,
  'behind 100 functions that call each other': `f0() { rm keep.txt; }\n${Array.from({ length: 100 }, (_, index) => `f${index + 1}() { f${index}; }\n`).join('')}f100`,
  'in 40 braces': nested(40, '{ ', '; }', 'rm keep.txt'),
  'in 200 braces': nested(200, '{ ', '; }', 'rm keep.txt'),
  'in 60 subshells': nested(60, '( ', ' )', 'rm keep.txt'),
  'in 100 substitutions': nested(100, 'echo $(', ')', 'rm keep.txt'),
  'in 60 quoted substitutions': nested(60, 'echo "$(', ')"', 'rm keep.txt'),
  'in 100 conditions': nested(100, 'if true; then ', '; fi', 'rm keep.txt'),
  'in 100 loops': nested(100, 'for i in 1; do ', '; done', 'rm keep.txt'),
  'in 200 defaults': nested(200, `\${x:-`, '}', '$(rm keep.txt)').replace(/^/, ': '),
  'in 5 shells': Array.from({ length: 4 }).reduce<string>((inside) => `sh -c ${quoted(inside)}`, 'rm keep.txt'),
  'in 20 shells by here-documents': `${numbers(20, (n) => `sh <<'E${n}'\n`)}rm keep.txt\n${numbers(20, (n) => `E${19 - n}\n`)}`,
  'behind 60 wrappers': `${'env '.repeat(60)}rm keep.txt`,
  'behind 13 wrappers of many kinds': `${'env nice timeout 5 nohup '.repeat(3)}env rm keep.txt`,
  'behind 100 times command': `${'command '.repeat(100)}rm keep.txt`,
  'behind 50 times eval': `${'eval '.repeat(50)}rm keep.txt`,
  'behind 5,000 redirections': `${'</dev/null '.repeat(5000)}rm keep.txt`,
  'behind a test of 3,000 parts': `[[ -z x ${'|| -z x '.repeat(3000)}]] ; rm keep.txt`,
  'behind arithmetic of 3,000 parts': `: $(( 1 ${'+ 1 '.repeat(3000)})); rm keep.txt`,
  'with an expansion to many words': `${'{1..2}'.repeat(8)} 2>/dev/null; rm keep.txt`.replace(/^/, ': '),
  'behind quotes of 20,000 pieces': `: ${`''""`.repeat(10_000)}; rm keep.txt`,
  'behind 3,000 open brackets in quotes': `: '${'(['.repeat(3000)}'; rm keep.txt`,
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function numbers(count: number, each: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => each(n)).join('');
}
