/** Programs that make, move, change and remove files. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { type Program, reader } from './program.ts';

const writer = (names: string, about: string, grammar: Grammar = {}): Program => ({
  names,
  class: 'writes',
  about,
  grammar,
  operands: 'writes',
});

/** Sources, then where they go; `-t` names the place first. */
function copies(taken: Arguments, sources: 'reads' | 'writes'): Effect[] {
  const target = taken.value('-t', '--target-directory') ?? (taken.operands.length > 1 ? taken.operands.at(-1) : undefined);
  const from = taken.operands.filter((each) => each !== target);
  return [
    ...from.map((path): Effect => ({ kind: sources, path })),
    ...(target ? [{ kind: 'writes', path: target } as const] : []),
  ];
}

const COPY: Grammar = {
  values: {
    '-t': 'text',
    '--target-directory': 'text',
    '-S': 'text',
    '--suffix': 'text',
    '-m': 'text',
    '--mode': 'text',
    '-o': 'text',
    '--owner': 'text',
    '-g': 'text',
    '--group': 'text',
  },
};

/** `dd if=… of=…` */
const readDd = (args: readonly Word[]): Effect[] =>
  args.flatMap((word): Effect[] => {
    const [, key, file] = /^(if|of)=(.*)$/s.exec(word.value ?? '') ?? [];
    if (key === undefined)
      return word.value === undefined
        ? [{ kind: 'unknown', reason: `gets ${word.source}, which could name a file to write` }]
        : [];
    const path: Word = { source: word.source, value: file, expands: false };
    return [{ kind: key === 'if' ? 'reads' : 'writes', path }];
  });

export const FILE_TOOLS: readonly Program[] = [
  reader(
    'cat tac nl head tail more ls dir vdir stat file wc du df tree readlink realpath namei lsattr getfacl exa eza lsd bat batcat hexyl',
    'shows files',
    {
      values: {
        '-n': 'text',
        '--lines': 'text',
        '-c': 'text',
        '--bytes': 'text',
        '-s': 'text',
        '-b': 'text',
        '-w': 'text',
        '-I': 'text',
        '-L': 'text',
        '-P': 'text',
        '-d': 'text',
        '-v': 'text',
        '-i': 'text',
        '-h': 'text',
        '-f': 'text',
      },
    },
  ),
  reader('md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum', 'calculates checksums', {
    values: { '-a': 'text', '-l': 'text' },
  }),
  reader('cmp diff diff3 sdiff comm colordiff', 'compares files', {
    values: {
      '-U': 'text',
      '-C': 'text',
      '-I': 'text',
      '-x': 'text',
      '-X': 'reads',
      '-F': 'text',
      '-W': 'text',
      '--label': 'text',
      '-L': 'text',
      '-o': 'writes',
      '--output': 'writes',
      '--diff-program': 'unknown',
    },
  }),
  reader('od xxd hexdump hd strings base64 base32 basenc nm objdump readelf size ldd', 'shows bytes', {
    values: {
      '-A': 'text',
      '-t': 'text',
      '-N': 'text',
      '-j': 'text',
      '-w': 'text',
      '-c': 'text',
      '-l': 'text',
      '-s': 'text',
      '-g': 'text',
      '-n': 'text',
      '-e': 'text',
    },
  }),
  reader(
    'basename dirname seq yes date cal expr factor numfmt sleep tput clear reset tset which whereis type locale getconf nproc uptime uname arch whoami id groups users logname who w last tty printenv hostid free vmstat iostat mpstat lscpu lsblk lspci lsusb lsof ps pgrep pidof top htop pstree ss netstat dmesg journalctl getent finger cowsay figlet fortune',
    'tells something',
    { values: { '-s': 'text', '--set': 'unknown', '-d': 'text', '-f': 'text' } },
  ),
  {
    names: 'less most pg',
    class: 'reads',
    about: 'shows files',
    grammar: {
      values: {
        '-o': 'writes',
        '-O': 'writes',
        '-k': 'reads',
        '-t': 'text',
        '-T': 'text',
        '-P': 'text',
        '-p': 'text',
        '-x': 'text',
      },
      careful: true,
    },
    read: (_args, { operands }) =>
      operands.map(
        (path): Effect =>
          path.value?.startsWith('+')
            ? { kind: 'unknown', reason: 'gets a command that can run programs' }
            : { kind: 'reads', path },
      ),
  },
  { names: 'tee', class: 'writes', about: 'writes its input to files', operands: 'writes' },
  {
    names: 'cp gcp install ginstall',
    class: 'writes',
    about: 'copies files',
    grammar: { ...COPY, values: { ...COPY.values, '--strip-program': 'unknown' } },
    read: (_args, taken) =>
      taken.has('-d', '--directory') && !taken.value('-t')
        ? taken.operands.map((path) => ({ kind: 'writes', path }))
        : copies(taken, 'reads'),
  },
  {
    names: 'mv gmv rename',
    class: 'writes',
    about: 'moves files',
    grammar: COPY,
    read: (_args, taken) => copies(taken, 'writes'),
  },
  { names: 'ln gln link', class: 'writes', about: 'makes links', grammar: COPY, read: (_args, taken) => copies(taken, 'reads') },
  writer('rm rmdir unlink shred srm trash', 'removes files', {
    values: { '-n': 'text', '-s': 'text', '--random-source': 'reads' },
  }),
  writer('touch', 'makes files, or sets their times', {
    values: { '-d': 'text', '--date': 'text', '-r': 'reads', '--reference': 'reads', '-t': 'text' },
  }),
  writer('mkdir mkfifo mknod', 'makes folders and pipes', {
    values: { '-m': 'text', '--mode': 'text', '-Z': 'text', '--context': 'text' },
  }),
  writer('truncate fallocate', 'makes files shorter or longer', {
    values: { '-s': 'text', '--size': 'text', '-r': 'reads', '-l': 'text', '-o': 'text' },
  }),
  {
    names: 'mktemp tempfile',
    class: 'writes',
    about: 'makes a temporary file',
    grammar: { values: { '-p': 'writes', '--tmpdir': 'writes', '--suffix': 'text' } },
    operands: 'writes',
  },
  {
    names: 'chmod chown chgrp chattr setfacl setfattr',
    class: 'writes',
    about: 'changes rights of files',
    grammar: { values: { '--reference': 'reads', '--from': 'text', '-m': 'text', '-x': 'text', '-M': 'reads' } },
    read: (_args, taken) =>
      (taken.has('--reference', '-m', '-M', '-x') ? taken.operands : taken.operands.slice(1)).map((path) => ({
        kind: 'writes',
        path,
      })),
  },
  { names: 'dd', class: 'writes', about: 'copies bytes', read: (args) => readDd(args) },
  {
    names: 'split csplit',
    class: 'writes',
    about: 'cuts a file in pieces',
    grammar: {
      values: {
        '-a': 'text',
        '-b': 'text',
        '-C': 'text',
        '-l': 'text',
        '-n': 'text',
        '-f': 'writes',
        '--prefix': 'writes',
        '--filter': 'script',
        '--additional-suffix': 'text',
      },
    },
    operands: ['reads', 'writes'],
  },
  {
    names: 'patch',
    class: 'writes',
    about: 'changes files as its input says',
    grammar: {
      values: {
        '-d': 'works in',
        '--directory': 'works in',
        '-o': 'writes',
        '--output': 'writes',
        '-r': 'writes',
        '-i': 'reads',
        '--input': 'reads',
        '-p': 'text',
        '-B': 'text',
        '-D': 'text',
        '-F': 'text',
        '-V': 'text',
        '-z': 'text',
      },
    },
    operands: 'writes',
  },
  {
    names: 'ed red ex vi vim nvim view vimdiff emacs emacsclient nano pico micro joe mg hx',
    class: 'writes',
    about: 'edits files; its commands can run programs',
    grammar: {
      values: {
        '-c': 'code',
        '--cmd': 'code',
        '-S': 'runs file',
        '-s': 'runs file',
        '-u': 'runs file',
        '--eval': 'code',
        '-f': 'text',
        '-l': 'runs file',
        '--load': 'runs file',
        '--script': 'runs file',
      },
    },
    read: (_args, { operands }, context) => [
      ...operands.map(
        (path): Effect =>
          path.value?.startsWith('+') ? { kind: 'runs code', language: 'editor', how: path.source } : { kind: 'writes', path },
      ),
      ...(context.piped ? [{ kind: 'runs code', language: 'editor', how: 'from its input' } as const] : []),
    ],
  },
  {
    names: 'man info',
    class: 'reads',
    about: 'shows manual pages',
    grammar: {
      values: {
        '-P': 'program',
        '--pager': 'program',
        '-H': 'program',
        '--html': 'program',
        '-p': 'text',
        '--preprocessor': 'unknown',
        '-C': 'unknown',
        '--config-file': 'unknown',
        '-M': 'reads',
        '-s': 'text',
        '-S': 'text',
        '-L': 'text',
        '-T': 'text',
        '-X': 'text',
        '-o': 'writes',
        '--output': 'writes',
      },
      careful: true,
    },
  },
];
