/** Programs that run another one to look at it. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import { type Program, readRow, runsFile, runsScript, unknown, writes } from './program.ts';
import { rest } from './unknown-words.ts';

/** `-o '|command'` hands what strace writes to a shell. */
function output(word: Word | undefined): readonly Effect[] {
  if (!word) return [];
  if (/^[|!]/.test(word.value ?? '')) return runsScript(rest(word, 1), 'by its option -o');
  return [writes(word)];
}

const STRACE: Grammar = {
  values: {
    special: '-o --output',
    variable: '-E --env',
    unknown: '-u --user',
    text: '-e -p -s -P -a -I -O -S -b -X -U --trace --attach --string-limit',
  },
  optionsFirst: true,
  careful: true,
};

const PERF_RECORDS: Grammar = {
  values: {
    writes: '-o --output',
    text: '-e --event -F --freq -p --pid -t --tid -C --cpu -c --count -r --repeat -I --interval-print -g? --call-graph -D --delay -G --cgroup -u --uid -x --field-separator',
    unknown: '--pre --post --clang-path --clang-opt',
  },
  optionsFirst: true,
  careful: true,
};

const perfRead = /^(?:report|list|annotate|diff|evlist|buildid-list|version|test)$/;

export const TRACERS: readonly Program[] = [
  {
    names: 'strace truss dtruss',
    class: 'runs',
    about: 'runs a program and tells what it does',
    grammar: STRACE,
    operands: 'argv',
    read: (_args, taken) => taken.values('-o', '--output').flatMap(output),
  },
  {
    names: 'ltrace',
    class: 'runs',
    about: 'runs a program and tells what it calls',
    grammar: {
      values: { writes: '-o --output', unknown: '-u -F', text: '-e -x -l -n -p -s -a -D -w -A' },
      optionsFirst: true,
      careful: true,
    },
    operands: 'argv',
  },
  {
    names: 'valgrind',
    class: 'runs',
    about: 'runs a program and checks its memory',
    grammar: {
      values: {
        writes: '--log-file? --xml-file? --massif-out-file? --callgrind-out-file? --cachegrind-out-file?',
        command: '--db-command?',
        reads: '--suppressions?',
      },
      exact: true,
      optionsFirst: true,
      careful: true,
    },
    operands: 'argv',
  },
  {
    names: 'perf',
    class: 'runs',
    about: 'measures programs: stat, record and trace run one',
    grammar: { optionsFirst: true, careful: true },
    read: (_args, { operands: [command, ...args] }, context) => {
      if (!command || perfRead.test(command.value ?? '')) return [];
      if (!/^(?:stat|record|trace)$/.test(command.value ?? '')) return [unknown('runs what its arguments say')];
      return readRow({ grammar: PERF_RECORDS, operands: 'argv' }, args, context);
    },
  },
  {
    names: 'gdb lldb rr cgdb gdbserver',
    class: 'runs',
    about: 'runs a program and whatever its commands say',
    read: (args) =>
      args.every(({ value }) => value === '--version' || value === '--help' || value === '-v')
        ? []
        : [unknown('runs what its options and commands say')],
  },
  {
    names: 'expect',
    class: 'runs',
    about: 'runs programs as its Tcl script says',
    grammar: { values: { code: '-c', 'runs file': '-f -b' }, optionsFirst: true, careful: true },
    read: (_args, taken, { piped }) => {
      if (taken.has('-c', '-f', '-v')) return [];
      const [file] = taken.operands;
      if (file && file.value !== '-') return runsFile(file);
      return piped ? [{ kind: 'runs code', language: 'Tcl', how: 'from its input' }] : [];
    },
  },
];
