import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeProgram, KNOWN_PROGRAMS, readProgram } from '../../../src/guard/programs/read-program.ts';
import { knownWord, type Word } from '../../../src/guard/shell/script.ts';

/** `?` stands for a word that is not known. */
const words = (text: string): Word[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((each) =>
      each.includes('?') ? { source: each.replace('?', '$x'), value: undefined, expands: false } : knownWord(each),
    );

/** Effects as short texts. */
function effects(command: string, piped = false): string[] {
  const [name = '', ...args] = command.split(' ');
  const reading = readProgram(name, words(args.join(' ')), { piped });
  return (reading?.effects ?? []).map((effect) => {
    switch (effect.kind) {
      case 'runs':
        return `runs ${effect.argv.map(({ value }) => value ?? '?').join(' ')}`;
      case 'runs script':
        return `script ${effect.script.value ?? '?'}`;
      case 'runs code':
        return 'code';
      case 'runs file':
        return `file ${effect.path?.value ?? '?'}`;
      case 'reads':
      case 'writes':
      case 'works in':
        return `${effect.kind} ${effect.path.value ?? '?'}`;
      case 'sets variable':
        return `sets ${effect.name}`;
      default:
        return effect.kind;
    }
  });
}

describe('what a program runs', () => {
  it.each<[string, string[]]>([
    ['env -i A=1 rm x', ['sets A', 'runs rm x']],
    ['timeout -k 1 5 rm x', ['runs rm x']],
    ['nice -n5 rm x', ['runs rm x']],
    ['nice --adjustment=5 rm x', ['runs rm x']],
    ['nice --adj 5 rm x', ['runs rm x']],
    ['xargs -n1 rm', [expect.stringMatching(/^runs rm/)]],
    ['xargs -I{} rm a{}', [expect.stringMatching(/^runs rm/)]],
    ['find . -exec rm {} ;', [expect.stringMatching(/^runs rm/)]],
    ['find . -name x -execdir rm {} +', [expect.stringMatching(/^runs rm/)]],
    ['sh -c rm', ['script rm']],
    ['bash -xec rm', ['script rm']],
    ['sh x.sh', ['file x.sh']],
    ['python3.11 -c x', ['code']],
    ['python3 x.py', ['file x.py']],
    ['node --eval=x', ['code']],
    ['perl -lne x', ['code']],
    ['git rebase --exec=rm HEAD', ['writes ./*', 'script rm']],
    ['git nosuch', ['unknown']],
    ['tar cf a.tar --to-command=rm b', ['script rm', 'writes a.tar', 'reads b']],
    ['make CC=rm x', ['file ?', 'script rm']],
    ['busybox rm x', ['runs rm x']],
  ])('%s', (command, expected) => {
    expect(effects(command)).toEqual(expect.arrayContaining(expected));
  });

  it('on its standard input', () => {
    expect(effects('sh', true)).toEqual(['script ?']);
    expect(effects('python3', true)).toEqual(['code']);
    expect(effects('python3')).toEqual([]);
  });
});

describe('what a program does to files', () => {
  it.each<[string, string[]]>([
    ['cp a b c/', ['reads a', 'reads b', 'writes c/']],
    ['mv -t d a', ['writes a', 'writes d']],
    ['sed -i s/a/b/ x', ['writes x']],
    ['sed -n 1p x', ['reads x']],
    ['sort -ox y', ['writes x', 'reads y']],
    ['dd if=a of=b', ['reads a', 'writes b']],
    ['curl -o x http://h', ['writes x', 'connects']],
    ['cd x', ['works in x']],
    ['grep -r a src', ['reads src']],
    ['rm -rf build', ['writes build']],
  ])('%s', (command, expected) => {
    expect(effects(command)).toEqual(expect.arrayContaining(expected));
  });
});

describe('a word that is not known', () => {
  it('could be an option of a program that has dangerous ones, and of no other', () => {
    for (const command of ['find . ?', 'tar ?', 'sort ? x', 'git log ?', 'sed -n ?'])
      expect(effects(command)).toContain('unknown');
    for (const command of ['cat ?', 'ls ?', 'echo ?', 'grep x ?', 'sort -- ?', 'git log -- ?'])
      expect(effects(command)).not.toContain('unknown');
  });
});

describe('the table', () => {
  it('tells how dangerous a program is beside its effects', () => {
    const classOf = (name: string) => readProgram(name, [], { piped: false })?.class;
    expect(['cat', 'grep', 'sed', 'find', 'tar'].map(classOf)).toEqual(Array(5).fill('reads'));
    expect(['rm', 'tee', 'kill', 'vim'].map(classOf)).toEqual(Array(4).fill('writes'));
    expect(['env', 'bash', 'python3', 'make', 'git'].map(classOf)).toEqual(Array(5).fill('runs'));
    expect(['sudo', 'reboot', 'mkfs.ext4', 'useradd'].map(classOf)).toEqual(Array(4).fill('controls'));
  });

  it('knows programs with their versions, and no others by it', () => {
    for (const name of ['python3.11', 'gcc-12', 'x86_64-linux-gnu-gcc-12', 'lua5.4', 'ruby3.1', 'gawk', 'ld-linux-x86-64.so.2'])
      expect(readProgram(name, [], { piped: false })).toBeDefined();
    for (const name of ['cat2', 'rm1', 'sh5', 'my-gcc-12', 'python3-evil', ''])
      expect(readProgram(name, [], { piped: false })).toBeUndefined();
  });

  it('goes by what a program was called where that decides', () => {
    const effects = (calledAs: string) =>
      readProgram('xz', [knownWord('f.xz')], { piped: false, calledAs })?.effects.map(({ kind }) => kind);
    expect(effects('xz')).toEqual(['writes']);
    expect(effects('xzcat')).toEqual(['reads']);
  });

  it('says what is understood of each program', () => {
    expect(KNOWN_PROGRAMS.size).toBeGreaterThan(500);
    for (const name of KNOWN_PROGRAMS) expect(describeProgram(name)).toMatch(/\w/);
    expect(describeProgram('no-such-program')).toBeUndefined();
  });

  it('takes any words, and says the same each time', () => {
    const word = fc.oneof(
      fc.string().map(knownWord),
      fc.string().map((source): Word => ({ source, value: undefined, expands: true })),
      fc.constantFrom(...words('-c -e -exec -- -i -f --x=y ; {} ? -o -C -')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN_PROGRAMS), fc.array(word, { maxLength: 12 }), fc.boolean(), (name, args, piped) => {
        expect(readProgram(name, args, { piped })).toEqual(readProgram(name, args, { piped }));
      }),
      { numRuns: 2000 },
    );
  });
});
