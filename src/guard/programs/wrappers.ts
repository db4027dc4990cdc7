/** Programs that exist to run another one with their arguments. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { FINDERS } from './find.ts';
import type { Arguments, Grammar } from './options.ts';
import {
  assignment,
  type Program,
  type ReadContext,
  type Row,
  readRow,
  runs,
  runsCode,
  runsFile,
  runsScript,
  unknown,
  writes,
} from './program.ts';
import { TRACERS } from './tracers.ts';
import { joinedWords, splitAtBlanks } from './unknown-words.ts';
import { wrapper } from './wrapper.ts';

const ENV: Grammar = {
  values: {
    special: '-S --split-string -u --unset',
    'works in': '-C --chdir',
    unknown: '-P',
    text: '-a --argv0 --block-signal? --default-signal? --ignore-signal?',
  },
  flags: '-i --ignore-environment',
  optionsFirst: true,
  careful: true,
};

/** `env`: variables, then a command; the string of -S is put in its place. */
function readEnv(args: readonly Word[], taken: Arguments, context: ReadContext): readonly Effect[] {
  const effects: Effect[] = [];
  for (const { value } of taken.values('-u', '--unset')) {
    // Without these, names are looked up in another way.
    if (value === undefined || /^(?:PATH|HOME)$/.test(value))
      effects.push({ kind: 'sets variable', name: value ?? 'PATH', value: knownWord('') });
  }
  const inner = taken.value('-S', '--split-string');
  if (inner) {
    const words = inner.value !== undefined && !/[$\\#]/.test(inner.value) ? splitAtBlanks(inner.value) : undefined;
    if (!words) return [...effects, unknown(`is told to run ${inner.source}, which cannot be known`)];
    // What is put in ends the options of env itself: the rest belongs to the command as it stands.
    const at = args.findIndex(({ value }) => value !== undefined && /^(?:-[a-zA-Z]*S|--split-string)/.test(value));
    const apart = /^(?:-[a-zA-Z]*S|--split-string)$/.test(args[at]?.value ?? '');
    return [...effects, ...readRow(ENV_ROW, [...words, ...args.slice(at + (apart ? 2 : 1))], context)];
  }
  let at = taken.operands[0]?.value === '-' ? 1 : 0;
  for (; at < taken.operands.length; at++) {
    const word = taken.operands[at] as Word;
    const set = assignment(word);
    if (!set) break;
    effects.push(set);
  }
  return [...effects, ...runs(taken.operands.slice(at))];
}

const ENV_ROW: Omit<Row, 'names'> = { grammar: ENV, read: (args, taken, context) => readEnv(args, taken, context) };

function readFlock(taken: Arguments): readonly Effect[] {
  const [lock, ...rest] = taken.operands;
  if (!lock || /^\d+$/.test(lock.value ?? '')) return [];
  const script = taken.value('-c', '--command') ?? (/^(?:-c|--command)$/.test(rest[0]?.value ?? '') ? rest[1] : undefined);
  return [writes(lock), ...(script ? runsScript(script, 'by its option -c') : runs(rest))];
}

export const WRAPPERS: readonly Program[] = [
  ...FINDERS,
  ...TRACERS,
  { names: 'env genv', class: 'runs', about: 'runs a program with other variables; -S splits a string', ...ENV_ROW },
  wrapper(
    'nohup setsid unbuffer chronic linux32 linux64 i386 x86_64 uname26 dbus-run-session dbus-launch caffeinate torsocks torify tsocks socksify proxychains proxychains4 fakeroot eatmydata catchsegv',
    'runs a program',
    {
      values: { text: '-b -s -l -f -i', reads: '-t' },
    },
  ),
  wrapper('nice', 'runs a program with another priority', { values: { text: '-n --adjustment' } }),
  wrapper('ionice', 'runs a program with another priority', { values: { text: '-c --class -n --classdata -p --pid -P -u' } }),
  {
    ...wrapper('chrt', 'runs a program with another priority', { values: { text: '-T -P -D' } }, 'by reader'),
    read: (_args, taken) => (taken.has('-p', '--pid', '-m', '--max') ? [] : runs(taken.operands.slice(1))),
  },
  {
    ...wrapper('taskset', 'runs a program on some processors', {}, 'by reader'),
    read: (_args, taken) => (taken.has('-p', '--pid') ? [] : runs(taken.operands.slice(1))),
  },
  wrapper('timeout gtimeout', 'runs a program for a limited time', { values: { text: '-k --kill-after -s --signal' } }, [
    'text',
    'argv',
  ]),
  wrapper('stdbuf gstdbuf', 'runs a program with other buffers', { values: { text: '-i --input -o --output -e --error' } }),
  {
    ...wrapper(
      'time gtime',
      'runs a program and tells how long it took',
      { values: { writes: '-o --output', text: '-f --format' } },
      'by reader',
    ),
    // As a word of the shell it measures pipelines, negated ones too.
    read: (_args, { operands }) => runs(operands[0]?.value === '!' ? operands.slice(1) : operands),
  },
  wrapper('choom cpulimit schedtool softlimit chpst setlock', 'runs a program under limits', {
    values: { text: '-n --adjust -p --pid -l --limit -m -o -e -u -U -b -c -d -f -g -r -t -C -P' },
  }),
  {
    ...wrapper('ld.so', 'loads and runs a program', {
      values: {
        unknown: '--library-path --preload --audit --inhibit-cache',
        text: '--argv0 --glibc-hwcaps-prepend --glibc-hwcaps-mask',
      },
    }),
  },
  wrapper('prlimit', 'runs a program with other limits', { values: { text: '-p --pid -o --output' } }),
  wrapper('numactl', 'runs a program on some memory', { values: { text: '-i -m -N -C -p -l' } }),
  {
    ...wrapper('setarch', 'runs a program as on another machine', {}, 'by reader'),
    // Its options stand before and behind the machine.
    read: (_args, { operands }, context) =>
      readRow({ grammar: { optionsFirst: true, careful: true }, operands: 'argv' }, operands.slice(1), context),
  },
  wrapper('faketime datefudge', 'runs a program at another time', { values: { text: '-f' } }, ['text', 'argv']),
  wrapper('xvfb-run', 'runs a program with a display of its own', {
    values: { writes: '-e --error-file -f --auth-file', text: '-n --server-num -s --server-args -p -w --wait' },
  }),
  wrapper('rlwrap', 'runs a program with line editing', {
    values: { text: '-a? -b -C -D -e -f -g -H -l -p? -q -s -S -t -w', unknown: '-z --filter' },
  }),
  wrapper('ifne', 'runs a program when there is input'),
  wrapper('sotruss memusage uclampset runcon tini dumb-init catatonit pg_virtualenv msgexec', 'runs a program', {
    values: {
      text: '-F -T -f --from -t --to -o -n --progname -u --unbuffered -m -M -a -p --pid -r --role -l --range -e --exec -v -s -g -i --input',
      writes: '-d --data -p --png --output',
    },
  }),
  wrapper('msgfilter', 'runs a program for each text of a catalogue', {
    values: { reads: '-i --input -D', writes: '-o --output-file', text: '-e -f' },
  }),
  wrapper('envdir setuidgid s6-setuidgid s6-envdir', 'runs a program with other variables', {}, ['text', 'argv']),
  wrapper('qemu-user', 'runs a program of another machine', {
    values: { text: '-L -E -U -cpu -s -g -r -0 -B -R -p -d -D' },
    oneDash: true,
  }),
  wrapper('systemd-cat systemd-inhibit', 'runs a program', {
    values: { text: '-t -p --what --who --why --mode --identifier --priority' },
  }),
  {
    names: 'flock',
    class: 'runs',
    about: 'runs a program under a lock',
    grammar: {
      values: { special: '-c --command', text: '-w --wait --timeout -E --conflict-exit-code' },
      optionsFirst: true,
      careful: true,
    },
    read: (_args, taken) => readFlock(taken),
  },
  {
    ...wrapper(
      'watch viddy',
      'runs a script again and again',
      { values: { text: '-n --interval -q --equexit -d? --differences? -s --shotsdir' } },
      'by reader',
    ),
    read: (_args, taken) =>
      taken.operands.length === 0
        ? []
        : taken.has('-x', '--exec')
          ? runs(taken.operands)
          : runsScript(joinedWords(taken.operands), 'again and again'),
  },
  {
    names: 'script',
    class: 'runs',
    about: 'runs a shell and writes down what it shows',
    grammar: {
      values: {
        special: '-c --command',
        writes: '-I -O -B -T --log-in --log-out --log-io --log-timing',
        text: '-t? -E --echo -m -o --output-limit',
      },
      careful: true,
    },
    operands: 'writes',
    read: (_args, taken, { piped }) => {
      const command = taken.value('-c', '--command');
      if (command) return runsScript(command, 'by its option -c');
      return piped ? [runsCode('shell', 'from its input')] : [];
    },
  },
  {
    names: 'busybox toybox coreutils',
    class: 'runs',
    about: 'is many programs in one file: the first argument says which',
    grammar: { values: { special: '--coreutils-prog' }, optionsFirst: true, careful: true },
    read: (_args, taken) => {
      const named = taken.value('--coreutils-prog');
      if (taken.has('--install')) return [unknown('makes links to itself')];
      return runs(named ? [named, ...taken.operands] : taken.operands);
    },
  },
  {
    names: 'direnv',
    class: 'runs',
    about: 'loads variables of a folder; exec runs a program with them',
    read: (args) =>
      args[0]?.value === 'exec'
        ? [...(args[1] ? runsFile(args[1]) : []), ...runs(args.slice(2))]
        : [unknown('runs what the .envrc of a folder says')],
  },
];
