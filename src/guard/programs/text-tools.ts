/** Programs that work on text and print the result. */
import type { Word } from '../shell/script.ts';
import { readAwkProgram } from './awk-program.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, reader, reads, runsCode, runsFile, unknown, writes } from './program.ts';
import { readSedScript } from './sed-script.ts';
import { isStandardInput } from './shells.ts';

function readSed(taken: Arguments): readonly Effect[] {
  if (taken.has('--version', '--help')) return [];
  const pieces = taken.values('-e', '--expression', '-f', '--file');
  const effects = taken
    .values('-f', '--file')
    .flatMap((file) => (isStandardInput(file) ? [runsCode('sed', 'from its input')] : runsFile(file)));
  const suffix = taken.value('-i', '--in-place', '-I');
  const inPlace = taken.has('-i', '--in-place', '-I');
  // BSD has the suffix as an argument of its own, and an empty one is all that is common.
  const given = inPlace && taken.operands[0]?.value === '' ? taken.operands.slice(1) : taken.operands;
  const [scripts, files] = pieces.length > 0 ? [taken.values('-e', '--expression'), given] : [given.slice(0, 1), given.slice(1)];
  const computed = scripts.find(({ value }) => value === undefined);
  if (computed) effects.push(unknown(`gets a script that is computed (${computed.source.slice(0, 40)})`));
  // Pieces are lines of one script: a line may go on in the next piece.
  else if (!taken.has('--sandbox')) effects.push(...readSedScript(scripts.map(({ value }) => value).join('\n')));
  effects.push(...files.filter((file) => !isStandardInput(file)).map(inPlace ? writes : reads));
  if (suffix && (suffix.value === undefined || suffix.value.includes('/'))) effects.push(writes(suffix));
  return effects;
}

function readAwk(taken: Arguments): readonly Effect[] {
  if (taken.has('--version', '--help', '-V', '-h')) return [];
  const effects: Effect[] = [];
  const files = taken.values('-f', '--file', '-E', '--exec');
  effects.push(...files.flatMap((file) => (isStandardInput(file) ? [runsCode('awk', 'from its input')] : runsFile(file))));
  const sources = taken.values('-e', '--source');
  const inArguments = files.length + sources.length > 0;
  const programs = inArguments ? sources : taken.operands.slice(0, 1);
  for (const { value, source } of programs) {
    effects.push(
      ...(value === undefined ? [unknown(`gets a program that is computed (${source.slice(0, 40)})`)] : readAwkProgram(value)),
    );
  }
  const rest = inArguments ? taken.operands : taken.operands.slice(1);
  const inputs = rest.filter(({ value, source }) => !/^["']?[A-Za-z_]\w*=/.test(value ?? source) && value !== '-');
  const inPlace = taken.values('-i', '--include').some(({ value }) => value?.startsWith('inplace'));
  return [...effects, ...inputs.map(inPlace ? writes : reads)];
}

/** The first operand is what to look for, unless an option says it. */
const searched = (taken: Arguments, ...says: readonly string[]): readonly Effect[] =>
  (taken.has(...says) ? taken.operands : taken.operands.slice(1)).map(reads);

/** jq takes two values behind some options, and no files behind --args. */
function readJq(args: readonly Word[]): readonly Effect[] {
  const effects: Effect[] = [];
  let filter = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as Word;
    const { value } = word;
    if (value === '--args' || value === '--jsonargs') break;
    if (value === '--arg' || value === '--argjson') at += 2;
    else if (value === '--slurpfile' || value === '--rawfile' || value === '--argfile') {
      const file = args[at + 2];
      if (file) effects.push(reads(file));
      at += 2;
    } else if (value === '-f' || value === '--from-file' || value === '-L') {
      const file = args[++at];
      if (file) effects.push(reads(file));
      filter ||= value !== '-L';
    } else if (value === '--indent' || value === '--seed') at++;
    else if (value?.startsWith('-') && value.length > 1) continue;
    else if (filter) effects.push(...(isStandardInput(word) ? [] : [reads(word)]));
    else filter = true;
  }
  return effects;
}

export const TEXT_TOOLS: readonly Program[] = [
  {
    names: 'grep egrep fgrep zgrep bzgrep xzgrep ggrep',
    class: 'reads',
    about: 'looks for text in files',
    grammar: {
      values: {
        reads: '-f --file --exclude-from',
        special: '-e --regexp',
        text: '-A -B -C -m -d -D --include --exclude --exclude-dir --color? --colour? --max-count --context --after-context --before-context --binary-files --devices --directories --label --group-separator',
      },
    },
    read: (_args, taken) => searched(taken, '-e', '-f', '--regexp', '--file'),
  },
  {
    names: 'rg ripgrep',
    class: 'reads',
    about: 'looks for text in files',
    grammar: {
      values: {
        program: '--pre --hostname-bin',
        reads: '-f --file --ignore-file',
        special: '-e --regexp',
        text: '-A -B -C -m -g -t -T -r -M -j -d -E --glob --iglob --type --type-not --type-add --type-clear --replace --max-depth --maxdepth --max-count --max-columns --max-filesize --sort --sortr --threads --context --after-context --before-context --color --colors --encoding --engine --pre-glob --path-separator --regex-size-limit --dfa-size-limit --context-separator --field-context-separator --field-match-separator --hyperlink-format --generate',
      },
      flags: '--pretty --files --type-list',
      exact: true,
      careful: true,
    },
    read: (_args, taken) => searched(taken, '-e', '-f', '--regexp', '--file', '--files', '--type-list'),
  },
  {
    names: 'ag ack ack-grep pt ugrep ug',
    class: 'reads',
    about: 'looks for text in files',
    grammar: {
      values: {
        script: '--pager --filter --view',
        'runs file': '--ackrc --config',
        code: '--output',
        text: '-A -B -C -m -g -G -p --ignore --ignore-dir --depth --type',
      },
      careful: true,
    },
    operands: ['text', 'reads'],
  },
  {
    names: 'sed gsed ssed',
    class: 'reads',
    about: 'edits lines; `e`, `w`, `r` and s///ew in its script are found',
    grammar: {
      values: { special: '-e --expression -f --file -i? --in-place? -I', text: '-l --line-length' },
      flags: '--sandbox --posix',
      careful: true,
    },
    read: (_args, taken) => readSed(taken),
  },
  {
    names: 'awk gawk mawk nawk bwk original-awk goawk',
    class: 'reads',
    about: 'works on lines; system(), pipes, getline and redirections in its program are found',
    grammar: {
      values: {
        special: '-f --file -e --source -E --exec',
        'runs file': '-i --include -l --load',
        writes: '-o? --pretty-print? -d? --dump-variables? -p? --profile?',
        unknown: '-D? --debug? -W',
        text: '-F --field-separator -v --assign -L? --lint?',
      },
      optionsFirst: true,
      careful: true,
    },
    read: (_args, taken) => readAwk(taken),
  },
  {
    names: 'sort gsort',
    class: 'reads',
    about: 'sorts lines',
    grammar: {
      values: {
        writes: '-o --output -T --temporary-directory',
        program: '--compress-program',
        reads: '--files0-from --random-source',
        text: '-k --key -t --field-separator -S --buffer-size --parallel --sort --batch-size --check?',
      },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'uniq guniq',
    class: 'reads',
    about: 'drops repeated lines',
    grammar: { values: { text: '-f -s -w --skip-fields --skip-chars --check-chars --group? --all-repeated?' } },
    operands: ['reads', 'writes', 'text'],
  },
  reader('cut gcut paste', 'works on columns', {
    text: '-d -f -c -b --delimiter --delimiters --fields --characters --bytes --output-delimiter',
  }),
  reader('join', 'joins lines of two files', { text: '-1 -2 -a -e -j -o -t -v' }),
  reader('fold fmt expand unexpand', 'breaks lines', { text: '-w --width -g --goal -p --prefix -t --tabs' }),
  reader('pr', 'makes pages', {
    text: '-h -l -o -D -N -W -w --header --length --indent --date-format --first-line-number --width',
  }),
  reader('column', 'makes columns', {
    text: '-c -s -o -N -H -R -O -T -W -E -l -d --output-width --separator --output-separator --table-columns',
  }),
  reader('nl', 'numbers lines', { text: '-b -d -f -h -i -l -n -s -v -w' }),
  reader('comm rev ul tsort tac col', 'works on lines', { text: '-s --separator --output-delimiter --total?' }),
  { names: 'colrm', class: 'reads', about: 'removes columns of its input' },
  {
    names: 'look',
    class: 'reads',
    about: 'looks for lines that begin so',
    operands: ['text', 'reads'],
    grammar: { values: { text: '-t' } },
  },
  { names: 'tr gtr', class: 'reads', about: 'changes letters of its input' },
  {
    names: 'shuf',
    class: 'reads',
    about: 'puts lines in another order',
    grammar: {
      values: { writes: '-o --output', text: '-i --input-range -n --head-count', reads: '--random-source' },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'iconv',
    class: 'reads',
    about: 'changes how text is encoded',
    grammar: { values: { writes: '-o --output', text: '-f -t --from-code --to-code' }, careful: true },
    operands: 'reads',
  },
  { names: 'envsubst', class: 'reads', about: 'puts variables into its input' },
  {
    names: 'dos2unix unix2dos fromdos todos',
    class: 'writes',
    about: 'changes line ends of files',
    grammar: { values: { text: '-c --convmode -i? --info?' } },
    operands: 'writes',
  },
  { names: 'sponge', class: 'writes', about: 'writes its input to a file', operands: 'writes' },
  { names: 'jq gojq jaq', class: 'reads', about: 'works on JSON', read: (args) => readJq(args) },
  {
    names: 'yq',
    class: 'reads',
    about: 'works on YAML; -i writes the file',
    grammar: {
      values: {
        text: '-o --output-format -p --input-format -I --indent --arg',
        unknown: '-s --split-exp --split-exp-file',
        reads: '--from-file',
      },
      flags: '-i --inplace --in-place',
    },
    read: (_args, taken) => {
      const [first, ...others] = taken.operands;
      const files = /^(?:e|ea|eval|eval-all)$/.test(first?.value ?? '') ? others.slice(1) : others;
      return files.map(taken.has('-i', '--inplace', '--in-place') ? writes : reads);
    },
  },
  {
    names: 'xmllint xmlstarlet xml',
    class: 'reads',
    about: 'works on XML',
    grammar: {
      values: {
        writes: '--output -o',
        text: '--xpath --pattern --encode --maxmem --pretty',
        reads: '--schema --relaxng --dtdvalid --path',
      },
      flags: '--shell',
    },
    operands: 'reads',
    read: (_args, taken, { piped }) => (taken.has('--shell') && piped ? [unknown('runs commands from its input')] : []),
  },
  {
    names: 'xsltproc',
    class: 'writes',
    about: 'works on XML',
    grammar: { values: { writes: '-o --output --writesubtree', text: '--maxdepth' } },
    operands: 'reads',
  },
  {
    names: 'tidy',
    class: 'reads',
    about: 'puts HTML in order',
    grammar: { values: { unknown: '-config', writes: '-o -output -f -file' }, flags: '-m -modify', oneDash: true },
    read: (_args, taken) => taken.operands.map(taken.has('-m', '-modify') ? writes : reads),
  },
  {
    names: 'pandoc',
    class: 'reads',
    about: 'turns documents into others',
    grammar: {
      values: {
        program: '-F --filter --pdf-engine',
        'runs file': '-L --lua-filter -d --defaults',
        writes: '-o --output --extract-media --log',
        reads:
          '--template --reference-doc --bibliography --csl -H --include-in-header -B --include-before-body -A --include-after-body --metadata-file --data-dir',
        text: '-f -t -r -w --from --to --read --write -V --variable -M --metadata --columns --toc-depth --wrap --highlight-style -c --css --pdf-engine-opt',
      },
      careful: true,
    },
    operands: 'reads',
    read: (_args, taken) =>
      taken
        .values('-t', '--to', '-w', '--write', '-f', '--from')
        .flatMap((format) => (format.value?.endsWith('.lua') ? runsFile(format) : [])),
  },
];
