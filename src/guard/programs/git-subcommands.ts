/** The subcommands of git, each with those of its options that run programs or name files (git(1) and the pages of each). */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { givenSetting, settingEffects, urlEffects } from './git-settings.ts';
import type { Arguments, Grammar } from './options.ts';
import { connects, controls, type Row, reads, runs, runsScript, unknown, WRITES_HERE, writes, writesInto } from './program.ts';
import { joinedWords } from './unknown-words.ts';

/** It only shows something, changes what git keeps of a project, or the files of the project. */
export type Does = 'shows' | 'keeps' | 'writes';

export interface Subcommand extends Row {
  readonly does: Does | ((taken: Arguments) => Does);
  /** It talks to the remote that its operands name, or its settings. */
  readonly connectsTo?: true;
}

const REMOTE_PROGRAMS = { script: '--upload-pack --receive-pack --exec' };
const NEW_REPOSITORY = { 'runs file': '--template', writes: '--separate-git-dir' };
/** Strategies that are part of git; another one is a program of that name. */
const STRATEGIES = /^(?:ours|recursive|resolve|octopus|subtree|ort)$/;

const MERGES: Grammar = {
  values: {
    ...REMOTE_PROGRAMS,
    special: '-s --strategy',
    reads: '-F --file',
    text: '-m --message -X --strategy-option -S? --gpg-sign? --depth -j --jobs --cleanup --into-name --rebase?',
  },
  careful: true,
};

const strategies = (taken: Arguments): readonly Effect[] =>
  taken
    .values('-s', '--strategy')
    .flatMap(({ value }) => (STRATEGIES.test(value ?? '') ? [] : [unknown('merges with a program that is not known')]));

const first = ({ operands: [word] }: Arguments) => word?.value ?? '';
const showsWhen = (shows: boolean, otherwise: Does = 'keeps'): Does => (shows ? 'shows' : otherwise);
const EDITOR = unknown('runs the editor that its settings name');

const LISTS =
  '--list -l --contains --no-contains --merged --no-merged --points-at --show-current -a -r --all --remotes -v --verify'.split(
    ' ',
  );

/** `git config`: reads, or writes one of its files. */
function readConfig(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const file = taken.value('-f', '--file');
  if (showsConfig(taken)) return file ? [reads(file)] : [];
  const action = /^(?:set|unset|edit|rename-section|remove-section)$/.test(first(taken)) ? first(taken) : undefined;
  const effects: Effect[] = [];
  if (file) effects.push(writes(file));
  else if (taken.has('--global')) effects.push(writes({ source: '~/.gitconfig', value: undefined, expands: true }));
  else if (taken.has('--system')) effects.push(writes('/etc/gitconfig'));
  if (taken.has('-e', '--edit') || action === 'edit') return [...effects, EDITOR];
  if (taken.has('--unset', '--unset-all', '--remove-section') || action === 'unset') return effects;
  const [key, value] = action ? taken.operands.slice(1) : taken.operands;
  effects.push(...settingEffects(key, value));
  const doubt = args.find((word) => word.value === undefined && word !== value && word !== key);
  return doubt ? [...effects, unknown(`gets a setting that is computed (${doubt.source.slice(0, 40)})`)] : effects;
}

function showsConfig(taken: Arguments): boolean {
  if (taken.has('--get', '--get-all', '--get-regexp', '--get-urlmatch', '--list', '-l', '--get-color', '--get-colorbool'))
    return true;
  if (/^(?:get|list|get-color|get-colorbool)$/.test(first(taken))) return true;
  const changes = taken.has('--unset', '--unset-all', '--remove-section', '-e', '--edit');
  return taken.operands.length === 1 && first(taken).includes('.') && !changes;
}

/** The folder that a clone goes into, named after the repository when no other name is given. */
function cloned({ operands: [url, folder] }: Arguments): readonly Effect[] {
  if (folder) return [writesInto(folder)];
  const [, name] = /([^/:]+?)(?:\/?\.git)?\/*$/.exec(url?.value ?? '') ?? [];
  return [name === undefined ? WRITES_HERE : writesInto(knownWord(name))];
}

/** `git stash`, `git worktree` and others: what to do, then what with. */
function readAction(taken: Arguments): readonly Effect[] {
  const [action, target] = taken.operands;
  if (/^(?:start|register)$/.test(action?.value ?? '')) return [controls('has programs run later')];
  return /^(?:add|create|move)$/.test(action?.value ?? '') && target ? [writes(target)] : [];
}

/** Arguments behind the first operand. */
const behindFirst = (args: readonly Word[], taken: Arguments) => args.slice(args.indexOf(taken.operands[0] as Word) + 1);

function readSubmodule(args: readonly Word[], taken: Arguments): readonly Effect[] {
  if (/^(?:add|update|sync)$/.test(first(taken))) return [...behindFirst(args, taken).flatMap(urlEffects), connects()];
  if (first(taken) !== 'foreach') return [];
  const words = behindFirst(args, taken).filter(({ value }) => !/^(?:--recursive|--quiet|-q)$/.test(value ?? ''));
  return runsScript(words.length > 0 ? joinedWords(words) : undefined, 'in each submodule');
}

/** Values of their own words are looked at as if they were options too: none may hide one. */
const LOGS: Omit<Row, 'names'> = {
  grammar: {
    values: {
      writes: '--output',
      special: '-o --output-directory',
      reads: '-O --contents --ignore-revs-file --signature-file',
      text: '-S? -G? -n? -L? -U? -M? -C? -B? -l? -I? -v? -s? --format? --pretty? --since? --until? --after? --before? --author? --committer? --grep? --diff-filter? --color? --word-diff? --stat? --max-count? --skip? --date? --decorate? --reroll-count? --start-number? --subject-prefix? --suffix? --to? --cc? --in-reply-to?',
    },
    flags: '--no-index --ext-diff --textconv --output-indicator-new --output-indicator-old --output-indicator-context --stdout',
    careful: true,
  },
  read: (_args, taken) => [
    ...(taken.has('--no-index') ? taken.operands.map(reads) : []),
    ...taken.values('-o', '--output-directory').map(writes),
  ],
};

export const GIT_SUBCOMMANDS: readonly Subcommand[] = [
  {
    names: 'log show diff whatchanged shortlog diff-tree diff-index diff-files range-diff blame annotate',
    does: 'shows',
    ...LOGS,
  },
  { names: 'format-patch', does: (taken) => showsWhen(taken.has('--stdout'), 'writes'), ...LOGS },
  {
    names:
      'status rev-parse rev-list ls-files ls-tree name-rev describe for-each-ref merge-base show-branch show-ref cherry count-objects check-ignore check-attr check-mailmap check-ref-format verify-commit verify-tag verify-pack version fsck get-tar-commit-id column stripspace patch-id var cat-file merge-tree diff-pairs last-modified',
    does: 'shows',
  },
  { names: 'unpack-file', does: 'writes' },
  {
    names: 'grep',
    does: 'shows',
    grammar: {
      values: {
        script: '-O? --open-files-in-pager?',
        reads: '-f',
        text: '-e -A -B -C -m --max-depth --threads --max-count --color? --context --after-context --before-context',
      },
      flags: '--no-index --or --and --not --only-matching',
      careful: true,
    },
    read: (_args, { items }) =>
      items.some(({ option, word }) => /^(?:-O|--open-files-in-pager)$/.test(option ?? '') && !word)
        ? [unknown('runs the pager that its settings name')]
        : [],
  },
  {
    names: 'help',
    does: 'shows',
    grammar: { flags: '--web --man --info' },
    read: (_args, taken) => (taken.has('-w', '--web', '-i', '--info') ? [unknown('runs a viewer that its settings name')] : []),
  },
  {
    names: 'branch',
    does: (taken) =>
      showsWhen(
        !taken.has('-d', '-D', '-m', '-M', '-c', '-C', '-f', '-u', '--edit-description') &&
          (taken.operands.length === 0 || taken.has(...LISTS)),
      ),
    grammar: {
      values: { text: '-u --set-upstream-to --sort --format --points-at --contains --merged --no-merged --color?' },
      flags: '--edit-description',
    },
    read: (_args, taken) => (taken.has('--edit-description') ? [EDITOR] : []),
  },
  {
    names: 'tag',
    does: (taken) => showsWhen(taken.operands.length === 0 || (taken.has(...LISTS) && !taken.has('-a', '-d', '-s'))),
    grammar: {
      values: { text: '-m --message -u --local-user --sort --format -n? --cleanup --points-at --contains', reads: '-F --file' },
    },
  },
  {
    names: 'remote',
    does: (taken) => showsWhen(/^(?:show|get-url|)$/.test(first(taken))),
    grammar: { values: { text: '-t -m' } },
    read: (_args, taken) => {
      if (first(taken) === 'update' || first(taken) === 'show') return [{ kind: 'connects', host: undefined }];
      return /^(?:add|set-url)$/.test(first(taken)) ? taken.operands.slice(2).flatMap(urlEffects) : [];
    },
  },
  {
    names: 'notes bundle reflog maintenance rerere worktree',
    does: (taken) => showsWhen(/^(?:list|show|status|verify|diff|exists|is-needed|)$/.test(first(taken))),
    grammar: { values: { text: '-m --message -b -B', reads: '-F --file' } },
    read: (_args, taken) => readAction(taken),
  },
  {
    names: 'stash lfs sparse-checkout',
    does: (taken) => showsWhen(/^(?:list|show|status|ls-files|env)$/.test(first(taken)), 'writes'),
    grammar: { values: { text: '-m --message' } },
  },
  {
    names:
      'add gc prune repack update-index write-tree commit-tree update-ref symbolic-ref hash-object mktree mktag pack-refs pack-objects replace unpack-objects prune-packed update-server-info multi-pack-index commit-graph fmt-merge-msg interpret-trailers refs repo',
    does: 'keeps',
    grammar: { values: { text: '--chmod -m', reads: '--pathspec-from-file -F' } },
  },
  {
    names: 'rm mv restore reset clean read-tree checkout-index merge-file mailinfo mailsplit cherry-pick revert backfill',
    does: 'writes',
    grammar: {
      values: {
        special: '--strategy',
        writes: '--prefix',
        text: '-e --exclude -m --mainline -s --source -X --strategy-option -S? --gpg-sign? --conflict',
        reads: '--pathspec-from-file',
      },
    },
    read: (_args, taken) => strategies(taken),
  },
  {
    names: 'checkout switch',
    does: (taken) => (taken.has('-b', '-B', '-c', '-C', '--orphan') && taken.operands.length === 0 ? 'keeps' : 'writes'),
    grammar: { values: { text: '-b -B -c -C --orphan --conflict --track?', reads: '--pathspec-from-file' } },
  },
  {
    names: 'commit',
    does: 'keeps',
    grammar: {
      values: {
        text: '-m --message -c -C --author --date --fixup --squash --cleanup --trailer -S? --gpg-sign? -u?',
        reads: '-F --file -t --template --pathspec-from-file',
      },
    },
  },
  { names: 'merge', does: 'writes', grammar: MERGES, read: (_args, taken) => strategies(taken) },
  { names: 'pull', does: 'writes', connectsTo: true, grammar: MERGES, read: (_args, taken) => strategies(taken) },
  {
    names: 'rebase',
    does: 'writes',
    grammar: {
      values: {
        script: '-x --exec',
        special: '-s --strategy',
        text: '-X --strategy-option --onto -C -S? --gpg-sign? --whitespace --empty --rebase-merges?',
      },
      careful: true,
    },
    read: (_args, taken) => strategies(taken),
  },
  {
    names: 'clone',
    does: 'shows',
    connectsTo: true,
    grammar: {
      values: {
        ...NEW_REPOSITORY,
        script: '-u --upload-pack',
        special: '-c --config',
        reads: '--reference --reference-if-able',
        text: '-b --branch -o --origin --depth --shallow-since --shallow-exclude -j --jobs --filter --recurse-submodules? --recursive? --bundle-uri --server-option --revision',
      },
      careful: true,
    },
    read: (_args, taken) => [...taken.values('-c', '--config').flatMap(givenSetting), ...cloned(taken)],
  },
  {
    names: 'init init-db',
    does: 'keeps',
    grammar: {
      values: { ...NEW_REPOSITORY, text: '-b --initial-branch --object-format --ref-format --shared?' },
      careful: true,
    },
    operands: 'writes',
  },
  {
    names: 'fetch fetch-pack',
    does: 'keeps',
    connectsTo: true,
    grammar: {
      values: {
        ...REMOTE_PROGRAMS,
        text: '-o --server-option --depth --deepen -j --jobs --refmap --shallow-since --shallow-exclude --filter --negotiation-tip --recurse-submodules?',
      },
      careful: true,
    },
  },
  {
    names: 'ls-remote request-pull',
    does: 'shows',
    connectsTo: true,
    grammar: { values: { ...REMOTE_PROGRAMS, text: '-o --server-option --sort' }, careful: true },
  },
  {
    names: 'push send-pack',
    does: 'keeps',
    connectsTo: true,
    grammar: {
      values: { ...REMOTE_PROGRAMS, text: '-o --push-option --repo --recurse-submodules --signed? --force-with-lease?' },
      careful: true,
    },
  },
  {
    names: 'archive',
    does: 'shows',
    grammar: {
      values: {
        ...REMOTE_PROGRAMS,
        writes: '-o --output',
        connects: '--remote',
        reads: '--add-file',
        text: '--format --prefix --mtime --add-virtual-file',
      },
      careful: true,
    },
    read: (_args, taken) => taken.values('--remote').flatMap(urlEffects),
  },
  {
    names: 'submodule',
    does: (taken) => showsWhen(/^(?:status|summary|)$/.test(first(taken)), 'writes'),
    grammar: {
      values: { text: '-b --branch --name --depth -j --jobs', reads: '--reference' },
      optionsFirst: true,
      careful: true,
    },
    read: readSubmodule,
  },
  {
    names: 'bisect',
    does: (taken) => showsWhen(/^(?:log|view|visualize|)$/.test(first(taken)), 'writes'),
    grammar: { optionsFirst: true, careful: true },
    read: (_args, taken) => (first(taken) === 'run' ? runs(taken.operands.slice(1)) : []),
  },
  {
    names: 'filter-branch',
    does: 'writes',
    grammar: {
      values: {
        script:
          '--setup --env-filter --tree-filter --index-filter --parent-filter --msg-filter --commit-filter --tag-name-filter',
        writes: '-d',
        text: '--original --subdirectory-filter --state-branch',
      },
      careful: true,
    },
  },
  {
    names: 'filter-repo',
    does: 'writes',
    grammar: {
      values: {
        code: '--filename-callback --file-info-callback --message-callback --name-callback --email-callback --refname-callback --blob-callback --commit-callback --tag-callback --reset-callback',
        reads: '--replace-text --mailmap --paths-from-file --replace-message',
        text: '--path --path-glob --path-regex --path-rename --to-subdirectory-filter --subdirectory-filter --refs --tag-rename --strip-blobs-bigger-than --source --target',
      },
      careful: true,
    },
  },
  {
    names: 'difftool',
    does: 'shows',
    grammar: { values: { script: '-x --extcmd', text: '-t --tool' }, flags: '--tool-help', careful: true },
    read: (_args, taken) => (taken.has('-x', '--extcmd', '--tool-help') ? [] : [unknown('runs the tool that its settings name')]),
  },
  {
    names: 'config',
    does: (taken) => showsWhen(showsConfig(taken) || taken.has('--global', '--system', '-f', '--file')),
    grammar: {
      values: { special: '-f --file', reads: '--blob', text: '--type --default --comment --value' },
      flags:
        '--get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool --list --unset --unset-all --add --replace-all --edit --global --system --local --worktree --remove-section --rename-section --all',
    },
    read: readConfig,
  },
  {
    names: 'apply am',
    does: 'writes',
    grammar: {
      values: { text: '-p -C --directory --exclude --include --whitespace --patch-format -S?' },
      flags: '--unsafe-paths',
    },
    operands: 'reads',
    read: (_args, taken) => (taken.has('--unsafe-paths') ? [writes('/')] : []),
  },
  {
    names: 'fast-export',
    does: 'shows',
    grammar: { values: { writes: '--export-marks', reads: '--import-marks --import-marks-if-exists' }, careful: true },
  },
  {
    names: 'fast-import',
    does: 'keeps',
    grammar: { values: { writes: '--export-marks --export-pack-edges', reads: '--import-marks' }, careful: true },
  },
  {
    names: 'subtree',
    does: 'writes',
    connectsTo: true,
    grammar: { values: { writes: '-P --prefix', text: '-m --message -b --branch --annotate --onto' } },
  },
  {
    names: 'bugreport diagnose',
    does: 'shows',
    grammar: { values: { writes: '-o --output-directory' } },
    read: () => [writes('.')],
  },
  {
    names: 'send-email',
    does: 'shows',
    connectsTo: true,
    grammar: {
      values: {
        script: '--sendmail-cmd --to-cmd --cc-cmd --header-cmd --smtp-server',
        text: '--to --cc --bcc --from --subject --in-reply-to --smtp-user --smtp-pass --smtp-server-port --smtp-encryption --suppress-cc --confirm',
      },
      careful: true,
    },
  },
];

/** Subcommands that run programs which neither arguments nor this table tell. */
export const UNFOLLOWED =
  'mergetool instaweb gui citool gitk daemon http-backend svn cvsimport cvsexportcommit cvsserver p4 archimport quiltimport credential credential-cache credential-store for-each-repo hook web--browse merge-index merge-one-file upload-pack receive-pack upload-archive shell remote-ext remote-fd remote-http remote-https imap-send http-fetch http-push index-pack scalar flow annex crypt secret absorb replay difftool--helper submodule--helper';
