/** Programs that pack and unpack. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import {
  connects,
  fed,
  type Program,
  type ReadContext,
  reader,
  readRow,
  reads,
  runsScript,
  unknown,
  WRITES_HERE,
  writes,
  writesInto,
} from './program.ts';

const TAR: Grammar = {
  values: {
    special:
      '-f --file -C --directory -T --files-from --checkpoint-action --one-top-level? -I --use-compress-program --to-command -F --info-script --new-volume-script',
    program: '--rsh-command --rmt-command',
    reads: '-X --exclude-from',
    writes: '-g --listed-incremental --index-file --volno-file',
    text: '-b --blocking-factor -K --starting-file -L --tape-length -N --newer -V --label -H --format --exclude --exclude-ignore --exclude-tag --transform --xform --owner --group --owner-map --group-map --mtime --mode --strip-components --suffix --backup? --checkpoint? --sort --level --occurrence? --quoting-style --record-size --pax-option --hole-detection --newer-mtime --after-date --warning --xattrs-include --xattrs-exclude --totals? --show-defaults? --sparse-version --quote-chars --no-quote-chars --add-file',
  },
  flags:
    '--extract --get --create --append --update --delete --catenate --concatenate --list --diff --compare --remove-files --absolute-names --to-stdout --force-local --null --sparse --xattrs --verbatim-files-from --no-verbatim-files-from --exclude-vcs --exclude-caches --exclude-backups',
  careful: true,
};

/** The first argument may be options without their dash (`tar xzf a.tgz`); values follow in the order of the letters. */
function withDashes(args: readonly Word[]): readonly Word[] {
  const [first, ...rest] = args;
  if (first?.value === undefined || !/^[A-Za-z]+$/.test(first.value)) return args;
  const taking = /[fCTIFXgbKLNVH]/;
  const options = [...first.value].flatMap((letter) => {
    const value = taking.test(letter) ? rest.shift() : undefined;
    return [knownWord(`-${letter}`), ...(value ? [value] : [])];
  });
  return [...options, ...rest];
}

/** A path in the folder that -C names; each -C counts from the one before. */
function inside(folder: Word | undefined, path: Word): Word {
  if (!folder || path.value?.startsWith('/')) return path;
  if (folder.value === undefined || path.value === undefined)
    return { source: `${folder.source}/${path.source}`, value: undefined, expands: folder.expands || path.expands };
  return knownWord(path.value === '.' ? folder.value : `${folder.value}/${path.value}`);
}

function checkpoint(word: Word): readonly Effect[] {
  if (word.value === undefined) return [unknown(`is told to do ${word.source} now and then, which cannot be known`)];
  if (word.value.startsWith('exec=')) return runsScript(word.value.slice(5), '');
  return /^(?:dot|\.|echo|bell|totals|wait|sleep|ttyout)/.test(word.value)
    ? []
    : [unknown('does something now and then that is not known')];
}

function readTar(_args: readonly Word[], taken: Arguments): readonly Effect[] {
  const makes = taken.has('-c', '-r', '-u', '-A', '--create', '--append', '--update', '--delete', '--catenate', '--concatenate');
  const unpacks = taken.has('-x', '--extract', '--get');
  const compares = taken.has('-d', '--diff', '--compare');
  const filters = taken.values('-I', '--use-compress-program', '--to-command', '-F', '--info-script', '--new-volume-script');
  const effects = filters.flatMap((word) => fed(runsScript(word, 'by an option')));
  let folder: Word | undefined;
  const member = (word: Word) => {
    const path = inside(folder, word);
    if (makes || compares) effects.push(reads(path));
    if (taken.has('--remove-files')) effects.push(writes(path));
  };
  for (const { option, word } of taken.items) {
    if (option === undefined) {
      if (word) member(word);
    } else if (!word) continue;
    else if (option === '-C' || option === '--directory') folder = inside(folder, word);
    else if (option === '--add-file') member(word);
    else if (option === '-f' || option === '--file') {
      if (word.value === '-') continue;
      if (/^[^/]+:/.test(word.value ?? '') && !taken.has('--force-local')) effects.push(connects(word));
      else effects.push(makes ? writes(word) : reads(word));
    } else if (option === '-T' || option === '--files-from') {
      if (word.value !== '-') effects.push(reads(word));
      if (!taken.has('--null', '--verbatim-files-from')) effects.push(unknown('takes options from a list of files'));
    } else if (option === '--checkpoint-action') effects.push(...checkpoint(word));
  }
  if (folder?.value !== undefined && /(?:^|\/)\.git\/*$/.test(folder.value) && unpacks)
    effects.push(writes(`${folder.value}/config`));
  if (unpacks && !taken.has('-O', '--to-stdout', '--to-command')) {
    effects.push(writesInto(inside(folder, taken.value('--one-top-level') ?? knownWord('.'))));
    if (taken.has('-P', '--absolute-names')) effects.push(writes('/'));
  }
  return effects;
}

const ZIP: Grammar = {
  values: {
    writes: '-b --temp-path -O --output-file --out',
    script: '--unzip-command',
    text: '-n --suffixes -P --password -s --split-size -t -x? -i? --exclude --include -Z --compression-method',
  },
  careful: true,
};

/** zip(1) has options of two letters: -TT names a script that tests the archive. */
function readZip(args: readonly Word[], context: ReadContext): readonly Effect[] {
  const at = args.findIndex(({ value }) => /^-(?!-)[^-]*TT/.test(value ?? ''));
  if (at === -1) return readRow({ grammar: ZIP, operands: ['writes', 'reads'] }, args, context);
  const [, attached = ''] = /TT=?(.*)$/s.exec(args[at]?.value ?? '') ?? [];
  const script = attached === '' ? args[at + 1] : knownWord(attached);
  const others = [...args.slice(0, at), ...args.slice(at + (attached === '' ? 2 : 1))];
  return [...runsScript(script, 'by its option -TT'), ...readZip(others, context)];
}

const packsOne = (names: string, values: NonNullable<Grammar['values']>): Program => ({
  names,
  class: 'reads',
  about: 'packs or unpacks single files',
  grammar: { values, flags: '--stdout --to-stdout --test --list', careful: true },
  read: (_args, taken, { calledAs }) => {
    const shows = calledAs?.endsWith('cat') || taken.has('-c', '--stdout', '--to-stdout', '-t', '--test', '-l', '--list');
    return taken.operands.filter(({ value }) => value !== '-').map(shows ? reads : writes);
  },
});

/** 7z: a command, an archive, files; values are always attached. */
function read7z(args: readonly Word[]): readonly Effect[] {
  const [command, archive, ...files] = args.filter(({ value }) => !value?.startsWith('-'));
  const into = args.find(({ value }) => value?.startsWith('-o'));
  const effects: Effect[] = [];
  if (!command || !archive) return effects;
  const unpacks = command.value === 'x' || command.value === 'e';
  const shows = /^(?:[ltbhiv]|vt|vb|lb|lt|p)$/.test(command.value ?? '');
  effects.push(unpacks || shows ? reads(archive) : writes(archive));
  if (unpacks)
    effects.push(
      into?.value
        ? writesInto(knownWord(into.value.slice(2)))
        : files.at(-1)?.value?.endsWith('/')
          ? writesInto(files.at(-1) as Word)
          : WRITES_HERE,
    );
  else if (!shows) effects.push(...files.map(reads));
  return effects;
}

export const ARCHIVES: readonly Program[] = [
  {
    names: 'tar gtar bsdtar',
    class: 'reads',
    about: 'packs and unpacks; -I, -F, --to-command, --checkpoint-action and --rsh-command run programs',
    read: (args, _taken, context) => readRow({ grammar: TAR, read: readTar }, withDashes(args), context),
  },
  {
    names: 'zip',
    class: 'writes',
    about: 'packs; -TT runs a script to test the archive',
    read: (args, _taken, context) => readZip(args, context),
  },
  {
    names: 'unzip funzip zipinfo',
    class: 'reads',
    about: 'unpacks',
    grammar: { values: { special: '-d', text: '-P' } },
    operands: ['reads', 'text'],
    read: (_args, taken) => {
      if (taken.has('-l', '-p', '-t', '-v', '-z', '-Z', '-c') || taken.operands.length === 0) return [];
      return [writesInto(taken.value('-d') ?? knownWord('.')), ...(taken.has('-:') ? [writes('/')] : [])];
    },
  },
  packsOne('gzip gunzip bzip2 bunzip2 pigz unpigz pbzip2 lbzip2 compress uncompress lzip lzop brotli', {
    text: '-S --suffix -b -p --processes',
    writes: '-o --output',
  }),
  packsOne('xz unxz lzma unlzma', {
    text: '-S --suffix -T --threads -F --format -C --check -M --memlimit --block-size',
    reads: '--files --files0',
  }),
  packsOne('zstd unzstd zstdmt pzstd lz4 unlz4', {
    writes: '-o --output-dir-flat --output-dir-mirror',
    reads: '-D --filelist --patch-from',
    text: '-T --threads? -B -M --memory --format --ultra? --long? --fast? --size-hint --stream-size',
  }),
  { names: '7z 7za 7zr 7zz rar unrar', class: 'reads', about: 'packs and unpacks', read: (args) => read7z(args) },
  {
    names: 'cpio',
    class: 'reads',
    about: 'packs and unpacks',
    grammar: {
      values: {
        program: '--rsh-command',
        special: '-D --directory -F --file -O -I',
        reads: '-E --pattern-file',
        text: '-H --format -R --owner -C --io-size -M --message --block-size',
      },
      flags: '--extract --create --list --pass-through --no-absolute-filenames',
      careful: true,
    },
    read: (_args, taken) => {
      const makes = taken.has('-o', '--create');
      const effects = taken.values('-F', '--file', '-O', '-I').map(makes ? writes : reads);
      if (taken.has('-p', '--pass-through')) return [...effects, ...taken.operands.map(writes)];
      if (makes || taken.has('-t', '--list') || !taken.has('-i', '--extract')) return effects;
      effects.push(writesInto(taken.value('-D', '--directory') ?? knownWord('.')));
      return taken.has('--no-absolute-filenames') ? effects : [...effects, unknown('writes wherever the archive says')];
    },
  },
  {
    names: 'ar ranlib',
    versioned: true,
    class: 'reads',
    about: 'packs object files',
    grammar: { values: { 'runs file': '--plugin', writes: '--output' }, careful: true },
    read: (_args, { operands, items }) => {
      const options = items.flatMap(({ option }) => (option && !option.startsWith('--') ? [option.slice(1)] : [])).join('');
      const [first, ...others] = options === '' ? operands : [knownWord(options), ...operands];
      const [archive, ...members] = others;
      if (!first || !archive) return operands.map(writes);
      if (/[tp]/.test(first.value ?? '')) return [reads(archive)];
      return first.value?.includes('x') ? [reads(archive), WRITES_HERE] : [writes(archive), ...members.map(reads)];
    },
  },
  {
    names: 'pax unar',
    class: 'reads',
    about: 'packs and unpacks',
    grammar: { values: { special: '-f -o -output-directory', text: '-b -x -s -p' }, careful: true },
    read: (_args, taken) => [
      ...taken.values('-f').map(taken.has('-w') ? writes : reads),
      ...(taken.has('-w')
        ? []
        : [writesInto(taken.value('-o', '-output-directory') ?? knownWord('.')), unknown('writes wherever the archive says')]),
    ],
  },
  reader('lsar', 'shows what is packed'),
];
