import { describe, expect, it } from 'vitest';
import { parseScript } from '../../../src/guard/shell/parse.ts';

/** Commands as their words; `?` stands for what cannot be known. */
async function commandsOf(script: string): Promise<string[]> {
  const { commands } = await parseScript(script);
  return commands.filter(({ words }) => words.length > 0).map(({ words }) => words.map(({ value }) => value ?? '?').join(' '));
}

describe('the commands of a script', () => {
  it.each<[string, string[]]>([
    ['a; b & c && d || e | f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['a\nb', ['a', 'b']],
    ['(a; { b; })', ['a', 'b']],
    ['if a; then b; elif c; then d; else e; fi', ['a', 'b', 'c', 'd', 'e']],
    ['for i in 1 2; do a $i; done', ['a ?']],
    ['while a; do b; done; until c; do d; done', ['a', 'b', 'c', 'd']],
    ['case $x in a) b;; *) c;; esac', ['b', 'c']],
    ['f() { a; }; f', ['a', 'f']],
    ['! a', ['a']],
    ['echo $(a) `b` "$(c) `d`"', ['echo ? ? ?', 'a', 'b', 'c', 'd']],
    ['echo $(a $(b))', ['echo ?', 'a ?', 'b']],
    ['echo `a \\`b\\``', ['echo ?', 'a ?', 'b']],
    ['echo `a \\"; b; c \\"`', ['echo ?', 'a "', 'b', 'c "', 'a ; b; c ']],
    ['x=$(a) b', ['b', 'a']],
    ['x=$(a)', ['a']],
    ['export X=$(a)', ['export ?', 'a']],
    ['echo ${x:-$(a)} $((1 + $(b)))', ['echo ? ?', 'a', 'b']],
    ['cat <(a) >(b)', ['cat /dev/fd/63 /dev/fd/63', 'a', 'b']],
    ['[[ -f $(a) ]]', ['[[ -f ?', 'a']],
    ['cat <<EOF\n`a`\nEOF', ['cat', 'a']],
    ['cat <<-EOF\n\t$(a) "b"\n\tEOF', ['cat', 'a']],
    ['cat <<EOF\n$(a)\nEOF\nb', ['cat', 'a', 'b']],
    ["cat <<'EOF'\n$(a)\nEOF\nb", ['cat', 'b']],
    ['cat <<EOF | sh\na\nEOF', ['cat', 'sh']],
    ['find . > /dev/null -exec a {} \\;', ['find . -exec a {} ;']],
    ['> out a b', ['a b']],
    ['a | b > out c', ['a', 'b c']],
    ['x=(1 $(a)); y[$(b)]=2', ['a', 'b']],
    ['a # b; c', ['a']],
    ["a '# b'; c", ['a # b', 'c']],
  ])('%s', async (script, expected) => {
    expect(await commandsOf(script)).toEqual(expected);
    expect((await parseScript(script)).problems).toEqual([]);
  });
});

describe('the words of a command', () => {
  it.each<[string, string]>([
    ['rm', 'rm'],
    ['r\\m', 'rm'],
    ['r"m"', 'rm'],
    ["'r'm", 'rm'],
    ["$'\\x72\\155'", 'rm'],
    ['r\\\nm', 'rm'],
    ['"a b"', 'a b'],
    ['"a\\"b\\$c"', 'a"b$c'],
    ['a\\ b', 'a b'],
    ["'it'\\''s'", "it's"],
    ['--x=y', '--x=y'],
    ['$x', '?'],
    ['a$x', '?'],
    ['"$x"', '?'],
    ['*.ts', '?'],
    ['a[b]c', '?'],
    ['{a,b}', '?'],
    ['a{1..3}', '?'],
    ['~/x', '?'],
    ["'*'", '*'],
    ['"~"', '~'],
    ['$((1))', '?'],
    ['é', 'é'],
  ])('%s is %s', async (word, value) => {
    expect(await commandsOf(`echo ${word}`)).toEqual([`echo ${value}`]);
  });
});

describe('what a script does to streams', () => {
  const streams = async (script: string) =>
    (await parseScript(script)).commands.map(({ piped, redirections }) => ({
      piped,
      redirections: redirections.map(({ operator, target, text }) => `${operator}${target?.value ?? text ?? '?'}`),
    }));

  it('is told of each command', async () => {
    expect(await streams('a > out 2>&1 < in')).toEqual([{ piped: false, redirections: ['>out', '>&1', '<in'] }]);
    expect(await streams('a | b')).toEqual([
      { piped: false, redirections: [] },
      { piped: true, redirections: [] },
    ]);
    expect(await streams('cat <<EOF > out\nx\nEOF')).toEqual([{ piped: false, redirections: ['<<x\n', '>out'] }]);
    expect(await streams('while a; do b; done < in')).toEqual([
      { piped: false, redirections: ['<in'] },
      { piped: false, redirections: ['<in'] },
      { piped: false, redirections: ['<in'] },
    ]);
  });
});

describe('what cannot be read', () => {
  it.each([
    'echo "never closed',
    "echo 'never closed",
    'echo $(never closed',
    'if a; then b',
    'a |',
    'a\u00a0#; b',
    'a\rb',
    'a\u0007',
    'echo ${x:=`a`}',
    'cat <<EOF\nnever ended',
    'cat <<"E"OF\nx\nEOF',
  ])('is a problem: %j', async (script) => {
    expect((await parseScript(script)).problems).not.toEqual([]);
  });

  it('is a problem past any measure', async () => {
    expect((await parseScript('a;'.repeat(2000))).problems).toMatchObject([{ reason: expect.stringContaining('1000 commands') }]);
    expect((await parseScript(`${'$('.repeat(500)}a${')'.repeat(500)}`)).problems).not.toEqual([]);
    expect((await parseScript('a'.repeat(70_000))).problems).not.toEqual([]);
  });

  it('is none in quotes, comments and here-documents', async () => {
    for (const script of ['echo "été\u00a0: x"', "echo 'a\u200b'", 'a # \u00a0', 'cat <<EOF\n\u00a0\nEOF'])
      expect((await parseScript(script)).problems).toEqual([]);
  });
});

describe('a script that only Bash reads so', () => {
  it.each([
    '[[ -f x ]]',
    '((x++))',
    "echo $'a'",
    'a <(b)',
    'a |& b',
    'a &> f',
    'source x',
    'x+=1',
    'x=(a)',
    'a <<< b',
    'echo {1..3}',
    'echo ${x/a/b}',
    'echo ${x:1}',
    'set -o pipefail',
  ])('is known: %s', async (script) => {
    expect((await parseScript(script)).bashOnly).toBe(true);
  });

  it.each(['a && b | c > d 2>&1', 'echo ${x:-y} ${x%.ts} ${#x} $((1+2))', '[ -f x ]', 'x=1 a', 'f() { a; }', '. x'])(
    'is not: %s',
    async (script) => {
      expect((await parseScript(script)).bashOnly).toBe(false);
    },
  );
});

describe('continued lines', () => {
  it('are joined as a shell joins them', async () => {
    expect(await commandsOf('r\\\nm x')).toEqual(['rm x']);
    expect(await commandsOf('npm run \\\n  build')).toEqual(['npm run build']);
    expect(await commandsOf('echo a\\\n#b; rm x')).toEqual(['echo a#b', 'rm x']);
    expect(await commandsOf("echo 'a\\\nb'")).toEqual(['echo a\\\nb']);
    expect(await commandsOf('# a \\\nrm x')).toEqual(['rm x']);
    expect(await commandsOf('echo a\\\\\nrm x')).toEqual(['echo a\\', 'rm x']);
  });
});
