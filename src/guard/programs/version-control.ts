/** Version control but git, and the forges. */
import { connects, type Program, unknown, WRITES_HERE } from './program.ts';

const HG_SHOWS =
  /^(?:status|st|log|history|diff|annotate|blame|cat|files|manifest|branches|branch|tags|heads|parents|paths|identify|id|summary|sum|root|version|help|locate|grep|bookmarks|config|showconfig|verify)$/;
const SVN_SHOWS = /^(?:status|st|stat|log|diff|di|info|list|ls|cat|blame|praise|annotate|ann|help|propget|pg|proplist|pl)$/;

const subcommand = (words: readonly { value: string | undefined }[]) =>
  words.find(({ value }) => !value?.startsWith('-'))?.value ?? '';

export const VERSION_CONTROL: readonly Program[] = [
  {
    names: 'hg',
    class: 'reads',
    about: 'works on a repository',
    grammar: {
      values: {
        unknown: '--config --debugger?',
        'works in': '-R --repository --cwd',
        script: '--ssh -e --remotecmd',
        text: '-r --rev -m --message -u --user -d --date -l --limit --template -T -c',
        reads: '--logfile',
        writes: '-o --output',
      },
      flags: '--debug',
      careful: true,
    },
    read: (_args, { operands }) => {
      const command = subcommand(operands);
      if (HG_SHOWS.test(command) || command === '') return [];
      const talks = /^(?:clone|push|pull|incoming|outgoing|in|out)$/.test(command) ? [connects()] : [];
      return /^(?:add|addremove|commit|ci|update|up|checkout|co|merge|revert|remove|rm|move|mv|rename|copy|cp|init|graft|backout|bookmark|tag|unshelve|shelve|strip|rebase|import|export|bundle|unbundle|forget|resolve|purge|clone|push|pull|incoming|outgoing|in|out|amend|uncommit)$/.test(
        command,
      )
        ? [WRITES_HERE, ...talks]
        : [unknown(`has a subcommand ${command} that may be an alias or run programs`)];
    },
  },
  {
    names: 'svn svnadmin svnlook',
    class: 'reads',
    about: 'works on a repository',
    grammar: {
      values: {
        unknown: '--config-option --config-dir',
        script: '--diff-cmd --diff3-cmd --editor-cmd',
        text: '-r --revision -m --message --username --password --depth -l --limit -c --change',
        reads: '-F --file --targets',
      },
      careful: true,
    },
    read: (_args, { operands }) => [connects(), ...(SVN_SHOWS.test(subcommand(operands)) ? [] : [WRITES_HERE])],
  },
  {
    names: 'bzr brz cvs fossil darcs jj sl',
    class: 'writes',
    about: 'works on a repository',
    grammar: { values: { unknown: '--config --config-toml', script: '--diff-command --using --remote-bzr' }, careful: true },
  },
  {
    names: 'gh glab hub tea',
    class: 'reads',
    about: 'talks to a forge; aliases and extensions run programs',
    read: (args) => {
      const [area, action] = args.filter(({ value }) => !value?.startsWith('-'));
      const effects = [connects(), ...(/^(?:clone|checkout|download|co|sync)$/.test(action?.value ?? '') ? [WRITES_HERE] : [])];
      const runsOthers =
        /^(?:alias|extension|ext|codespace|cs|copilot)$/.test(area?.value ?? '') ||
        (area?.value === 'config' && action?.value === 'set');
      const known =
        /^(?:auth|browse|gist|issue|mr|org|pr|project|release|repo|run|workflow|cache|ci|api|label|search|secret|variable|status|ssh-key|gpg-key|ruleset|attestation|completion|help|version|config|alias)$/.test(
          area?.value ?? 'help',
        );
      return runsOthers || !known ? [...effects, unknown('may run programs of others')] : effects;
    },
  },
  { names: 'git-lfs git-crypt git-secret', class: 'writes', about: 'works on files of a repository', read: () => [connects()] },
];
