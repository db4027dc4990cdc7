/** git and its like. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { couldBeOption, type Grammar, takeApart } from './options.ts';
import { type Program, SOMEWHERE_HERE } from './program.ts';

/** Settings that make git run a program (git-config(1)). */
const RUNNING_KEYS =
  /^(?:core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|askpass|gitproxy|attributesfile|worktree)|sequence\.editor|diff\.external|diff\..*\.(?:textconv|command)|difftool\..*|mergetool\..*|merge\..*\.driver|merge\.tool|diff\.tool|filter\..*|alias\..*|credential\..*|gpg\.(?:.*\.)?program|gpg\.ssh\.defaultkeycommand|pager\..*|interactive\.difffilter|protocol\..*|remote\..*\.(?:uploadpack|receivepack|vcs|proxy|url|pushurl)|url\..*|http\.proxy|include(?:if)?\..*|uploadpack\.packobjectshook|submodule\..*\.update|browser\..*|web\.browser|man\..*|sendemail\..*|init\.templatedir|ssh\.variant|tar\..*\.command|trailer\..*\.(?:command|cmd)|blame\.ignorerevsfile)$/i;

const GLOBAL: Grammar = {
  values: {
    '-C': 'works in',
    '-c': 'text',
    '--git-dir': 'reads',
    '--work-tree': 'works in',
    '--namespace': 'text',
    '--exec-path': 'text',
    '--config-env': 'text',
    '--super-prefix': 'text',
    '--attr-source': 'text',
  },
  operandsEnd: true,
};

const READS = new Set(
  'status log diff show blame annotate shortlog describe rev-parse rev-list ls-files ls-tree ls-remote cat-file name-rev grep reflog whatchanged count-objects check-ignore check-attr check-ref-format cherry diff-tree diff-index diff-files for-each-ref merge-base range-diff show-branch show-ref var verify-commit verify-tag version help fsck get-tar-commit-id column stripspace patch-id'.split(
    ' ',
  ),
);
const WRITES = new Set(
  'init clone add rm mv restore commit reset checkout switch branch tag merge rebase cherry-pick revert stash clean pull push fetch remote config worktree submodule bisect notes am apply format-patch archive bundle gc prune repack sparse-checkout lfs update-index write-tree commit-tree read-tree update-ref symbolic-ref hash-object mktree pack-refs maintenance replace filter-branch filter-repo difftool mergetool rerere request-pull send-email instaweb gui citool gitk daemon http-backend subtree svn fast-import fast-export index-pack unpack-objects upload-pack receive-pack pack-objects scalar flow'.split(
    ' ',
  ),
);
const CONNECTS = new Set('clone pull push fetch ls-remote remote-https request-pull send-email daemon svn'.split(' '));

const unknown = (reason: string): Effect => ({ kind: 'unknown', reason });
const shell = (word: Word | undefined): Effect[] => (word ? [{ kind: 'runs script', script: word }] : []);

function settings(value: Word | undefined): Effect[] {
  if (!value) return [];
  if (value.value === undefined) return [unknown('gets a setting that is computed')];
  const [key = ''] = value.value.split('=', 1);
  return RUNNING_KEYS.test(key) ? [unknown(`is given the setting ${key}, which can make it run programs`)] : [];
}

function readGit(args: readonly Word[]): Effect[] {
  const taken = takeApart(args, GLOBAL);
  const effects: Effect[] = [];
  for (const { option, value, use } of taken.options) {
    if (option === '-c' || option === '--config-env') effects.push(...settings(value));
    else if (option === '--exec-path' && value) effects.push(unknown('is told where its own programs are'));
    else if (use === 'works in' && value) effects.push({ kind: 'works in', path: value });
    else if (use === 'reads' && value) effects.push({ kind: 'reads', path: value });
  }
  const [command, ...rest] = taken.operands;
  if (!command) return effects;
  if (command.value === undefined) return [...effects, unknown('gets a subcommand that is computed')];
  const name = command.value;
  if (!READS.has(name) && !WRITES.has(name))
    return [...effects, unknown(`has no subcommand ${name}: it may be an alias that runs anything`)];
  if (!READS.has(name) && !isListing(name, rest)) effects.push({ kind: 'writes', path: SOMEWHERE_HERE });
  if (CONNECTS.has(name)) effects.push({ kind: 'connects', host: undefined });
  return [...effects, ...readSubcommand(name, rest)];
}

/** Uses of writing subcommands that only show. */
function isListing(name: string, args: readonly Word[]): boolean {
  const words = args.map(({ value }) => value);
  const [first] = words;
  if (name === 'branch' || name === 'tag' || name === 'remote')
    return words.every(
      (word) =>
        word !== undefined &&
        /^(?:-[alvrn]+\d*|--(?:list|all|show-current|verbose|contains|merged|sort=.*|column.*|points-at)|show|get-url|origin|upstream)$/.test(
          word,
        ),
    );
  if (name === 'stash' || name === 'worktree' || name === 'bisect' || name === 'notes' || name === 'submodule')
    return first === 'list' || first === 'show' || first === 'log' || first === 'status' || first === 'summary';
  if (name === 'config')
    return words.some(
      (word) => word !== undefined && /^(?:--(?:get|get-all|get-regexp|list|show-origin|show-scope)|-l|get|list)$/.test(word),
    );
  return false;
}

function readSubcommand(name: string, args: readonly Word[]): Effect[] {
  const effects: Effect[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as Word;
    const { value } = word;
    if (value === undefined) {
      if (couldBeOption(word))
        effects.push(unknown(`gets ${word.source}, which could be an option that runs or writes something`));
      continue;
    }
    const [option = '', ...rest] = value.split('=');
    const own: Word | undefined = rest.length > 0 ? knownWord(rest.join('=')) : args[at + 1];
    if (value === '--') break;
    if (/^--(?:upload-pack|receive-pack|exec|extcmd|open-files-in-pager)$/.test(option) && rest.length > 0)
      effects.push(...shell(own));
    else if (/^--(?:upload|receive|ext|open-f)/.test(option)) effects.push(...shell(own));
    else if (option === '--exec' || (option === '-x' && (name === 'rebase' || name === 'difftool'))) effects.push(...shell(own));
    else if (option === '-u' && (name === 'clone' || name === 'ls-remote')) effects.push(...shell(own));
    else if (/^-O./.test(value) && name === 'grep') effects.push(...shell(knownWord(value.slice(2))));
    else if (value === '-O' && name === 'grep') effects.push(unknown('runs a pager'));
    else if ((option === '-c' || option === '--config') && name === 'clone') effects.push(...settings(own));
    else if (option === '--separate-git-dir') effects.push(...(own ? [{ kind: 'writes', path: own } as const] : []));
    else if (option === '--template') effects.push(unknown('takes hooks from a folder'));
    else if (
      /^--(?:output|output-directory)$/.test(option) ||
      (value === '-o' && (name === 'archive' || name === 'format-patch'))
    )
      effects.push(...(own ? [{ kind: 'writes', path: own } as const] : []));
    else if (option === '--ext-diff' || option === '--textconv') effects.push({ kind: 'runs file', path: undefined });
    else if (/^ext::|^[a-z]+::/.test(value)) effects.push(unknown(`uses ${value.slice(0, 20)}, a remote that is a program`));
    else if (option === '--no-index') effects.push(...args.slice(at + 1).map((path): Effect => ({ kind: 'reads', path })));
  }
  const [first, second] = args.filter(({ value }) => value === undefined || !value.startsWith('-'));
  if (name === 'bisect' && first?.value === 'run') effects.push({ kind: 'runs', argv: args.slice(args.indexOf(first) + 1) });
  if (name === 'submodule' && first?.value === 'foreach') effects.push(...shell(joined(args.slice(args.indexOf(first) + 1))));
  if (name === 'filter-branch' || name === 'filter-repo') effects.push(unknown('runs scripts on every commit'));
  if (/^(?:difftool|mergetool|send-email|instaweb|gui|citool|gitk|daemon|http-backend|svn)$/.test(name))
    effects.push(unknown('runs programs that its settings name'));
  if (name === 'config' && first) {
    const key = /^(?:set|unset|add)$/.test(first.value ?? '') ? second : first;
    const reads = isListing('config', args) || (!second && first.value?.includes('.'));
    if (!reads) effects.push(...settings(key));
  }
  if (name === 'clone') {
    const target = second ?? undefined;
    if (target) effects.push({ kind: 'writes', path: target });
  }
  if (name === 'bundle' && first?.value === 'create' && second) effects.push({ kind: 'writes', path: second });
  if (name === 'init' && first) effects.push({ kind: 'writes', path: first });
  if (name === 'worktree' && first?.value === 'add' && second) effects.push({ kind: 'writes', path: second });
  return effects;
}

function joined(words: readonly Word[]): Word | undefined {
  const own = words.filter(({ value }) => value !== '--recursive' && value !== '--quiet');
  if (own.length === 0) return undefined;
  const source = own.map((word) => word.source).join(' ');
  return own.every(({ value }) => value !== undefined)
    ? knownWord(own.map(({ value }) => value).join(' '))
    : { source, value: undefined, expands: false };
}

export const VERSION_CONTROL: readonly Program[] = [
  {
    names: 'git',
    class: 'runs',
    about: 'subcommands, -c settings that run programs, ext:: remotes, and options such as --upload-pack, --exec and -O',
    read: (args) => readGit(args),
  },
  {
    names: 'hg svn bzr fossil cvs',
    class: 'writes',
    about: 'version control',
    grammar: {
      values: {
        '--config': 'unknown',
        '--config-option': 'unknown',
        '-R': 'works in',
        '--cwd': 'works in',
        '--ssh': 'program',
        '--remotecmd': 'program',
        '--diff-cmd': 'program',
        '--editor-cmd': 'program',
      },
      careful: true,
    },
  },
  {
    names: 'gh glab hub',
    class: 'writes',
    about: 'talks to a forge',
    read: (args) => [
      { kind: 'connects', host: undefined },
      ...(args.some(({ value }) => value === 'alias' || value === 'extension')
        ? [{ kind: 'unknown', reason: 'can make and run programs of others' } as const]
        : []),
    ],
  },
];
