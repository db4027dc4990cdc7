/** Programs that work on text and print the result. */
import { knownWord } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, reader } from './program.ts';
import { readSedScript } from './sed-script.ts';

/** sed: `e` and `s///e` run programs, `w` and `s///w` write files (GNU sed 3.2, 3.8). */
function readSed(taken: Arguments): Effect[] {
  const given = taken.options.filter(({ option }) => option === '-e' || option === '--expression').map(({ value }) => value);
  const fromFile = taken.has('-f', '--file');
  const [first, ...others] = taken.operands;
  const scripts = given.length > 0 || fromFile ? given : [first];
  const files = given.length > 0 || fromFile ? taken.operands : others;
  const effects: Effect[] = [];
  for (const script of scripts) {
    if (!script) continue;
    if (script.value === undefined) {
      effects.push({ kind: 'unknown', reason: `gets a script that is computed (${script.source.slice(0, 40)})` });
    } else effects.push(...commandsOfSed(script.value));
  }
  const inPlace = taken.has('-i', '--in-place');
  for (const path of files) effects.push({ kind: inPlace ? 'writes' : 'reads', path });
  return effects;
}

function commandsOfSed(script: string): Effect[] {
  const { runs, writes, reads } = readSedScript(script);
  return [
    ...(runs ? [{ kind: 'runs code', language: 'shell', how: 'the command e, or s///e' } as const] : []),
    ...writes.map((path): Effect => ({ kind: 'writes', path: knownWord(path) })),
    ...reads.map((path): Effect => ({ kind: 'reads', path: knownWord(path) })),
  ];
}

export const TEXT_TOOLS: readonly Program[] = [
  {
    names: 'grep egrep fgrep zgrep',
    class: 'reads',
    about: 'looks for text in files',
    grammar: {
      values: {
        '-e': 'text',
        '--regexp': 'text',
        '-f': 'reads',
        '--file': 'reads',
        '-A': 'text',
        '-B': 'text',
        '-C': 'text',
        '-m': 'text',
        '-d': 'text',
        '-D': 'text',
        '--include': 'text',
        '--exclude': 'text',
        '--exclude-dir': 'text',
        '--color': 'text',
        '--max-count': 'text',
        '--context': 'text',
      },
    },
    read: (_args, taken) =>
      (taken.has('-e', '-f', '--regexp', '--file') ? taken.operands : taken.operands.slice(1)).map((path) => ({
        kind: 'reads',
        path,
      })),
  },
  {
    names: 'rg ripgrep',
    class: 'reads',
    about: 'looks for text in files',
    grammar: {
      values: {
        '--pre': 'program',
        '--hostname-bin': 'program',
        '-e': 'text',
        '--regexp': 'text',
        '-f': 'reads',
        '--file': 'reads',
        '-A': 'text',
        '-B': 'text',
        '-C': 'text',
        '-m': 'text',
        '-g': 'text',
        '--glob': 'text',
        '-t': 'text',
        '--type': 'text',
        '-T': 'text',
        '-r': 'text',
        '--replace': 'text',
        '-M': 'text',
        '-j': 'text',
        '-d': 'text',
        '--max-depth': 'text',
        '--sort': 'text',
        '--iglob': 'text',
        '--pre-glob': 'text',
        '--ignore-file': 'reads',
      },
      careful: true,
    },
    read: (_args, taken) =>
      (taken.has('-e', '-f', '--regexp', '--file', '--files') ? taken.operands : taken.operands.slice(1)).map((path) => ({
        kind: 'reads',
        path,
      })),
  },
  {
    names: 'ag ack pt ugrep git-grep',
    class: 'reads',
    about: 'looks for text in files',
    grammar: { values: { '--pager': 'program', '--filter': 'unknown', '--ackrc': 'unknown' }, careful: true },
    operands: ['text', 'reads'],
  },
  {
    names: 'sort gsort',
    class: 'reads',
    about: 'sorts lines; -o writes a file, --compress-program runs one',
    grammar: {
      values: {
        '-o': 'writes',
        '--output': 'writes',
        '--compress-program': 'program',
        '-T': 'writes',
        '--temporary-directory': 'writes',
        '-k': 'text',
        '--key': 'text',
        '-t': 'text',
        '--field-separator': 'text',
        '-S': 'text',
        '--buffer-size': 'text',
        '--parallel': 'text',
        '--files0-from': 'reads',
        '--random-source': 'reads',
        '--sort': 'text',
        '--batch-size': 'text',
      },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'uniq',
    class: 'reads',
    about: 'drops repeated lines',
    grammar: { values: { '-f': 'text', '-s': 'text', '-w': 'text' } },
    operands: ['reads', 'writes'],
  },
  reader('cut paste join fold fmt pr column colrm expand unexpand rev ul look tsort ptx', 'works on lines', {
    values: {
      '-d': 'text',
      '-f': 'text',
      '-c': 'text',
      '-b': 'text',
      '-w': 'text',
      '-t': 'text',
      '-s': 'text',
      '-o': 'text',
      '-j': 'text',
      '-1': 'text',
      '-2': 'text',
      '-e': 'text',
      '-a': 'text',
      '-l': 'text',
      '-N': 'text',
    },
  }),
  {
    names: 'iconv',
    class: 'reads',
    about: 'changes the encoding of text',
    grammar: {
      values: { '-o': 'writes', '--output': 'writes', '-f': 'text', '--from-code': 'text', '-t': 'text', '--to-code': 'text' },
    },
    operands: 'reads',
  },
  { names: 'tr', class: 'reads', about: 'changes letters of its input' },
  {
    names: 'sed gsed ssed',
    class: 'reads',
    about: 'edits lines; -i writes, and so do `w`, `e` and s///e in its script',
    grammar: {
      values: {
        '-e': 'text',
        '--expression': 'text',
        '-f': 'runs file',
        '--file': 'runs file',
        '-l': 'text',
        '--line-length': 'text',
      },
      flags: { '-i': 'marks', '--in-place': 'marks' },
      careful: true,
    },
    read: (args, taken) => [
      ...readSed(taken),
      // Copies are kept under names made from what stands behind -i.
      ...(args.some(({ value }) => /^(?:-[a-zA-Z]*i|--in-place=).*[/*]/.test(value ?? ''))
        ? [{ kind: 'unknown', reason: 'keeps copies in another folder' } as const]
        : []),
    ],
  },
  {
    names: 'shuf',
    class: 'reads',
    about: 'puts lines in another order',
    grammar: { values: { '-o': 'writes', '--output': 'writes', '-i': 'text', '-n': 'text', '--random-source': 'reads' } },
    operands: 'reads',
  },
  {
    names: 'xmllint xsltproc tidy pandoc',
    class: 'writes',
    about: 'works on documents',
    grammar: {
      values: {
        '-o': 'writes',
        '--output': 'writes',
        '--xpath': 'text',
        '-F': 'unknown',
        '--filter': 'unknown',
        '--lua-filter': 'unknown',
        '--pdf-engine': 'unknown',
        '-f': 'text',
        '-t': 'text',
      },
      careful: true,
    },
    operands: 'reads',
  },
];
