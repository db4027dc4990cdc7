/** git: each subcommand has options of its own, and some of them run programs. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { givenSetting, urlEffects } from './git-settings.ts';
import { GIT_SUBCOMMANDS, UNFOLLOWED } from './git-subcommands.ts';
import { type Grammar, takeApart } from './options.ts';
import {
  byName,
  connects,
  doubtful,
  type Program,
  type ReadContext,
  readRow,
  reads,
  unknown,
  WRITES_HERE,
  writes,
} from './program.ts';

const GLOBAL: Grammar = {
  values: {
    special: '-C -c --config-env --git-dir --work-tree --exec-path?',
    text: '--namespace --super-prefix --attr-source --list-cmds',
  },
  flags:
    '--bare --no-pager --paginate --version --help --html-path --man-path --info-path --no-replace-objects --no-optional-locks --literal-pathspecs',
  optionsFirst: true,
  careful: true,
};

const ROWS = byName(GIT_SUBCOMMANDS);
const OTHERS = new Set(UNFOLLOWED.split(' '));

/** Each -C counts from the one before. */
function folders(words: readonly Word[]): readonly Effect[] {
  if (words.length === 0) return [];
  const values = words.map(({ value }) => value);
  if (!values.every((value) => value !== undefined)) {
    const source = words.map((word) => word.source).join('/');
    return [{ kind: 'works in', path: words.length === 1 ? (words[0] as Word) : { source, value: undefined, expands: false } }];
  }
  return [
    {
      kind: 'works in',
      path: knownWord(values.reduce((all, each) => (each.startsWith('/') || all === '' ? each : `${all}/${each}`), '')),
    },
  ];
}

function readGit(args: readonly Word[], context: ReadContext): readonly Effect[] {
  const taken = takeApart(args, GLOBAL);
  const effects: Effect[] = [...folders(taken.values('-C'))];
  effects.push(...taken.values('-c').flatMap(givenSetting));
  for (const { value } of taken.values('--config-env')) {
    effects.push(unknown(`takes the setting ${value?.split('=')[0]} from a variable`));
  }
  if (taken.value('--exec-path')) effects.push(unknown('is told where its own programs are'));
  for (const path of taken.values('--git-dir')) {
    // What is called .git nobody may write settings to; other folders could be made to hold some.
    effects.push(
      /(?:^|\/)\.git\/?$/.test(path.value ?? '') ? reads(path) : unknown(`takes its settings from ${path.source.slice(0, 40)}`),
    );
  }
  const [doubt] = taken.doubts;
  if (doubt) effects.push(doubtful(doubt));
  const [command, ...rest] = taken.operands;
  if (!command) return effects;
  const name = command.value;
  if (name === undefined) return [...effects, unknown('gets a subcommand that is computed')];
  const row = ROWS.get(name);
  if (!row) {
    const isAlias = taken.values('-c').some(({ value }) => value?.toLowerCase().startsWith(`alias.${name.toLowerCase()}=`));
    if (isAlias) return effects;
    const reason = OTHERS.has(name)
      ? `runs programs for its subcommand ${name} that are not followed`
      : `has no subcommand ${name}: it may be an alias, or a program of its own`;
    return [...effects, unknown(reason)];
  }
  const { does, connectsTo } = row;
  const sub = takeApart(rest, row.grammar ?? {});
  const changes = typeof does === 'function' ? does(sub) : does;
  effects.push(...taken.values('--work-tree').map(changes === 'shows' ? reads : writes));
  if (changes === 'writes') effects.push(WRITES_HERE);
  // What git keeps for itself; settings and hooks are told apart.
  else if (changes === 'keeps') effects.push(writes('.git/index'));
  if (connectsTo) {
    effects.push(...sub.operands.flatMap(urlEffects));
    effects.push(connects(sub.operands.find(({ value }) => /[:@]/.test(value ?? ''))));
  }
  return [...effects, ...readRow(row, rest, context)];
}

export const GIT: readonly Program[] = [
  {
    names: 'git',
    class: 'runs',
    about:
      'works on a repository; settings of -c and `config`, aliases, remotes and options of its subcommands that run programs are found',
    read: (args, _taken, context) => readGit(args, context),
  },
];
