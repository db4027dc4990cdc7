/** Programs that build and test what a project holds: they run the project's own code. */
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import { connects, type Program, RUNS_PROJECT, unknown, writes } from './program.ts';

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
