/** The tools of Rust and Go, which build, run and install. */
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import {
  connects,
  effectsOf,
  type Program,
  RUNS_PROJECT,
  runs,
  runsFile,
  runsScript,
  unknown,
  withoutOptions,
  writes,
} from './program.ts';
import { rest } from './unknown-words.ts';

/** `-exec`, `-toolexec` and linkers named in -ldflags run programs (go help build). */
const goFlags = (taken: Arguments): readonly Effect[] =>
  taken
    .values('-ldflags', '-gcflags', '-gccgoflags')
    .flatMap((flags) =>
      flags.value === undefined || /extld|toolexec|plugin/.test(flags.value)
        ? [unknown(`is given ${flags.source.slice(0, 40)}, which can run programs`)]
        : [],
    );

function readGo(taken: Arguments): readonly Effect[] {
  const [command, ...words] = taken.operands;
  const effects = [...goFlags(taken)];
  switch (command?.value) {
    case undefined:
      return command ? [...effects, unknown('gets a subcommand that is computed')] : effects;
    case 'version':
    case 'help':
    case 'doc':
    case 'list':
      return effects;
    case 'env':
      return taken.has('-w', '-u') ? [...effects, unknown('changes its settings, which can name programs')] : effects;
    case 'tool':
      return words[0] ? [...effects, unknown(`runs ${words[0].source}, a tool that is not followed`)] : effects;
    case 'run':
      return [
        ...effects,
        ...words.slice(0, 1).flatMap((file) => (file.value?.endsWith('.go') ? runsFile(file) : [RUNS_PROJECT])),
      ];
    case 'get':
    case 'install':
      return [...effects, RUNS_PROJECT, connects()];
    case 'fmt':
    case 'mod':
    case 'work':
    case 'fix':
    case 'clean':
      return [...effects, writes('.')];
    default:
      return [...effects, RUNS_PROJECT];
  }
}

const CARGO_SHOWS = /^(?:metadata|tree|version|search|locate-project|pkgid|read-manifest|verify-project|help|info|report)$/;
const CARGO_BUILDS =
  /^(?:build|b|test|t|run|r|check|c|bench|doc|d|rustc|rustdoc|clippy|fix|package|install|miri|expand|llvm-cov|tarpaulin|nextest|flamegraph|udeps|bloat|asm)$/;
const CARGO_WRITES =
  /^(?:new|init|clean|fmt|add|remove|rm|generate-lockfile|vendor|uninstall|sort|machete|deny|audit|outdated|hack)$/;
const CARGO_CONNECTS = /^(?:update|fetch|publish|login|logout|owner|yank)$/;

function readCargo(taken: Arguments): readonly Effect[] {
  const [command] = taken.operands.filter(({ value }) => !value?.startsWith('+'));
  if (!command) return [];
  const name = command.value ?? '';
  if (CARGO_SHOWS.test(name)) return [];
  if (CARGO_BUILDS.test(name)) return [RUNS_PROJECT, ...(name === 'install' ? [connects()] : [])];
  if (CARGO_WRITES.test(name)) return [writes('.')];
  if (CARGO_CONNECTS.test(name)) return [connects()];
  if (name === 'watch')
    return [RUNS_PROJECT, ...taken.values('-s', '--shell').flatMap((script) => runsScript(script, 'by its option -s'))];
  return [unknown(`has no subcommand ${name}: it may be an alias, or a program of its own`)];
}

export const RUST_AND_GO: readonly Program[] = [
  {
    names: 'rustc rustdoc clippy-driver',
    class: 'reads',
    about: 'compiles Rust; a linker named in -C runs',
    grammar: {
      values: {
        special: '-C --codegen',
        writes: '-o --out-dir',
        'runs file': '--sysroot',
        reads: '-L --extern',
        text: '--edition --crate-type --crate-name --emit --target --cfg --print -A -W -D -F --test-args',
        unknown: '-Z',
      },
      exact: true,
      careful: true,
    },
    operands: 'reads',
    read: (_args, taken) => [
      ...taken.values('-C', '--codegen').flatMap((word) => {
        if (word.value?.startsWith('linker=')) return effectsOf('program', rest(word, 7), 'by its option -C linker');
        return word.value === undefined || /^(?:ar|link-args?|llvm-args|dlltool)=/.test(word.value)
          ? [unknown(`is given ${word.source.slice(0, 40)}, which can run programs`)]
          : [];
      }),
      ...(taken.has('-o', '--out-dir') || taken.operands.length === 0 ? [] : [writes('.')]),
    ],
  },
  {
    names: 'cargo',
    class: 'runs',
    about: 'builds and runs Rust',
    grammar: {
      values: {
        unknown: '--config -Z',
        writes: '--target-dir --root --artifact-dir',
        'works in': '-C',
        reads: '--manifest-path --lockfile-path',
        special: '-s --shell',
        text: '-p --package -F --features -j --jobs --bin --example --test --bench --target --profile --message-format --color --registry --index --git --branch --tag --rev --version --exclude --edition',
      },
      exact: true,
      careful: true,
    },
    read: (_args, taken) => readCargo(taken),
  },
  {
    names: 'rustup',
    class: 'runs',
    about: 'installs Rust; run runs a program with it',
    read: (args, _taken, { calledAs }) => {
      // Under their names it starts the programs that it has installed.
      if (calledAs !== undefined && calledAs !== 'rustup') return [];
      const [command, ...words] = withoutOptions(args);
      if (command?.value === 'run') return runs(words[0] ? args.slice(args.indexOf(words[0]) + 1) : []);
      return !command || /^(?:show|which|doc|man|check|completions|help)$/.test(command.value ?? '') ? [] : [connects()];
    },
  },
  {
    names: 'go',
    versioned: true,
    class: 'runs',
    about: 'builds and runs Go; -exec, -toolexec and linkers in flags run programs',
    grammar: {
      oneDash: true,
      values: {
        command: '-exec -toolexec',
        program: '-vettool',
        writes: '-o -outputdir -coverprofile -cpuprofile -memprofile -pkgdir',
        'works in': '-C',
        reads: '-modfile -overlay',
        special: '-ldflags -gcflags -gccgoflags -asmflags',
        text: '-run -bench -count -timeout -tags -p -v? -race? -short? -mod -buildmode -compiler -f -u? -w? -parallel -cpu -fuzz -json?',
      },
      careful: true,
    },
    read: (_args, taken) => readGo(taken),
  },
  { names: 'golangci-lint staticcheck dlv delve', class: 'runs', about: 'works on Go code', read: () => [RUNS_PROJECT] },
];
