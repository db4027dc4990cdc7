/** Programs that install packages, and run what they hold. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { commandOf, ofPackage } from './node-packages.ts';
import type { Arguments, Grammar } from './options.ts';
import { connects, type Program, RUNS_PROJECT, runs, runsCode, runsFile, unknown, writes } from './program.ts';
import { isStandardInput } from './shells.ts';

const PIP_SHOWS = /^(?:list|show|freeze|check|debug|help|inspect|hash|completion)$/;

const PIP: Grammar = {
  values: {
    program: '--python',
    'works in': '--directory',
    reads: '-r --requirement -c --constraint --cert --client-cert -f --find-links',
    writes: '-t --target --prefix --root -d --dest -w --wheel-dir --log --cache-dir --src --report',
    'runs file': '-e --editable',
    connects: '-i --index-url --extra-index-url --proxy',
    unknown: '--editor',
    text: '--upgrade-strategy --no-binary --only-binary --platform --python-version --abi --implementation --global-option --config-settings -C --root-user-action --trusted-host --timeout --retries --progress-bar --format --exclude',
  },
  flags: '--upgrade --pre --user',
  careful: true,
};

function readPip(taken: Arguments): readonly Effect[] {
  const [command, second] = taken.operands;
  const name = command?.value;
  if (!command || PIP_SHOWS.test(name ?? '')) return [];
  if (name === 'config') return /^(?:list|get|debug)$/.test(second?.value ?? '') ? [] : [unknown('changes its settings')];
  if (name === 'index' || name === 'search') return [connects()];
  if (name === 'cache')
    return second?.value === 'list' || second?.value === 'info' || second?.value === 'dir' ? [] : [writes('.')];
  return [RUNS_PROJECT, ...(name === 'uninstall' ? [] : [connects()])];
}

/** `uv run x.py`, `poetry run x`: a program, or a file of Python. */
const ranByPython = (words: readonly Word[]): readonly Effect[] => {
  const [first] = words;
  if (!first) return [];
  if (isStandardInput(first)) return [runsCode('Python', 'from its input')];
  return first.value?.endsWith('.py') ? [...runsFile(first)] : [RUNS_PROJECT, ...runs(words)];
};

const UV: Grammar = {
  values: {
    'works in': '--directory --project',
    reads: '--env-file --config-file -r --requirement --with-requirements -c --constraint',
    'runs file': '--with-editable -s --script',
    writes: '--target --prefix --cache-dir -o --output-file -d --out-dir',
    connects: '-i --index-url --default-index --index --extra-index-url',
    special: '-m --module',
    text: '-p --python --with --extra --group --only-group --from --package --python-platform --resolution --prerelease --exclude-newer --link-mode -n --name',
  },
  exact: true,
  careful: true,
};

/** Programs whose subcommand `run`, `exec` and the like run a program in the environment of the project. */
const environment = (names: string, runsBehind: RegExp, shows: RegExp, values: Grammar['values'] = {}): Program => ({
  names,
  class: 'runs',
  about: 'installs what a project needs; runs programs with it',
  grammar: { values, careful: true },
  read: (args, taken) => {
    const [command] = taken.operands;
    const name = command?.value ?? '';
    if (command && runsBehind.test(name)) return ranByPython(commandOf(args, taken, 1));
    return !command || shows.test(name) ? [] : [RUNS_PROJECT, connects()];
  },
});

const SHOWS =
  /^(?:--version|version|list|ls|show|info|env|help|config|check|current|which|where|prefix|root|search|versions|about|outdated|why|licenses|status|doctor|tree)$/;

export const PACKAGE_MANAGERS: readonly Program[] = [
  {
    names: 'pip',
    versioned: true,
    class: 'runs',
    about: 'installs Python packages, which run code of their own',
    grammar: PIP,
    read: (_args, taken) => readPip(taken),
  },
  {
    names: 'pipx',
    class: 'runs',
    about: 'installs and runs Python programs',
    grammar: {
      values: { program: '--python', connects: '-i --index-url', text: '--spec --pip-args --suffix --fetch-missing-python' },
      optionsFirst: true,
      careful: true,
    },
    read: (_args, { operands: [command, ...words] }) =>
      command?.value === 'run'
        ? [RUNS_PROJECT, connects(), ...runs(words.filter(({ value }, index) => index > 0 || !value?.startsWith('-')))]
        : !command || /^(?:list|environment)$/.test(command.value ?? '')
          ? []
          : [RUNS_PROJECT, connects()],
  },
  {
    names: 'uv',
    class: 'runs',
    about: 'installs Python packages; run runs a program, a module or a file',
    grammar: UV,
    read: (args, taken) => {
      const [command, second] = taken.operands;
      const name = command?.value ?? '';
      if (name === 'run')
        return taken.has('-m', '--module')
          ? [RUNS_PROJECT]
          : taken.has('-s', '--script')
            ? []
            : ranByPython(commandOf(args, taken, 1));
      if (name === 'tool' && second?.value === 'run') return ofPackage(commandOf(args, taken, 2));
      if (name === 'pip' || name === 'tool' || name === 'python')
        return SHOWS.test(second?.value ?? '') ||
          second?.value === 'freeze' ||
          second?.value === 'find' ||
          second?.value === 'dir'
          ? []
          : [RUNS_PROJECT, connects()];
      return name === '' || /^(?:version|tree|help|cache|self|export)$/.test(name) ? [] : [RUNS_PROJECT, connects()];
    },
  },
  {
    names: 'uvx',
    class: 'runs',
    about: 'runs a Python program of the registry',
    grammar: { ...UV, optionsFirst: true },
    read: (_args, taken) => (taken.operands.length > 0 ? ofPackage(taken.operands) : []),
  },
  environment('poetry pdm hatch pipenv rye pixi', /^(?:run)$/, SHOWS, {
    'works in': '-C --directory -P --project -p',
    text: '-G --group --with --without -E --extras',
  }),
  environment('conda mamba micromamba', /^(?:run)$/, SHOWS, {
    text: '-n --name -c --channel',
    'works in': '--cwd',
    reads: '-p --prefix -f --file',
  }),
  environment('bundle bundler', /^(?:exec|e)$/, SHOWS, { 'runs file': '--gemfile', text: '-j --jobs --without --with --path' }),
  environment('rbenv pyenv nodenv jenv goenv asdf mise rtx rvm', /^(?:exec|x)$/, SHOWS, { text: '-v' }),
  environment('opam', /^(?:exec)$/, SHOWS, { text: '--switch' }),
  environment('composer', /^(?:exec)$/, SHOWS, { 'works in': '-d --working-dir' }),
  environment('mix', /^$/, SHOWS, { code: '-e --eval', 'runs file': '-r' }),
  {
    names: 'rails',
    class: 'runs',
    about: 'runs a project; runner runs Ruby',
    read: (args) => {
      const [command, code] = args;
      if (command?.value !== 'runner' && command?.value !== 'r') return [RUNS_PROJECT];
      return code ? (code.value?.endsWith('.rb') ? runsFile(code) : [runsCode('Ruby', 'runner')]) : [];
    },
  },
  environment('gem cpan cpanm luarocks', /^(?:exec)$/, SHOWS, {
    'runs file': '--config-file',
    writes: '-i --install-dir -n --bindir',
    text: '-v --version -s --source',
  }),
  {
    names: 'dotnet',
    class: 'runs',
    about: 'builds and runs .NET',
    read: (args) => {
      const [command, file] = args;
      if (!command || /^(?:--version|--info|--list-sdks|--list-runtimes|help)$/.test(command.value ?? '')) return [];
      if (command.value === 'exec' && file) return runsFile(file);
      return command.value?.endsWith('.dll') ? runsFile(command) : [RUNS_PROJECT];
    },
  },
  {
    names: 'nix nix-shell nix-build nix-env nix-instantiate nix-store guix',
    class: 'runs',
    about: 'builds packages and runs programs with them',
    grammar: {
      values: {
        script: '--run --command',
        special: '-c',
        'runs file': '-f --file',
        code: '-E --expr',
        text: '-p --packages -A --attr -I --option',
      },
      careful: true,
    },
    read: (args, taken) => {
      const command = args.findIndex(({ value }) => value === '-c' || value === '--command');
      const behind = command === -1 ? [] : args.slice(command + 1);
      return [RUNS_PROJECT, ...(taken.has('-c') ? runs(behind) : [])];
    },
  },
];
