/** npm and its like: they install packages, and run scripts and programs of them. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { connects, type Program, RUNS_PROJECT, runs, runsScript, unknown, writes } from './program.ts';

/** Programs of the project or of the registry: `npx x`, `npm exec -- x`. */
export const ofPackage = (words: readonly Word[]): readonly Effect[] => [RUNS_PROJECT, ...runs(words)];

/** Arguments from the first that is no option, so that the program's own options stay with it. */
export function commandOf(args: readonly Word[], { operands }: Arguments, skip: number): readonly Word[] {
  const start = operands[skip];
  return start ? args.slice(args.indexOf(start)) : [];
}

/** Settings of npm that name programs, or files of further settings. */
const NPM_RUNS =
  /^(?:script-shell|shell|node-options|git|editor|viewer|browser|init-module|onload-script|userconfig|globalconfig|prefix|node-gyp|scriptshell)$/;
const NPM_SHOWS =
  /^(?:ls|list|ll|la|root|bin|whoami|fund|explain|why|query|help|help-search|completion|doctor|prefix|version|v)$/;
const NPM_ASKS =
  /^(?:view|show|info|v|search|s|find|outdated|audit|ping|diff|docs|home|repo|bugs|owner|team|org|profile|token|stars)$/;

const NODE: Grammar = {
  values: {
    program: '--script-shell --shell --git',
    script: '--editor --viewer --browser',
    'runs file': '--init-module --onload-script --userconfig --globalconfig --use-yarnrc --node-options',
    'works in': '-C --prefix --cwd --dir',
    connects: '--registry',
    special: '-c --call',
    writes: '--cache --pack-destination',
    text: '-w --workspace --loglevel --otp --tag --access --omit --include -F --filter -p --package --reporter --depth --before --node-version --fetch-timeout',
  },
  flags: '--workspaces --cache-min --prefer-offline --global --force',
  careful: true,
};

function readNpm(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const [command, second, third] = taken.operands;
  const call = taken.value('-c', '--call');
  const called = call ? runsScript(call, 'by its option --call') : [];
  if (!command) return called;
  const name = command.value;
  if (name === undefined) return [RUNS_PROJECT];
  switch (name) {
    case 'exec':
    case 'x':
    case 'dlx':
    case 'node':
      if (name === 'node') return runs([command, ...args.slice(args.indexOf(command) + 1)]);
      return [...called, ...ofPackage(commandOf(args, taken, 1))];
    case 'explore':
      return third ? [RUNS_PROJECT, ...runs(taken.operands.slice(2))] : [unknown('runs a shell')];
    case 'edit':
      return [unknown('runs the editor that its settings name')];
    case 'config':
    case 'set':
    case 'c': {
      const key = name === 'set' ? second : third;
      if (name !== 'set' && /^(?:get|list|ls)$/.test(second?.value ?? 'list')) return [];
      const dangerous = key?.value === undefined || NPM_RUNS.test(key.value.split('=')[0] ?? '') || second?.value === 'edit';
      return dangerous
        ? [unknown('changes its settings, which can name programs')]
        : [writes({ source: '~/.npmrc', value: undefined, expands: true })];
    }
    case 'get':
      return [];
    case 'pkg':
      return second?.value === 'get' ? [] : [writes('package.json'), unknown('changes what the scripts of the project are')];
    case 'cache':
    case 'login':
    case 'logout':
    case 'adduser':
    case 'publish':
    case 'unpublish':
      return [connects()];
    case 'init':
    case 'create':
      return second ? [RUNS_PROJECT, connects()] : [writes('package.json')];
    case 'install':
    case 'i':
    case 'add':
    case 'ci':
    case 'clean-install':
    case 'update':
    case 'up':
    case 'upgrade':
      return [RUNS_PROJECT, connects()];
    default:
      if (NPM_ASKS.test(name)) return [connects()];
      return NPM_SHOWS.test(name) ? [] : [RUNS_PROJECT];
  }
}

const node = (names: string): Program => ({
  names,
  class: 'runs',
  about: 'installs packages; runs scripts and packages of the project; exec and dlx run a program',
  grammar: NODE,
  read: (args, taken) => readNpm(args, taken),
});

export const NODE_PACKAGES: readonly Program[] = [
  node('npm cnpm'),
  node('pnpm'),
  {
    ...node('yarn yarnpkg'),
    read: (args, taken) =>
      taken.operands.length === 0 && args.every(({ value }) => !/^(?:--version|-v|--help)$/.test(value ?? ''))
        ? [RUNS_PROJECT, connects()]
        : readNpm(args, taken),
  },
  {
    names: 'npx pnpx bunx yarnx',
    class: 'runs',
    about: 'runs a program of the project or of the registry',
    grammar: { ...NODE, optionsFirst: true },
    read: (_args, taken) => {
      const call = taken.value('-c', '--call');
      return call
        ? [RUNS_PROJECT, ...runsScript(call, 'by its option -c')]
        : taken.operands.length > 0
          ? ofPackage(taken.operands)
          : [];
    },
  },
  {
    names: 'corepack nvm fnm volta n',
    class: 'runs',
    about: 'installs Node and runs programs with it',
    read: (args) => {
      const at = args.findIndex(({ value }) => value === 'run' || value === 'exec');
      const command = at === -1 ? [] : args.slice(at + 1);
      return command.length > 0
        ? [
            RUNS_PROJECT,
            ...runs(command[0]?.value?.startsWith('-') || /^v?\d/.test(command[0]?.value ?? '') ? command.slice(1) : command),
          ]
        : /^(?:ls|list|current|which|--version|-v)$/.test(args[0]?.value ?? '')
          ? []
          : [connects(), RUNS_PROJECT];
    },
  },
];
