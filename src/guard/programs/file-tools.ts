/** Programs that make, move, change and remove files. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { type Program, reads, unknown, WRITES_HERE, writes } from './program.ts';
import { rest } from './unknown-words.ts';

const writer = (names: string, about: string, values: Grammar['values'] = {}): Program => ({
  names,
  class: 'writes',
  about,
  grammar: { values },
  operands: 'writes',
});

/** What git obeys, by their names in its folder. */
const OBEYED = /^(?:config(?:\.worktree)?|hooks|attributes)$/i;

/** What git obeys is found by its name: a folder that it is put in does not tell. One called .git may get all of it. */
function intoFolder({ value: folder }: Word, sources: readonly Word[]): readonly Effect[] {
  if (folder === undefined) return [];
  const names = sources.map(({ value = '' }) => value.replace(/\/+$/, '').split('/').at(-1) ?? '');
  if (/(?:^|\/)\.git\/*$/i.test(folder)) names.push('config');
  return names.filter((name) => OBEYED.test(name)).map((name) => writes(`${folder}/${name}`));
}

/** Sources, then where they go; -t names the place first. */
function copies(taken: Arguments, source: (path: Word) => Effect): readonly Effect[] {
  const named = taken.values('-t', '--target-directory');
  const target = named.length > 0 || taken.operands.length < 2 ? undefined : taken.operands.at(-1);
  const sources = taken.operands.filter((each) => each !== target);
  return [
    ...sources.map(source),
    ...named.map(writes),
    ...[...named, ...(target ? [target] : [])].flatMap((folder) => intoFolder(folder, sources)),
    ...(target ? [writes(target)] : []),
    // One that turns out to be an option may name another place.
    ...taken.doubts.filter((each) => each !== target).map(writes),
  ];
}

const COPY: Grammar['values'] = {
  special: '-t --target-directory',
  text: '-S --suffix --backup? --sparse --reflink? --preserve? --no-preserve --context? -Z?',
};

const linked = (taken: Arguments): readonly Effect[] =>
  taken.operands.length === 1 && !taken.has('-t', '--target-directory')
    ? [
        ...taken.operands.map(reads),
        ...taken.operands.map(({ value }) =>
          value === undefined ? WRITES_HERE : writes(value.slice(value.lastIndexOf('/') + 1)),
        ),
      ]
    : copies(taken, reads);

/** `dd if=… of=…` */
const readDd = (args: readonly Word[]): readonly Effect[] =>
  args.flatMap((word): readonly Effect[] => {
    const [, key] = /^["']?(if|of)=/.exec(word.value ?? word.source) ?? [];
    if (key === undefined)
      return word.value === undefined && !/^\w+=/.test(word.source)
        ? [unknown(`gets ${word.source}, which could name a file to write`)]
        : [];
    return [key === 'if' ? reads(rest(word, 3)) : writes(rest(word, 3))];
  });

/** The mode comes first: `chmod -x f` has it in the place of an option. */
function changesRights(taken: Arguments, ...instead: readonly string[]): readonly Effect[] {
  return (taken.has(...instead) ? taken.operands : taken.operands.slice(1)).map(writes);
}

export const FILE_TOOLS: readonly Program[] = [
  { names: 'tee gtee', class: 'writes', about: 'writes its input to files', operands: 'writes' },
  {
    names: 'cp gcp',
    class: 'writes',
    about: 'copies files',
    grammar: { values: COPY },
    read: (_args, taken) => copies(taken, reads),
  },
  {
    names: 'install ginstall',
    class: 'writes',
    about: 'copies files with other rights',
    grammar: {
      values: { ...COPY, program: '--strip-program', text: `${COPY.text} -m --mode -o --owner -g --group` },
      flags: '-d --directory --strip',
    },
    read: (_args, taken) => (taken.has('-d', '--directory') ? taken.operands.map(writes) : copies(taken, reads)),
  },
  {
    names: 'mv gmv',
    class: 'writes',
    about: 'moves files',
    grammar: { values: COPY },
    read: (_args, taken) => copies(taken, writes),
  },
  {
    names: 'ln gln link',
    class: 'writes',
    about: 'makes links',
    grammar: { values: COPY },
    read: (_args, taken) => linked(taken),
  },
  writer('rm grm rmdir unlink trash trash-put', 'removes files', { text: '--interactive?' }),
  writer('shred srm', 'overwrites and removes files', { text: '-n --iterations -s --size --remove?', reads: '--random-source' }),
  writer('touch gtouch', 'makes files, or sets their times', { text: '-d --date -t --time', reads: '-r --reference' }),
  writer('mkdir gmkdir mkfifo', 'makes folders and pipes', { text: '-m --mode -Z? --context?' }),
  {
    names: 'mknod',
    class: 'writes',
    about: 'makes devices and pipes',
    grammar: { values: { text: '-m --mode' } },
    operands: ['writes', 'text'],
  },
  writer('truncate fallocate', 'makes files shorter or longer', {
    text: '-s --size -l --length -o --offset',
    reads: '-r --reference',
  }),
  {
    names: 'mktemp gmktemp tempfile',
    class: 'writes',
    about: 'makes a temporary file',
    grammar: { values: { writes: '-p --tmpdir?', text: '--suffix' }, flags: '-t' },
    read: (_args, taken) => taken.operands.map(writes),
  },
  {
    names: 'chmod gchmod chown gchown chgrp',
    class: 'writes',
    about: 'changes rights of files',
    grammar: { values: { reads: '--reference', text: '--from' }, careful: true },
    read: (_args, taken) => changesRights(taken, '--reference', '-r', '-w', '-x', '-X', '-s', '-t', '-u', '-g', '-o'),
  },
  {
    names: 'setfacl setfattr',
    class: 'writes',
    about: 'changes rights of files',
    grammar: {
      values: {
        text: '-m --modify -x --remove -n --name -v --value --set',
        reads: '-M --modify-file -X --remove-file --set-file',
        unknown: '--restore',
      },
    },
    operands: 'writes',
  },
  {
    names: 'chattr',
    class: 'writes',
    about: 'changes marks of files',
    read: (_args, { operands }) => operands.filter(({ value }) => !/^[+=]/.test(value ?? '')).map(writes),
  },
  { names: 'dd gdd', class: 'writes', about: 'copies bytes: if= and of= name the files', read: (args) => readDd(args) },
  {
    names: 'split gsplit',
    class: 'writes',
    about: 'cuts a file in pieces',
    grammar: {
      values: {
        filter: '--filter',
        text: '-a --suffix-length -b --bytes -C --line-bytes -l --lines -n --number -t --separator --additional-suffix --numeric-suffixes? --hex-suffixes?',
      },
      careful: true,
    },
    operands: ['reads', 'writes'],
    read: (_args, taken) => (taken.operands.length < 2 ? [writes('xaa')] : []),
  },
  {
    names: 'csplit',
    class: 'writes',
    about: 'cuts a file in pieces',
    grammar: { values: { writes: '-f --prefix', text: '-n --digits -b --suffix-format' } },
    operands: ['reads', 'text'],
    read: (_args, taken) => (taken.has('-f', '--prefix') ? [] : [writes('xx00')]),
  },
  {
    names: 'patch gpatch',
    class: 'writes',
    about: 'changes files as its input says',
    grammar: {
      values: {
        'works in': '-d --directory',
        writes: '-o --output -r --reject-file',
        reads: '-i --input',
        text: '-p --strip -B --prefix -D --ifdef -F --fuzz -V --version-control -z --suffix -Y --basename-prefix -g --get',
      },
      careful: true,
    },
    read: (_args, { operands: [file, patch] }) => [file ? writes(file) : WRITES_HERE, ...(patch ? [reads(patch)] : [])],
  },
];
