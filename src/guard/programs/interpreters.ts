/** Programs that run code of a language: from an argument, from a file, or from their standard input. */
import { DATABASES } from './databases.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import {
  type Program,
  type ReadContext,
  RUNS_PROJECT,
  reads,
  runsCode,
  runsFile,
  runsScript,
  unknown,
  writes,
  writesInto,
} from './program.ts';
import { isStandardInput } from './shells.ts';

interface Interpreter {
  readonly names: string;
  readonly language: string;
  /** Options whose value is code. */
  readonly code?: string;
  /** Options that show something, or check, so that nothing is run. */
  readonly shows?: string;
  /** Options that stand in place of a file: a module, a test run. */
  readonly instead?: string;
  readonly values?: Grammar['values'];
  readonly oneDash?: boolean;
  readonly exact?: boolean;
  /** Operands behind code are files that it works on. */
  readonly worksOnFiles?: boolean;
  /** Option by which it goes on to read its input behind a file. */
  readonly interactive?: string;
  /** Long options may be written with `_` for `-`. */
  readonly underscores?: boolean;
  read?(taken: Arguments): readonly Effect[];
}

const SHOWS = '--version --help -version -help -V -h';

function interpreter({
  names,
  language,
  code = '',
  shows = '',
  instead = '',
  values = {},
  oneDash = false,
  exact = false,
  worksOnFiles = false,
  interactive,
  underscores = false,
  read,
}: Interpreter): Program {
  const codes = code.split(' ');
  const showing = `${SHOWS} ${shows}`.split(' ').filter((option) => option !== '' && !codes.includes(option));
  const special = [values.special, code].filter(Boolean).join(' ');
  const flags = [shows, instead].filter(Boolean).join(' ');
  return {
    names,
    versioned: true,
    class: 'runs',
    about: `runs ${language}: ${code === '' ? '' : `of ${codes.join(', ')}, `}of a file, or from standard input`,
    grammar: {
      optionsFirst: true,
      careful: true,
      oneDash,
      exact,
      underscores,
      flags,
      values: special === '' ? values : { ...values, special },
    },
    read(_args, taken, context) {
      const own = read?.(taken) ?? [];
      const given = code === '' ? undefined : taken.items.find(({ option }) => option !== undefined && codes.includes(option));
      if (given?.option) {
        const inPlace = taken.has('-i');
        return [...own, runsCode(language, given.option), ...(worksOnFiles ? taken.operands.map(inPlace ? writes : reads) : [])];
      }
      const [file] = taken.operands;
      if (taken.has(...showing)) return [...own, ...(file && shows !== '' ? [reads(file)] : [])];
      if (instead !== '' && taken.has(...instead.split(' '))) return [...own, RUNS_PROJECT];
      const goesOn = interactive !== undefined && taken.has(interactive) ? fromInput(language, context) : [];
      if (file && !isStandardInput(file)) return [...own, ...runsFile(file), ...goesOn];
      return [...own, ...fromInput(language, context, file !== undefined)];
    },
  };
}

/** @param said whether an argument says so, `-` */
export function fromInput(language: string, { piped }: ReadContext, said = false): readonly Effect[] {
  return piped || said ? [runsCode(language, 'from its input')] : [];
}

/** `perl -MList::Util=sum`: anything more than a name and a list is code. */
const moduleCode = (taken: Arguments, language: string) =>
  taken
    .values('-M', '-m')
    .flatMap(({ value }) => (/^-?[\w:]+(?:=[\w,:]*)?$/.test(value ?? '') ? [] : [runsCode(language, '-M')]));

/** Settings of PHP that load code. */
const PHP_LOADS =
  /^(?:auto_(?:prepend|append)_file|(?:zend_)?extension|ffi\.\w+|opcache\.preload|sendmail_path|include_path|error_log|disable_functions)\b/i;

/** What modules of Python's own library do with their arguments. */
function moduleEffects(module: string, { operands, has }: Arguments): readonly Effect[] {
  if (RUNS_ARGUMENTS.test(module)) return [runsCode('Python', '-m')];
  if (module === 'json.tool') return operands.slice(1).map(writes);
  // Where it is made counts, not that its files could be any: they are Python's own.
  if (module === 'venv')
    return operands.flatMap((folder) => (folder.value === undefined ? [writes(folder)] : [writes(`${folder.value}/lib64`)]));
  if (/^(?:zipfile|tarfile)$/.test(module) && has('-e', '--extract')) return operands.slice(1).map(writesInto);
  if (module === 'sqlite3') return operands.slice(0, 1).map(writes);
  return module === 'webbrowser' ? [unknown('starts a browser')] : [];
}

/** Modules of Python that run code in their arguments or on their input. */
const RUNS_ARGUMENTS = /^(?:timeit|pdb|code|cProfile|profile|trace|runpy|idlelib|IPython|doctest|asyncio)\b/;

const JAVA_RUNS = /^-XX:On\w+=(.*)$/s;

export const INTERPRETERS: readonly Program[] = [
  ...DATABASES,
  {
    ...interpreter({
      names: 'python python3 python2 pypy pypy3 ipython ipython3 bpython micropython',
      language: 'Python',
      code: '-c',
      instead: '-m',
      values: { special: '-m', text: '-W -X -Q --check-hash-based-pycs' },
      interactive: '-i',
      read: (taken) => moduleEffects(taken.value('-m')?.value ?? '', taken),
    }),
    about: 'runs Python: of -c, a module by -m, a file, or standard input',
  },
  interpreter({
    names: 'node nodejs iojs',
    exact: true,
    underscores: true,
    interactive: '-i',
    language: 'JavaScript',
    code: '-e --eval -p --print',
    shows: '-v --v8-options --completion-bash -c --check',
    instead: '--test --run',
    values: {
      'runs file':
        '-r --require --import --loader --experimental-loader --experimental-config-file --experimental-default-config-file --snapshot-blob --openssl-config --build-snapshot-config --test-reporter --test-global-setup --experimental-sea-config --build-sea',
      special: '--run',
      reads: '--env-file --env-file-if-exists --icu-data-dir --policy-integrity',
      writes:
        '--redirect-warnings --report-directory --report-dir --diagnostic-dir --cpu-prof-dir --heap-prof-dir --test-reporter-destination --localstorage-file --cpu-prof-name --heap-prof-name --trace-event-file-pattern --logfile --report-filename --redirect-code-traces-to',
      text: '-C --conditions --test-name-pattern --test-skip-pattern --test-concurrency --test-shard --test-timeout --watch-path --input-type --title --inspect? --inspect-brk? --inspect-port --max-http-header-size --stack-trace-limit --unhandled-rejections --dns-result-order --disable-warning --max-old-space-size? --trace-event-categories',
    },
    // The debugger takes JavaScript from its input.
    read: ({ operands: [command, file] }) =>
      command?.value === 'inspect' ? [runsCode('JavaScript', 'inspect'), ...(file ? runsFile(file) : [])] : [],
  }),
  interpreter({
    names: 'perl',
    language: 'Perl',
    code: '-e -E',
    shows: '-v',
    worksOnFiles: true,
    values: { special: '-M -m', reads: '-I', text: '-i? -F? -x?', unknown: '-d?' },
    read: (taken) => moduleCode(taken, 'Perl'),
  }),
  interpreter({
    names: 'ruby jruby mruby truffleruby irb',
    language: 'Ruby',
    code: '-e',
    shows: '-v -y',
    worksOnFiles: true,
    values: {
      'runs file': '-r',
      reads: '-I',
      'works in': '-C',
      text: '-i? -E -F? -x? --disable? --enable? --encoding --external-encoding --internal-encoding',
    },
  }),
  interpreter({
    names: 'php php-cgi',
    exact: true,
    language: 'PHP',
    code: '-r -R -B -E --run --process-code --process-begin --process-end',
    shows: '-v -i -m -l -w -s --info --modules --syntax-check --strip --syntax-highlight --ini',
    instead: '-S --server',
    values: {
      'runs file': '-f --file -F --process-file -z --zend-extension -c --php-ini',
      special: '-d --define -S --server',
      reads: '-t --docroot',
      text: '--rf --rc --re --rz --ri',
    },
    read: (taken) =>
      taken
        .values('-d', '--define')
        .flatMap(({ value }) =>
          value === undefined || PHP_LOADS.test(value) ? [unknown('is given a setting that loads code')] : [],
        ),
  }),
  interpreter({ names: 'lua luajit luau texlua', language: 'Lua', code: '-e', shows: '-v', values: { 'runs file': '-l' } }),
  interpreter({ names: 'tclsh wish jimsh', language: 'Tcl', oneDash: true, values: { text: '-encoding' } }),
  interpreter({
    names: 'Rscript R littler',
    language: 'R',
    code: '-e',
    values: { 'runs file': '-f --file', text: '-g --gui --default-packages --encoding' },
  }),
  interpreter({
    names: 'julia',
    language: 'Julia',
    code: '-e --eval -E --print',
    values: { 'runs file': '-L --load -J --sysimage', text: '-p --procs -t --threads --project? -C -O? -g? -H --home' },
  }),
  interpreter({ names: 'guile', language: 'Scheme', code: '-c', values: { 'runs file': '-l -s', special: '-e', reads: '-L' } }),
  interpreter({
    names: 'racket gracket',
    language: 'Racket',
    code: '-e --eval',
    values: { 'runs file': '-f --load -t --require -r --script -u --require-script -l --lib -k' },
  }),
  interpreter({
    names: 'sbcl ccl ecl clisp scheme chez mit-scheme csi gosh chibi-scheme gsi',
    language: 'Lisp',
    code: '-e -x --eval -eval --exec',
    values: { 'runs file': '--load --script -i -s --userinit --sysinit --core' },
  }),
  interpreter({ names: 'runghc runhaskell ghci', language: 'Haskell', code: '-e', values: { unknown: '-f' } }),
  interpreter({
    names: 'ocaml utop',
    language: 'OCaml',
    oneDash: true,
    code: '-e',
    values: { 'runs file': '-init', reads: '-I' },
  }),
  interpreter({
    names: 'scala amm',
    language: 'Scala',
    oneDash: true,
    code: '-e -c',
    values: { 'runs file': '-i -howtorun', reads: '-cp -classpath' },
  }),
  interpreter({ names: 'groovy groovysh', language: 'Groovy', code: '-e', values: { reads: '-cp --classpath' } }),
  interpreter({
    names: 'elixir iex',
    language: 'Elixir',
    code: '-e --eval --rpc-eval',
    instead: '-S',
    values: { 'runs file': '-r -pr', special: '-S', reads: '-pa -pz', text: '--sname --name --cookie', unknown: '--erl' },
  }),
  interpreter({
    names: 'erl escript',
    language: 'Erlang',
    oneDash: true,
    code: '-eval -s -run',
    values: { 'runs file': '-config -boot', reads: '-pa -pz', text: '-sname -name -setcookie' },
  }),
  interpreter({
    names: 'clojure clj bb',
    language: 'Clojure',
    code: '-e --eval -Sdeps',
    values: { 'runs file': '-i --init -f', special: '-m -M -X -T' },
    instead: '-m -M -X -T',
  }),
  interpreter({ names: 'osascript', language: 'AppleScript', code: '-e', values: { text: '-l -s' } }),
  interpreter({ names: 'swipl gprolog', language: 'Prolog', oneDash: true, code: '-g -t', values: { 'runs file': '-f -s -l' } }),
  interpreter({
    names: 'raku perl6',
    language: 'Raku',
    code: '-e',
    values: { special: '-M', reads: '-I' },
    read: (taken) => moduleCode(taken, 'Raku'),
  }),
  interpreter({
    names: 'gjs qjs qjsc d8 jsc',
    language: 'JavaScript',
    code: '-c -e --command --eval',
    values: { reads: '-I --include-path' },
  }),
  interpreter({
    names: 'ts-node tsx ts-node-esm coffee',
    language: 'TypeScript',
    code: '-e --eval -p --print',
    values: { 'runs file': '-r --require --import --loader', text: '-O --compiler-options -T', reads: '-P --project --tsconfig' },
  }),
  interpreter({
    names: 'octave octave-cli scilab gnuplot',
    language: 'its own',
    code: '--eval -e',
    values: { reads: '-p --path' },
  }),
  interpreter({
    names: 'maxima gp sage',
    language: 'its own',
    code: '-c --batch-string -r',
    values: { 'runs file': '-p --preload -b --batch --init' },
  }),
  interpreter({
    names: 'm4',
    language: 'm4',
    values: {
      reads: '-I --include -R --reload-state',
      writes: '-F --freeze-state -o --error-output --debugfile?',
      text: '-D --define -U --undefine -s? -L -H -B -S -t --trace',
    },
  }),
  {
    ...interpreter({
      names: 'java',
      language: 'Java',
      oneDash: true,
      values: {
        'runs file': '-jar -javaagent -agentpath',
        reads: '-cp -classpath -class-path -p -module-path',
        special: '-m -module',
        text: '-add-modules -add-opens -add-exports -add-reads -source',
      },
    }),
    read(args, taken) {
      if (taken.has('-version', '-help', '-h', '-?', '-showversion') && taken.operands.length === 0) return [];
      const agents = args.flatMap(({ value }): readonly Effect[] => {
        const [, script] = JAVA_RUNS.exec(value ?? '') ?? [];
        if (script !== undefined) return runsScript(script, '');
        return /^-(?:javaagent|agentlib|agentpath):|^@/.test(value ?? '')
          ? [unknown(`is given ${value?.slice(0, 40)}, which loads code or options`)]
          : [];
      });
      const [first] = taken.operands;
      if (taken.has('-jar')) return agents;
      if (first?.value?.endsWith('.java')) return [...agents, ...runsFile(first)];
      return first || taken.has('-m', '-module') ? [...agents, RUNS_PROJECT] : agents;
    },
  },
];
