/** Programs that exist to run another one. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { type Arguments, couldBeOption, type Grammar, takeApart } from './options.ts';
import { type Program, SOMEWHERE_HERE } from './program.ts';

const unknown = (reason: string): Effect => ({ kind: 'unknown', reason });

const ENV: Grammar = {
  values: {
    '-u': 'text',
    '--unset': 'text',
    '-C': 'works in',
    '--chdir': 'works in',
    '-S': 'text',
    '--split-string': 'text',
    '-a': 'text',
    '--argv0': 'text',
  },
  operandsEnd: true,
};

/** `env`: assignments, then a command; -S holds options, assignments and the beginning of the command in one text. */
function readEnv(operands: readonly Word[], split: Word | undefined): Effect[] {
  const effects: Effect[] = [];
  if (split) {
    // It has escapes and variables of its own.
    if (split.value === undefined || /[\\$'"#]/.test(split.value))
      return [unknown(`is given ${split.source.slice(0, 40)} to take apart`)];
    const inner = takeApart(
      [
        ...split.value
          .split(/\s+/)
          .filter((each) => each !== '')
          .map(knownWord),
        ...operands,
      ],
      ENV,
    );
    return readEnv(inner.operands, inner.value('-S', '--split-string'));
  }
  // A dash alone is -i.
  let at = operands[0]?.value === '-' ? 1 : 0;
  for (; at < operands.length; at++) {
    const word = operands[at] as Word;
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(word.value ?? '') ?? [];
    const [, started] = /^([A-Za-z_]\w*)=/.exec(word.value === undefined ? word.source : '') ?? [];
    if (name !== undefined) effects.push({ kind: 'sets variable', name, value: knownWord(text ?? '') });
    else if (started)
      effects.push({ kind: 'sets variable', name: started, value: { source: word.source, value: undefined, expands: false } });
    else break;
  }
  if (at < operands.length) effects.push({ kind: 'runs', argv: operands.slice(at) });
  return effects;
}

/** `xargs`: the command gets further arguments from its input, which may be options. */
function readXargs(operands: readonly Word[], placeholder: string | undefined): Effect[] {
  if (operands.length === 0) return [];
  const added: Word = { source: '$(its input)', value: undefined, expands: false };
  if (placeholder === undefined) return [{ kind: 'runs', argv: [...operands, added] }];
  const argv = operands.map((word) =>
    word.value?.includes(placeholder) ? { ...added, source: word.source.replace(placeholder, '$…') } : word,
  );
  return [{ kind: 'runs', argv }];
}

/** What is replaced in the arguments, `-I {}`. */
function placeholderOf(taken: Arguments): string | undefined {
  if (taken.has('-i')) return '{}';
  return taken.has('-I', '--replace') ? (taken.value('-I', '--replace')?.value ?? '{}') : undefined;
}

function readFind(args: readonly Word[]): Effect[] {
  const effects: Effect[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as Word;
    const { value } = word;
    if (value === undefined) {
      if (couldBeOption(word) || word.source.startsWith('-'))
        effects.push(unknown(`gets ${word.source}, which could be an action that runs or deletes`));
      continue;
    }
    if (/^-(?:exec|execdir|ok|okdir)$/.test(value)) {
      let end = at + 1;
      while (end < args.length && args[end]?.value !== ';' && !(args[end]?.value === '+' && args[end - 1]?.value === '{}')) end++;
      const argv = args
        .slice(at + 1, end)
        .map((each): Word => (each.value?.includes('{}') ? { source: each.source, value: undefined, expands: false } : each));
      if (argv[0]?.value === undefined && argv[0]) effects.push(unknown('would run the files that it finds'));
      if (argv.length > 0) effects.push({ kind: 'runs', argv });
      at = end;
    } else if (/^-(?:fprint|fprint0|fprintf|fls)$/.test(value)) {
      const target = args[at + 1];
      if (target) effects.push({ kind: 'writes', path: target });
    } else if (value === '-delete') {
      for (const root of args) {
        if (root.value?.startsWith('-')) break;
        effects.push({ kind: 'writes', path: root.value === undefined ? root : knownWord(`${root.value}/*`) });
      }
      if (args[0]?.value?.startsWith('-')) effects.push({ kind: 'writes', path: SOMEWHERE_HERE });
    }
  }
  return effects;
}

const privileged = (names: string, grammar: Program['grammar'] = {}): Program => ({
  names,
  class: 'controls',
  about: 'runs a program with other rights or in another world',
  grammar: { operandsEnd: true, ...grammar },
  operands: 'argv',
});

export const WRAPPERS: readonly Program[] = [
  {
    names: 'env',
    class: 'runs',
    about: 'runs a program with other variables',
    grammar: ENV,
    read: (_args, taken) => readEnv(taken.operands, taken.value('-S', '--split-string')),
  },
  {
    names:
      'nohup setsid catchsegv chronic eatmydata torsocks proxychains proxychains4 rlwrap socksify numactl unbuffer dbus-run-session dbus-launch xvfb-run ssh-agent linux32 linux64 i386 x86_64 uname26 faketime datefudge',
    class: 'runs',
    about: 'runs a program',
    grammar: { operandsEnd: true },
    operands: 'argv',
  },
  {
    names: 'nice',
    class: 'runs',
    about: 'runs a program with another priority',
    grammar: { values: { '-n': 'text', '--adjustment': 'text' }, operandsEnd: true },
    operands: 'argv',
  },
  {
    names: 'ionice',
    class: 'runs',
    about: 'runs a program with another priority',
    grammar: {
      values: { '-c': 'text', '--class': 'text', '-n': 'text', '--classdata': 'text', '-p': 'text', '--pid': 'text' },
      operandsEnd: true,
    },
    operands: 'argv',
  },
  {
    names: 'chrt',
    class: 'runs',
    about: 'runs a program with another priority',
    grammar: { values: { '-T': 'text', '-P': 'text', '-D': 'text', '-p': 'text' }, operandsEnd: true },
    operands: ['text', 'argv'],
  },
  {
    names: 'taskset',
    class: 'runs',
    about: 'runs a program on some cores',
    grammar: { values: { '-p': 'text' }, operandsEnd: true },
    operands: ['text', 'argv'],
  },
  {
    names: 'timeout gtimeout',
    class: 'runs',
    about: 'runs a program for a limited time',
    grammar: { values: { '-k': 'text', '--kill-after': 'text', '-s': 'text', '--signal': 'text' }, operandsEnd: true },
    operands: ['text', 'argv'],
  },
  {
    names: 'stdbuf',
    class: 'runs',
    about: 'runs a program with other buffers',
    grammar: {
      values: { '-i': 'text', '--input': 'text', '-o': 'text', '--output': 'text', '-e': 'text', '--error': 'text' },
      operandsEnd: true,
    },
    operands: 'argv',
  },
  {
    names: 'time gtime',
    class: 'runs',
    about: 'runs a program and measures it',
    grammar: { values: { '-o': 'writes', '--output': 'writes', '-f': 'text', '--format': 'text' }, operandsEnd: true },
    // As a word of the shell it measures pipelines, negated ones too.
    read: (_args, { operands }) => {
      const argv = operands.filter(({ value }, index) => index > 0 || value !== '!');
      return argv.length > 0 ? [{ kind: 'runs', argv }] : [];
    },
  },
  {
    names: 'flock',
    class: 'runs',
    about: 'runs a program while it holds a lock',
    grammar: {
      values: { '-w': 'text', '--timeout': 'text', '--wait': 'text', '-E': 'text', '--conflict-exit-code': 'text' },
      operandsEnd: true,
    },
    read: (_args, { operands: [file, ...rest] }) => {
      const effects: Effect[] = file && !/^\d+$/.test(file.value ?? '') ? [{ kind: 'writes', path: file }] : [];
      if (rest[0]?.value === '-c' || rest[0]?.value === '--command')
        return rest[1] ? [...effects, { kind: 'runs script', script: rest[1] }] : effects;
      return rest.length > 0 ? [...effects, { kind: 'runs', argv: rest }] : effects;
    },
  },
  {
    names: 'prlimit',
    class: 'runs',
    about: 'runs a program under limits',
    grammar: { values: { '-p': 'text', '--pid': 'text', '-o': 'text', '--output': 'text' }, operandsEnd: true },
    operands: 'argv',
  },
  {
    names: 'choom cpulimit schedtool softlimit chpst setlock',
    class: 'runs',
    about: 'runs a program under limits',
    grammar: {
      values: {
        '-n': 'text',
        '--adjust': 'text',
        '-p': 'text',
        '--pid': 'text',
        '-l': 'text',
        '--limit': 'text',
        '-m': 'text',
        '-o': 'text',
      },
      operandsEnd: true,
    },
    operands: 'argv',
  },
  {
    names: 'setarch',
    class: 'runs',
    about: 'runs a program as if on another architecture',
    grammar: { operandsEnd: true },
    read: (args) => {
      const argv = args.slice(args.findIndex(({ value }) => !value?.startsWith('-')) + 1);
      const from = argv.findIndex(({ value }) => !value?.startsWith('-'));
      return from === -1 ? [] : [{ kind: 'runs', argv: argv.slice(from) }];
    },
  },
  {
    names: 'pyenv rbenv nodenv goenv jenv asdf mise direnv nvm volta',
    class: 'runs',
    about: 'chooses versions of programs; exec runs one',
    read: (args) => {
      const at = args.findIndex(({ value }) => value === 'exec' || value === 'run' || value === 'x');
      return at === -1
        ? []
        : [{ kind: 'runs', argv: args.slice(at + 1) }, unknown('runs a program in an environment of its own')];
    },
  },
  {
    names: 'ld.so',
    class: 'runs',
    about: 'loads and runs a program',
    grammar: {
      values: { '--library-path': 'unknown', '--preload': 'unknown', '--audit': 'unknown', '--argv0': 'text' },
      operandsEnd: true,
    },
    operands: 'argv',
  },
  {
    names: 'xterm gnome-terminal konsole alacritty kitty',
    class: 'runs',
    about: 'runs programs in windows',
    read: (args) => (args.length > 0 ? [unknown('runs what its options say')] : []),
  },
  {
    names: 'watch',
    class: 'runs',
    about: 'runs a script again and again',
    grammar: { values: { '-n': 'text', '--interval': 'text', '-q': 'text', '--equexit': 'text' }, operandsEnd: true },
    read: (_args, { operands }) =>
      operands.length === 0
        ? []
        : [
            {
              kind: 'runs script',
              script: operands.every(({ value }) => value !== undefined)
                ? knownWord(operands.map(({ value }) => value).join(' '))
                : { source: 'watch', value: undefined, expands: false },
            },
          ],
  },
  {
    names: 'xargs gxargs',
    class: 'runs',
    about: 'runs a program with arguments from its input',
    grammar: {
      values: {
        '-a': 'reads',
        '--arg-file': 'reads',
        '-d': 'text',
        '--delimiter': 'text',
        '-E': 'text',
        '-I': 'text',
        '-L': 'text',
        '--max-lines': 'text',
        '-n': 'text',
        '--max-args': 'text',
        '-P': 'text',
        '--max-procs': 'text',
        '-s': 'text',
        '--max-chars': 'text',
        '--process-slot-var': 'variable',
      },
      operandsEnd: true,
    },
    read: (_args, taken) => readXargs(taken.operands, placeholderOf(taken)),
  },
  {
    names: 'parallel sem',
    class: 'runs',
    about: 'runs programs made up from its input',
    read: () => [unknown('runs programs made up from its input')],
  },
  {
    names: 'find gfind',
    class: 'reads',
    about: 'looks for files; -exec runs programs, -delete and -fprint change files',
    read: (args) => readFind(args),
  },
  {
    names: 'fd fdfind',
    class: 'reads',
    about: 'looks for files; -x and -X run programs',
    grammar: {
      values: {
        '-e': 'text',
        '--extension': 'text',
        '-t': 'text',
        '--type': 'text',
        '-E': 'text',
        '--exclude': 'text',
        '-d': 'text',
        '--max-depth': 'text',
        '-S': 'text',
        '-c': 'text',
        '--changed-within': 'text',
      },
      flags: { '-x': 'marks', '-X': 'marks', '--exec': 'marks', '--exec-batch': 'marks' },
      careful: true,
    },
    read: (args) => {
      const at = args.findIndex(({ value }) => value !== undefined && /^(?:-[a-zA-Z]*[xX]|--exec(?:-batch)?)$/.test(value));
      return at === -1 ? [] : [{ kind: 'runs', argv: args.slice(at + 1) }];
    },
  },
  { names: 'entr', class: 'runs', about: 'runs a program when files change', grammar: { operandsEnd: true }, operands: 'argv' },
  { names: 'run-parts', class: 'runs', about: 'runs all programs of a folder', operands: 'runs file' },
  {
    names: 'script',
    class: 'runs',
    about: 'runs a shell and writes down what it shows',
    grammar: {
      values: {
        '-c': 'script',
        '--command': 'script',
        '-o': 'text',
        '-I': 'writes',
        '-O': 'writes',
        '-B': 'writes',
        '-T': 'writes',
        '-t': 'text',
        '-E': 'text',
        '-m': 'text',
      },
    },
    operands: 'writes',
    read: (_args, taken) =>
      taken.has('-c', '--command') ? [] : [{ kind: 'runs code', language: 'shell', how: 'from its input' }],
  },
  {
    names: 'expect',
    class: 'runs',
    about: 'runs a Tcl program',
    grammar: { values: { '-c': 'code', '-f': 'runs file' }, operandsEnd: true },
    read: (_args, taken) =>
      taken.operands[0]
        ? [{ kind: 'runs file', path: taken.operands[0] }]
        : [{ kind: 'runs code', language: 'Tcl', how: 'from its input' }],
  },
  {
    names: 'strace ltrace',
    class: 'runs',
    about: 'runs a program and tells what it does',
    grammar: {
      values: {
        '-o': 'writes',
        '--output': 'writes',
        '-e': 'text',
        '-p': 'text',
        '-s': 'text',
        '-u': 'unknown',
        '-E': 'variable',
        '-P': 'text',
        '-a': 'text',
        '-I': 'text',
        '-O': 'text',
        '-S': 'text',
        '-b': 'text',
        '-X': 'text',
      },
      operandsEnd: true,
    },
    operands: 'argv',
  },
  {
    names: 'perf valgrind gdb lldb rr',
    class: 'runs',
    about: 'runs a program under another one',
    read: (args) =>
      args.every(({ value }) => value === '--version' || value === '--help')
        ? []
        : [unknown('runs what its options and commands say')],
  },
  {
    names: 'busybox toybox coreutils',
    class: 'runs',
    about: 'is many programs in one file',
    operands: 'argv',
    grammar: { operandsEnd: true },
  },
  {
    names: 'screen tmux byobu zellij dtach abduco',
    class: 'runs',
    about: 'runs programs in terminals of their own',
    read: () => [unknown('runs programs that are not told from its arguments')],
  },
  {
    names: 'start-stop-daemon daemonize systemd-run at batch',
    class: 'controls',
    about: 'has programs run later or by others',
  },
  {
    names: 'crontab',
    class: 'reads',
    about: 'has programs run later; -l shows them',
    read: (args) =>
      args.length === 1 && args[0]?.value === '-l' ? [] : [{ kind: 'controls', reason: 'has programs run later' }],
  },
  privileged('sudo doas pkexec gosu su-exec', {
    values: {
      '-u': 'text',
      '--user': 'text',
      '-g': 'text',
      '--group': 'text',
      '-h': 'text',
      '-p': 'text',
      '-C': 'text',
      '-r': 'text',
      '-t': 'text',
      '-D': 'text',
      '-R': 'text',
      '-U': 'text',
      '-T': 'text',
    },
  }),
  {
    names: 'su runuser sg newgrp',
    class: 'controls',
    about: 'runs a shell as another user',
    grammar: {
      values: {
        '-c': 'script',
        '--command': 'script',
        '-s': 'text',
        '--shell': 'text',
        '-g': 'text',
        '-G': 'text',
        '-u': 'text',
        '-w': 'text',
      },
    },
  },
  privileged('chroot unshare nsenter setpriv capsh bwrap firejail proot fakechroot systemd-nspawn'),
  {
    names: 'fakeroot',
    class: 'runs',
    about: 'runs a program that believes to be root',
    operands: 'argv',
    grammar: { operandsEnd: true },
  },
  { names: 'mcp-python', class: 'controls', about: 'is this program: what it may do is for people to say' },
];
