/** Programs that build, test and install what a project holds: they run the project's own code. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import type { Program } from './program.ts';

const runsProject = (names: string, about: string, grammar: Grammar = {}, read?: Program['read']): Program => ({
  names,
  class: 'runs',
  about,
  grammar,
  read: (args, taken, context) => [{ kind: 'runs file', path: undefined }, ...(read?.(args, taken, context) ?? [])],
});

/** `npx`, `npm exec`: runs a program of the project or of the registry. */
function readNode(name: string, args: readonly Word[]): Effect[] {
  const effects: Effect[] = [];
  for (let at = 0; at < args.length; at++) {
    const { value } = args[at] as Word;
    if (value === undefined) continue;
    if (value === '--') break;
    const [option = '', ...rest] = value.split('=');
    const own = rest.length > 0 ? knownWord(rest.join('=')) : args[at + 1];
    if (
      /^--(?:script-shell|shell|node-options|prefix-script|init-module|userconfig|globalconfig|git|editor|viewer|browser)$/.test(
        option,
      )
    )
      effects.push({ kind: 'unknown', reason: `is given ${option}, which can run programs` });
    else if ((option === '-c' || option === '--call') && own) effects.push({ kind: 'runs script', script: own });
    else if ((option === '-C' || option === '--prefix' || option === '--cwd' || option === '--dir') && own)
      effects.push({ kind: 'works in', path: own });
  }
  const words = args.filter(({ value }) => value === undefined || !value.startsWith('-'));
  const [first, ...rest] = words;
  const runs =
    name === 'npx' || name === 'bunx' || name === 'pnpx'
      ? words
      : first?.value === 'exec' || first?.value === 'x' || first?.value === 'dlx'
        ? rest
        : [];
  if (runs.length > 0) effects.push({ kind: 'runs', argv: runs });
  if (first?.value === 'pkg' && rest[0]?.value !== 'get')
    effects.push({ kind: 'unknown', reason: 'changes what the scripts of the project are' });
  if (first?.value === 'config' || first?.value === 'set')
    effects.push({ kind: 'unknown', reason: 'changes its settings, which can name programs' });
  return effects;
}

/** Variables of make's built-in rules that name programs (GNU make manual 10.3). */
const PROGRAM_VARIABLES = /^(?:CC|CXX|CPP|LD|AR|AS|RM|FC|F77|LEX|YACC|INSTALL|TEX|CO|GET|LINT|WEAVE|TANGLE|PC|M2C)$/;

function readMake(args: readonly Word[]): Effect[] {
  return args.flatMap((word): Effect[] => {
    const [, name, text] = /^([A-Za-z_.]\w*)[:+?!]?=(.*)$/s.exec(word.value ?? '') ?? [];
    if (name === undefined) return [];
    if (/[;&|`$()<>]/.test(text ?? '') || /^(?:SHELL|\.SHELLFLAGS|MAKE\w*)$/.test(name))
      return [{ kind: 'unknown', reason: `is given ${name}=, which can run programs` }];
    return PROGRAM_VARIABLES.test(name) ? [{ kind: 'runs script', script: knownWord(text ?? '') }] : [];
  });
}

/** `cmake -E` works on files, and runs programs. */
function readCmake([first, action, ...rest]: readonly Word[]): Effect[] {
  if (first?.value !== '-E') return [];
  if (action?.value === 'env' || action?.value === 'time')
    return [{ kind: 'runs', argv: rest.filter(({ value }) => !value?.startsWith('-')) }];
  return action?.value === 'echo' || action?.value === 'capabilities'
    ? []
    : [{ kind: 'unknown', reason: 'changes files or runs programs by -E' }];
}

/** Options of compilers that run other programs or other parts of themselves. */
function readCompiler(args: readonly Word[]): Effect[] {
  return args.some(({ value }) => value !== undefined && /^-(?:wrapper|fplugin|specs|B|load|Xclang$)/.test(value))
    ? [{ kind: 'unknown', reason: 'is given an option that runs programs' }]
    : [];
}

export const BUILD_TOOLS: readonly Program[] = [
  ...['npm', 'npx', 'yarn', 'pnpm', 'pnpx', 'bunx', 'corepack', 'lerna', 'nx', 'turbo'].map((name) =>
    runsProject(name, 'runs scripts and packages of the project', {}, (args) => readNode(name, args)),
  ),
  runsProject(
    'make gmake',
    'runs the recipes of a Makefile; SHELL=, --eval and $(shell) run anything',
    {
      values: {
        '-f': 'runs file',
        '--file': 'runs file',
        '--makefile': 'runs file',
        '-C': 'works in',
        '--directory': 'works in',
        '-I': 'reads',
        '--include-dir': 'reads',
        '--eval': 'code',
        '-E': 'code',
        '-j': 'text',
        '-l': 'text',
        '-o': 'text',
        '-W': 'text',
      },
    },
    (args) => readMake(args),
  ),
  runsProject(
    'tsc tsx ts-node vitest jest mocha ava eslint prettier biome rollup webpack vite esbuild parcel next nuxt astro svelte-kit cypress playwright stylelint typedoc nodemon pm2 gulp grunt',
    'runs code of the project',
  ),
  runsProject(
    'pip pip3 pipx uv uvx poetry pdm hatch conda mamba tox nox pytest py.test unittest mypy ruff black isort flake8 pylint pyright coverage sphinx-build jupyter django-admin flask gunicorn uvicorn celery alembic',
    'runs Python code of the project',
    { values: { '-C': 'works in', '-p': 'text', '-c': 'text', '-r': 'reads', '-m': 'text', '-k': 'text' } },
  ),
  runsProject('cargo rustc rustup rustfmt clippy-driver wasm-pack', 'builds and runs Rust', {
    values: { '--config': 'unknown', '-C': 'text', '--manifest-path': 'reads', '--linker': 'program' },
  }),
  runsProject('go gofmt golangci-lint dlv', 'builds and runs Go', {
    values: { '-exec': 'program', '-toolexec': 'program', '-vettool': 'program', '-o': 'writes', '-C': 'works in' },
    singleDash: true,
  }),
  runsProject(
    'gcc cc g++ c++ clang clang++ ld as ar-cc x86_64-linux-gnu-gcc tcc nvcc gfortran',
    'compiles',
    {
      values: {
        '-o': 'writes',
        '-B': 'unknown',
        '-wrapper': 'unknown',
        '-fplugin': 'unknown',
        '-specs': 'unknown',
        '-include': 'reads',
        '-I': 'text',
        '-L': 'text',
        '-l': 'text',
        '-D': 'text',
        '-U': 'text',
        '-x': 'text',
        '-std': 'text',
        '-MF': 'writes',
        '-MT': 'text',
        '-isystem': 'text',
        '-O': 'text',
        '-W': 'text',
        '-f': 'text',
        '-m': 'text',
        '-g': 'text',
      },
    },
    (args) => readCompiler(args),
  ),
  runsProject(
    'cmake ctest cpack ninja meson bazel bazelisk buck scons autoconf automake autoreconf configure libtool pkg-config swig',
    'builds a project',
    { values: { '-C': 'works in', '-S': 'reads', '-B': 'writes', '-P': 'runs file', '-E': 'text', '--build': 'writes' } },
    (args) => readCmake(args),
  ),
  runsProject(
    'mvn mvnw gradle gradlew ant sbt lein bundle bundler gem rake rails rspec rubocop composer phpunit artisan dotnet msbuild nuget swift swiftc xcodebuild stack cabal mix rebar3 dune opam zig nim crystal flutter dart kotlinc scalac javac jar',
    'builds and runs a project',
    { values: { '-p': 'text', '-f': 'reads' } },
    (args) =>
      args[0]?.value === 'exec' || args[0]?.value === 'run'
        ? args.length > 1
          ? [{ kind: 'runs', argv: args.slice(1) }]
          : []
        : [],
  ),
  runsProject(
    'pre-commit husky lint-staged commitlint just task mage invoke fab ansible ansible-playbook terraform tofu packer pulumi vagrant helm kustomize skaffold act',
    'runs what its files say',
  ),
  {
    names: 'docker podman nerdctl buildah',
    class: 'runs',
    about: 'runs containers: what they mount hands over the machine',
    read: (args) => readDocker(args),
  },
  {
    names: 'docker-compose podman-compose',
    class: 'runs',
    about: 'runs containers',
    read: () => [{ kind: 'unknown', reason: 'runs containers that its file describes' }],
  },
  {
    names: 'kubectl oc k9s crictl ctr minikube kind',
    class: 'runs',
    about: 'acts on a cluster',
    read: (args) => [
      { kind: 'connects', host: undefined },
      ...(/^(?:get|describe|logs|version|config|explain|api-resources|top|cluster-info)$/.test(
        args.find(({ value }) => value !== undefined && !value.startsWith('-'))?.value ?? '',
      )
        ? []
        : [{ kind: 'unknown', reason: 'changes or runs things in a cluster' } as const]),
    ],
  },
];

const SHOWING =
  /^(?:ps|images|image|ls|logs|inspect|version|info|stats|top|port|history|search|context|system|events|diff|container|volume|network)$/;

function readDocker(args: readonly Word[]): Effect[] {
  const [command] = args.filter(({ value }) => value === undefined || !value.startsWith('-'));
  if (command?.value !== undefined && SHOWING.test(command.value)) return [];
  return [{ kind: 'unknown', reason: 'runs or changes containers, which can hold anything' }];
}
