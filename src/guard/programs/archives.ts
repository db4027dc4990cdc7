/** Programs that pack and unpack. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { type Grammar, takeApart } from './options.ts';
import { type Program, SOMEWHERE_HERE } from './program.ts';

const TAR: Grammar = {
  values: {
    '-f': 'text',
    '--file': 'text',
    '-C': 'works in',
    '--directory': 'works in',
    '-I': 'program',
    '--use-compress-program': 'program',
    '--to-command': 'script',
    '--checkpoint-action': 'unknown',
    '-F': 'script',
    '--info-script': 'script',
    '--new-volume-script': 'script',
    '--rsh-command': 'program',
    '--rmt-command': 'program',
    '-T': 'reads',
    '--files-from': 'reads',
    '-X': 'reads',
    '--exclude-from': 'reads',
    '--exclude': 'text',
    '-b': 'text',
    '-g': 'writes',
    '--listed-incremental': 'writes',
    '-K': 'text',
    '-L': 'text',
    '-N': 'text',
    '-V': 'text',
    '-H': 'text',
    '--format': 'text',
    '--transform': 'unknown',
    '--xform': 'unknown',
    '--owner': 'text',
    '--group': 'text',
    '--mtime': 'text',
    '--strip-components': 'text',
    '--index-file': 'writes',
    '--volno-file': 'writes',
    '--one-top-level': 'writes',
    '--suffix': 'text',
    '--mode': 'text',
    '--checkpoint': 'text',
  },
  flags: { '-x': 'marks', '-c': 'marks' },
  careful: true,
};

/** The first argument may be options without their dash (`tar xzf a.tgz`). */
function readTar(args: readonly Word[]): Effect[] {
  const [first, ...rest] = args;
  const old = first?.value !== undefined && /^[A-Za-z]+$/.test(first.value);
  // In the old form the values follow in the order of their letters.
  const words = old
    ? [
        ...(first.value as string).split('').flatMap((letter) => {
          const option = `-${letter}`;
          return TAR.values?.[option] === undefined ? [knownWord(option)] : [knownWord(option), rest.shift() ?? knownWord('')];
        }),
        ...rest,
      ]
    : args;
  const taken = takeApart(words, TAR);
  const effects: Effect[] = [];
  for (const { use, value, option } of taken.options) {
    if (use === 'script' || use === 'program') {
      effects.push({ kind: 'runs script', script: value ?? knownWord('') });
      if (use === 'program') effects.push({ kind: 'unknown', reason: `is given a program to run by ${option}` });
    } else if (use === 'unknown') {
      const harmless =
        (option === '--checkpoint-action' && /^(?:dot|echo|bell|totals|wait|ttyout)/.test(value?.value ?? '')) ||
        (/form$/.test(option) &&
          value?.value !== undefined &&
          !/e/.test(value.value.slice(value.value.lastIndexOf(value.value[1] ?? '/'))));
      const runs = /^exec=(.*)$/s.exec(value?.value ?? '')?.[1];
      if (runs !== undefined) effects.push({ kind: 'runs script', script: knownWord(runs) });
      else if (!harmless) effects.push({ kind: 'unknown', reason: `is given ${option}, which can run programs` });
    } else if (use === 'reads' || use === 'writes') effects.push(...(value ? [{ kind: use, path: value } as const] : []));
    else if (use === 'works in') effects.push(...(value ? [{ kind: 'works in', path: value } as const] : []));
  }
  const archive = taken.value('-f', '--file');
  const creates = taken.has(
    '-c',
    '-r',
    '-u',
    '-A',
    '--create',
    '--append',
    '--update',
    '--delete',
    '--catenate',
    '--concatenate',
  );
  if (archive && archive.value !== '-') {
    if (/^[^/]+:/.test(archive.value ?? '') && !taken.has('--force-local')) effects.push({ kind: 'connects', host: archive });
    else effects.push({ kind: creates ? 'writes' : 'reads', path: archive });
  }
  if (taken.has('-x', '--extract', '--get')) {
    effects.push({ kind: 'writes', path: SOMEWHERE_HERE });
    if (taken.has('-P', '--absolute-names')) effects.push({ kind: 'unknown', reason: 'may write anywhere' });
  } else if (creates) for (const path of taken.operands) effects.push({ kind: 'reads', path });
  if (taken.has('--remove-files')) for (const path of taken.operands) effects.push({ kind: 'writes', path });
  if (taken.unknown)
    effects.push({ kind: 'unknown', reason: `gets ${taken.unknown}, which could be an option that runs or writes something` });
  return effects;
}

export const ARCHIVES: readonly Program[] = [
  {
    names: 'tar gtar',
    class: 'writes',
    about: 'packs and unpacks; -I, --to-command and --checkpoint-action run programs',
    read: (args) => readTar(args),
  },
  {
    names: 'zip',
    class: 'writes',
    about: 'packs',
    grammar: {
      values: { '-TT': 'program', '--unzip-command': 'program', '-b': 'writes', '-O': 'writes', '-x': 'text', '-i': 'text' },
      careful: true,
    },
    operands: ['writes', 'reads'],
    read: (args) =>
      args.some(({ value }) => value?.startsWith('-') && value.includes('T'))
        ? [{ kind: 'unknown', reason: 'may be told which program tests the archive' }]
        : [],
  },
  {
    names: 'unzip funzip',
    class: 'writes',
    about: 'unpacks',
    grammar: { values: { '-d': 'writes', '-P': 'text', '-x': 'text' } },
    operands: ['reads', 'text'],
  },
  {
    names: 'gzip gunzip bzip2 bunzip2 xz unxz lzma unlzma zstd unzstd lz4 compress uncompress pigz pbzip2',
    class: 'writes',
    about: 'packs one file',
    grammar: { values: { '-S': 'text', '--suffix': 'text', '-o': 'writes', '-T': 'text', '-D': 'reads' }, careful: true },
    operands: 'writes',
  },
  { names: 'zcat bzcat xzcat zstdcat lz4cat zless zmore', class: 'reads', about: 'shows a packed file', operands: 'reads' },
  {
    names: '7z 7za 7zr unrar rar cpio ar pax',
    class: 'writes',
    about: 'packs and unpacks',
    grammar: {
      values: { '-o': 'writes', '-F': 'reads', '-O': 'writes', '-I': 'reads', '--rsh-command': 'program', '-D': 'works in' },
      careful: true,
    },
  },
];
