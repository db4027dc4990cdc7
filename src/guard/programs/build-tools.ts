/** Programs that build and test what a project holds: they run the project's own code. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { connects, type Program, RUNS_PROJECT, reads, runs, runsCode, runsFile, runsScript, unknown, writes } from './program.ts';
import { isStandardInput } from './shells.ts';

/** Variables of a Makefile that name programs. */
const MAKE_PROGRAMS =
  /^(?:SHELL|MAKE|CC|CXX|CPP|LD|AR|AS|FC|GO|CARGO|NODE|NPM|PYTHON3?|RM|CP|MV|INSTALL|LEX|YACC|RANLIB|STRIP|SED|AWK|GREP|TAR)$/;

/** `make NAME=value`: make expands the value, and recipes run what some names stand for. */
function makeVariable(word: Word): readonly Effect[] {
  const [, name, sign, value] = /^([^=\s:!+?]+)([:!+?]*=)(.*)$/s.exec(word.value ?? '') ?? [];
  if (name === undefined || value === undefined) return [];
  if (sign === '!=') return runsScript(value, '');
  if (/\$[({]\s*(?:shell|eval|file|guile|call)\b/.test(value))
    return [unknown(`is given ${name}=, which it expands and which can run programs`)];
  if (/^(?:\.SHELLFLAGS|MAKEFLAGS|MFLAGS|GNUMAKEFLAGS|MAKEFILES|\.RECIPEPREFIX)$/.test(name))
    return [unknown(`is given ${name}=, which can make it run anything`)];
  return MAKE_PROGRAMS.test(name) && value !== '' ? runsScript(value, '') : [];
}

function readMake(taken: Arguments): readonly Effect[] {
  const shows = taken.has('--version', '-v', '--help');
  const files = taken.values('-f', '--file', '--makefile');
  return [
    ...(shows || files.length > 0 ? [] : [RUNS_PROJECT]),
    ...files.flatMap((file) => (isStandardInput(file) ? [runsCode('make', 'from its input')] : runsFile(file))),
    ...taken.operands.flatMap(makeVariable),
    ...foldersOf(taken, '-C', '--directory'),
  ];
}

/** Each folder counts from the one before; only one can be told. */
function foldersOf(taken: Arguments, ...options: readonly string[]): readonly Effect[] {
  const folders = taken.values(...options);
  const [first] = folders;
  if (!first) return [];
  const values = folders.map(({ value }) => value);
  const path: Word = values.every((value) => value !== undefined)
    ? {
        source: first.source,
        value: values.reduce((all, each) => (each.startsWith('/') ? each : `${all}/${each}`)),
        expands: false,
      }
    : { source: first.source, value: undefined, expands: folders.length === 1 && first.expands };
  return [{ kind: 'works in', path }];
}

const CMAKE_PROGRAMS =
  /^(?:CMAKE_(?:\w+_)?(?:COMPILER|COMPILER_LAUNCHER|LINKER_LAUNCHER|LINKER|AR|RANLIB|MAKE_PROGRAM|COMMAND|CROSSCOMPILING_EMULATOR)|CMAKE_RULE_LAUNCH_\w+)$/;
const CMAKE_FILES = /^(?:CMAKE_TOOLCHAIN_FILE|CMAKE_PROJECT_\w*INCLUDE\w*|CMAKE_MODULE_PATH|CMAKE_USER_MAKE_RULES_OVERRIDE\w*)$/;

function cmakeVariable({ value }: Word): readonly Effect[] {
  const [, name, text] = /^([^:=]+)(?::\w+)?=(.*)$/s.exec(value ?? '') ?? [];
  if (value === undefined) return [unknown('is given a variable that cannot be known')];
  if (name === undefined || text === undefined) return [];
  if (CMAKE_PROGRAMS.test(name)) return runsScript(text.replaceAll(';', ' '), '');
  return CMAKE_FILES.test(name) ? runsFile({ source: text, value: text, expands: false }) : [];
}

/** `cmake -E`: tools of its own, some of which run a command. */
function cmakeTool(words: readonly Word[]): readonly Effect[] {
  const [tool, ...rest] = words;
  const plain = rest.filter(({ value }) => !value?.startsWith('-'));
  switch (tool?.value) {
    case 'env': {
      const at = rest.findIndex(({ value }) => value === undefined || !/^--|=/.test(value));
      return at === -1 ? [] : runs(rest.slice(at));
    }
    case 'time':
      return runs(rest);
    case 'chdir':
      return [...plain.slice(0, 1).map((path): Effect => ({ kind: 'works in', path })), ...runs(rest.slice(1))];
    case 'echo':
    case 'echo_append':
    case 'environment':
    case 'capabilities':
    case 'sleep':
    case 'true':
    case 'false':
      return [];
    case 'cat':
    case 'compare_files':
    case 'md5sum':
    case 'sha256sum':
      return plain.map(reads);
    case 'copy':
    case 'copy_directory':
    case 'copy_if_different':
    case 'rename':
    case 'create_symlink':
    case 'create_hardlink':
      return [...plain.slice(0, -1).map(tool.value === 'rename' ? writes : reads), ...plain.slice(-1).map(writes)];
    case 'make_directory':
    case 'rm':
    case 'remove':
    case 'remove_directory':
    case 'touch':
    case 'touch_nocreate':
      return plain.map(writes);
    default:
      return [unknown(`runs its tool ${tool?.source ?? ''}, which is not followed`)];
  }
}

function readCmake(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const tool = args.findIndex(({ value }) => value === '-E');
  if (tool !== -1) return cmakeTool(args.slice(tool + 1));
  if (taken.has('-version', '-help')) return [];
  const build = taken.value('-build') ?? taken.value('-install');
  const definitions = taken.values('-D').flatMap(cmakeVariable);
  if (taken.has('-P')) return definitions;
  return [RUNS_PROJECT, ...definitions, ...[build, taken.value('-B')].flatMap((folder) => (folder ? [writes(folder)] : []))];
}

/** Runs the project's own code, whatever its arguments. */
const runsProject = (names: string, about: string, values: Grammar['values'] = {}): Program => ({
  names,
  class: 'runs',
  about,
  grammar: { values },
  read: (args) =>
    args.length === 1 && /^(?:--version|--help|-v|-V|-h|version|help)$/.test(args[0]?.value ?? '') ? [] : [RUNS_PROJECT],
});

export const BUILD_TOOLS: readonly Program[] = [
  {
    names: 'make gmake bmake',
    class: 'runs',
    about: 'runs the recipes of a Makefile; variables that it expands or runs are found',
    grammar: {
      values: {
        special: '-f --file --makefile -C --directory',
        code: '--eval -E',
        reads: '-I --include-dir',
        text: '-j? --jobs? -l? --load-average? -o --old-file --assume-old -W --what-if --new-file --assume-new -O? --output-sync? --debug?',
      },
      flags:
        '--just-print --dry-run --print-data-base --silent --question --touch --keep-going --environment-overrides --ignore-errors --always-make',
      careful: true,
    },
    read: (_args, taken) => readMake(taken),
  },
  {
    names: 'cmake',
    class: 'runs',
    about: 'runs CMakeLists.txt; -E runs tools of its own, -P a script',
    grammar: {
      oneDash: true,
      values: {
        special: '-D -build -install -E -B -open',
        'runs file': '-P -C -toolchain',
        reads: '-S',
        text: '-G -T -A -U -target -config -preset -j -parallel -prefix -component -log-level',
      },
      careful: true,
    },
    read: (args, taken) => readCmake(args, taken),
  },
  {
    names: 'ninja samu',
    class: 'runs',
    about: 'runs the commands of a build file',
    grammar: { values: { 'works in': '-C', 'runs file': '-f', text: '-j -k -l -d -w', special: '-t' }, optionsFirst: true },
    read: (_args, taken) => (taken.has('-t', '--version') ? [] : [RUNS_PROJECT]),
  },
  {
    ...runsProject('ctest cpack', 'runs tests, or packs, as a project says', {
      'runs file': '-S --script -SP',
      'works in': '--test-dir',
      writes: '-O --output-log --output-junit -B',
      program: '--build-makeprogram',
      command: '--test-command --overwrite --memcheck-command',
      text: '-R -E -L -LE -j -C --preset -G -D -T -M',
    }),
  },
  runsProject('meson scons waf muon premake5 xmake', 'builds a project', {
    'works in': '-C --directory',
    'runs file': '-f --file --sconstruct --native-file --cross-file',
    text: '-D -j',
  }),
  runsProject('bazel bazelisk buck buck2 pants please', 'builds a project', {
    script: '--run_under --action_env --workspace_status_command',
    'runs file': '--bazelrc',
    text: '-c --config -j --jobs',
  }),
  runsProject(
    'autoconf automake autoreconf autoheader aclocal libtool libtoolize glibtoolize configure config.status',
    'prepares a build',
    { program: '--autoconf --automake' },
  ),
  {
    names: 'pkg-config pkgconf',
    class: 'reads',
    about: 'tells how to build with a library',
  },
  runsProject(
    'tsc vue-tsc vitest jest mocha ava tap eslint prettier rollup webpack vite parcel rspack turbo nx lerna next nuxt astro remix gatsby svelte-kit ng vue cypress playwright stylelint typedoc nodemon pm2 gulp grunt karma c8 nyc wdio storybook serverless sls expo electron react-scripts ember concurrently',
    'runs code of the project',
    {
      'runs file': '-c --config -r --require --import --rulesdir --resolve-plugins-relative-to',
      'works in': '--cwd --root',
      script: '--exec -x',
      writes: '--outDir --outFile -o --output --output-file --outputFile --outdir --out-dir',
      reads: '-p --project --ignore-path',
    },
  ),
  {
    names: 'esbuild biome swc oxlint dprint',
    class: 'writes',
    about: 'works on the code of the project',
    grammar: { values: { writes: '--outfile --outdir --metafile', reads: '--config-path -c --config --tsconfig' } },
  },
  runsProject(
    'pytest py.test tox nox unittest mypy pylint pyright sphinx-build sphinx-quickstart mkdocs jupyter jupyter-lab nbconvert django-admin flask gunicorn uvicorn hypercorn daphne celery alembic invoke inv fab scrapy streamlit locust behave robot pdm-build twine',
    'runs Python code of the project',
    {
      'runs file': '-c --config-file --confcutdir --rcfile --config -f',
      'works in': '--rootdir --chdir',
      writes: '--basetemp --junitxml --junit-xml --result-log',
      text: '-k -m -p -o -n -W --maxfail --tb --cov? --cov-report? --durations --timeout --host --port',
    },
  ),
  {
    ...runsProject('coverage pyinstrument py-spy memray scalene viztracer', 'measures Python code', {
      text: '--source --omit --include -m',
    }),
  },
  {
    names: 'black isort flake8 autopep8 yapf pyupgrade bandit pycodestyle pydocstyle',
    class: 'writes',
    about: 'works on Python code',
    grammar: { values: { reads: '--config --settings-path --style' } },
    operands: 'writes',
  },
  {
    names: 'ruff',
    class: 'writes',
    about: 'works on Python code',
    grammar: { values: { reads: '--config', writes: '-o --output-file --cache-dir' } },
    operands: ['text', 'writes'],
  },
  {
    names: 'mvn mvnw gradle gradlew ant sbt mill kotlin kotlinc scalac lein',
    class: 'runs',
    about: 'builds and runs a project',
    grammar: {
      values: {
        'runs file': '-f --file -s --settings -gs --global-settings -I --init-script -b --build-file -c --settings-file',
        'works in': '-p --project-dir',
        reads: '-g --gradle-user-home',
        text: '-pl --projects -P -T --threads -x --exclude-task',
        special: '-D',
      },
      careful: true,
    },
    read: (args, taken) => {
      if (args.every(({ value }) => /^-{0,2}(?:version|help|v|h)$/.test(value ?? '')) && args.length > 0) return [];
      const runsNamed = taken.values('-D').some(({ value }) => value === undefined || /^exec\.|^maven\.ext|^jvm/.test(value));
      return [RUNS_PROJECT, ...(runsNamed ? [unknown('is given the program that it runs')] : [])];
    },
  },
  runsProject(
    'rspec rubocop phpunit pest phpstan psalm php-cs-fixer artisan symfony msbuild nuget xcodebuild fastlane pod stack cabal hpack rebar3 dune zig nim crystal gleam flutter dart pub mint roc v',
    'builds and runs a project',
    {
      'runs file': '-r --require -c --config --configuration -O --options --bootstrap',
      'works in': '-C --chdir --working-dir',
    },
  ),
  {
    names: 'rake',
    class: 'runs',
    about: 'runs the tasks of a Rakefile',
    grammar: {
      values: {
        code: '-e --execute -E --execute-continue -p --execute-print',
        'runs file': '-f --rakefile -r --require',
        reads: '-I --libdir -R --rakelibdir',
        'works in': '-C --directory',
        text: '-j? -D? -T? -W?',
      },
      careful: true,
    },
    read: (_args, taken) => (taken.has('-e', '--execute', '-E', '-p', '-V', '--version') ? [] : [RUNS_PROJECT]),
  },
  runsProject('pre-commit husky lint-staged commitlint semantic-release changeset release-it', 'runs what its files say', {
    'runs file': '-c --config',
    reads: '--files',
  }),
  {
    ...runsProject('just task mage', 'runs the recipes of a file', {
      program: '--shell --chooser',
      'runs file': '-f --justfile -t --taskfile',
      'works in': '-d --working-directory --dir',
      script: '-c --command',
      variable: '--set',
    }),
  },
  runsProject('ansible-playbook ansible-lint molecule', 'runs what its files say', {
    'runs file': '-i --inventory -e --extra-vars -M --module-path --vault-password-file',
    text: '-l --limit -t --tags -u --user -f --forks',
  }),
  {
    names: 'ansible act ansible-console',
    class: 'runs',
    about: 'runs what its arguments say, here or on other machines',
    read: () => [connects(), unknown('runs what its arguments say')],
  },
  {
    names: 'terraform tofu terragrunt packer pulumi vagrant helmfile skaffold cdk cdktf sam',
    class: 'runs',
    about: 'builds machines and clouds as its files say',
    read: (args) => {
      const command = args.find(({ value }) => !value?.startsWith('-'))?.value ?? 'version';
      const folder = args.flatMap(({ value }): readonly Effect[] =>
        value?.startsWith('-chdir=')
          ? [{ kind: 'works in', path: { source: value, value: value.slice(7), expands: false } }]
          : [],
      );
      if (/^(?:version|validate|show|output|graph|providers|state|help|status|global-status)$/.test(command)) return folder;
      return /^(?:fmt)$/.test(command) ? [...folder, writes('.')] : [...folder, RUNS_PROJECT, connects()];
    },
  },
];
