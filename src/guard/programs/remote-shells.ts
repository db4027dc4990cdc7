/** ssh and what goes over it (ssh(1), ssh_config(5), rsync(1)). */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import { type Arguments, type Grammar, takeApart } from './options.ts';
import {
  connects,
  doubtful,
  effectsOf,
  type Program,
  reads,
  runsCode,
  runsFile,
  runsScript,
  unknown,
  writes,
} from './program.ts';
import { rest } from './unknown-words.ts';

const SSH: Grammar = {
  values: {
    special: '-o',
    'runs file': '-F -I',
    reads: '-i',
    writes: '-E',
    text: '-l -p -b -B -c -D -e -J -L -m -O -P -Q -R -S -W -w',
  },
  optionsFirst: true,
  careful: true,
};

/** `-o ProxyCommand=…`, also with a blank between. */
function setting(word: Word): readonly Effect[] {
  const [start, name = ''] = /^\s*["']?([A-Za-z\d]+)\s*(?:=\s*|\s+)/.exec(word.value ?? word.source) ?? [];
  if (start === undefined)
    return word.value === undefined ? [unknown(`gets the setting ${word.source}, which could run a program`)] : [];
  const value: Word =
    word.value === undefined ? { source: word.source, value: undefined, expands: false } : rest(word, start.length);
  if (/^(?:none|no|yes|internal|)$/i.test(value.value ?? 'x')) return [];
  switch (name.toLowerCase()) {
    case 'proxycommand':
    case 'localcommand':
    case 'knownhostscommand':
      return runsScript(value, `by the setting ${name}`);
    case 'xauthlocation':
      return effectsOf('program', value, `by the setting ${name}`);
    case 'pkcs11provider':
    case 'securitykeyprovider':
    case 'smartcarddevice':
    case 'include':
      return runsFile(value);
    case 'match':
      return [unknown('gets a condition that can run programs')];
    case 'userknownhostsfile':
    case 'controlpath':
      return value.value === '/dev/null' ? [] : [writes(value)];
    case 'identityfile':
    case 'certificatefile':
      return [reads(value)];
    default:
      return [];
  }
}

const settings = (taken: Arguments) => taken.values('-o').flatMap(setting);

/** Options may stand before and behind the host; then comes what runs over there. */
function readSsh(args: readonly Word[]): readonly Effect[] {
  const effects: Effect[] = [];
  let host: Word | undefined;
  for (let words = args; ; ) {
    const taken = takeApart(words, SSH);
    for (const { option, use, word } of taken.items) {
      if (option !== undefined) effects.push(...effectsOf(use, word, `by its option ${option}`));
    }
    effects.push(...settings(taken));
    const [next, ...others] = taken.operands;
    // Behind the host, words that are not known are the command there.
    if (taken.doubts[0] && (!host || taken.doubts[0] !== next)) effects.push(doubtful(taken.doubts[0]));
    if (host || !next) break;
    host = next;
    words = others;
    if (others[0]?.value === undefined) {
      // An option here would still be one of ssh.
      if (others[0] && /^["']?-/.test(others[0].source)) effects.push(doubtful(others[0]));
      break;
    }
  }
  return host ? [...effects, connects(host)] : effects;
}

const isRemote = ({ value, source }: Word) =>
  /^(?:\[[^\]]*\]|[^/:[]+):/.test(value ?? source.replace(/^["']/, '')) || /^(?:scp|sftp|rsync):\/\//.test(value ?? '');

/** Files here: the last is where the others go. */
const local = (operands: readonly Word[]): readonly Effect[] =>
  operands.map((word, index) =>
    isRemote(word) ? connects(word) : index === operands.length - 1 && operands.length > 1 ? writes(word) : reads(word),
  );

const COPY: Grammar = {
  values: {
    ...SSH.values,
    program: '-S',
    script: '-D',
    special: '-o -b',
    text: '-l -P -c -J -X -s -B -R',
  },
  careful: true,
};

const RSYNC: Grammar = {
  values: {
    command: '-e --rsh',
    unknown: '--rsync-path -M --remote-option --config --dparam',
    reads:
      '--exclude-from --include-from --files-from --password-file --read-batch --early-input --link-dest --copy-dest --compare-dest',
    writes: '-T --temp-dir --log-file --partial-dir --backup-dir --write-batch --only-write-batch',
    special: '-f --filter',
    text: '-B --block-size --exclude --include --port --bwlimit --timeout --contimeout --info? --debug? --chmod --chown --usermap --groupmap --max-size --min-size --max-delete --modify-window --suffix --out-format --log-file-format --compress-level --compress-choice --checksum-choice --checksum-seed --skip-compress --iconv --outbuf --sockopts --stop-after --stop-at --max-alloc --protocol --address --copy-as --human-readable?',
  },
  flags:
    '--daemon --delete --delete-after --delete-before --delete-during --delete-delay --delete-excluded --remove-source-files --checksum --compress --partial --backup --recursive --relative --server',
  exact: true,
  careful: true,
};

export const REMOTE_SHELLS: readonly Program[] = [
  {
    names: 'ssh slogin autossh',
    class: 'runs',
    about: 'runs a command on another machine; settings of -o that run one here are found',
    grammar: {},
    read: (args) => readSsh(args),
  },
  {
    names: 'mosh',
    class: 'runs',
    about: 'runs a shell on another machine',
    grammar: {
      values: { script: '--ssh --server --client', text: '-p --port --predict --family' },
      optionsFirst: true,
      careful: true,
    },
    read: (_args, { operands }) => [connects(operands[0])],
  },
  {
    names: 'sshpass',
    class: 'runs',
    about: 'runs ssh with a password',
    grammar: { values: { reads: '-f', text: '-p -d -P' }, optionsFirst: true, careful: true },
    operands: 'argv',
  },
  {
    names: 'scp',
    class: 'reads',
    about: 'copies files between machines',
    grammar: COPY,
    read: (_args, taken) => [...settings(taken), ...local(taken.operands)],
  },
  {
    names: 'sftp',
    class: 'writes',
    about: 'copies files between machines; `!` among its commands runs a shell',
    grammar: COPY,
    read: (_args, taken, { piped, stdin }) => {
      const input = stdin
        ?.split('\n')
        .flatMap((line) => (/^\s*-?@?!/.test(line) ? runsScript(line.replace(/^\s*-?@?!/, ''), '') : []));
      const batch = taken.value('-b');
      const fromInput = batch ? batch.value === '-' : piped;
      return [
        ...settings(taken),
        connects(taken.operands[0]),
        ...(batch && batch.value !== '-' ? runsFile(batch) : []),
        ...(fromInput && piped ? (input ?? [runsCode('sftp', 'from its input')]) : []),
      ];
    },
  },
  {
    names: 'rsync',
    class: 'reads',
    about: 'copies files, also between machines; -e runs a program',
    grammar: RSYNC,
    read: (_args, taken) => [
      ...(taken.has('--daemon', '--server') ? [unknown('serves files')] : []),
      ...taken
        .values('-f', '--filter')
        .flatMap((rule) =>
          rule.value === undefined || /^(?:merge|\.|dir-merge|:)/.test(rule.value) ? [unknown('takes rules from a file')] : [],
        ),
      ...local(taken.operands),
      ...(taken.has('--remove-source-files')
        ? taken.operands
            .slice(0, -1)
            .filter((word) => !isRemote(word))
            .map(writes)
        : []),
    ],
  },
  {
    names: 'ssh-keygen',
    class: 'writes',
    about: 'makes keys',
    grammar: {
      values: {
        writes: '-f',
        'runs file': '-D -w',
        reads: '-s -I? -R? -F?',
        text: '-t -b -C -N -P -a -m -O -Z -n -V -z -Y -K -E -e? -i? -l? -y?',
      },
      careful: true,
    },
  },
  {
    names: 'ssh-add',
    class: 'writes',
    about: 'gives keys to an agent',
    grammar: { values: { 'runs file': '-s -S', text: '-t -h -H -E -e', reads: '-T' }, careful: true },
    operands: 'reads',
  },
  {
    names: 'ssh-agent',
    class: 'runs',
    about: 'keeps keys; runs a program with them',
    grammar: { values: { writes: '-a', text: '-t -E -P -O' }, optionsFirst: true, careful: true },
    operands: 'argv',
  },
  {
    names: 'ssh-copy-id',
    class: 'writes',
    about: 'puts a key on another machine',
    grammar: { values: { special: '-o', reads: '-i', 'runs file': '-F', text: '-p -t' }, careful: true },
    read: (_args, taken) => [...settings(taken), connects(taken.operands[0])],
  },
  {
    names: 'ssh-keyscan',
    class: 'reads',
    about: 'asks machines for their keys',
    grammar: { values: { reads: '-f', text: '-p -T -t -O' } },
    read: (_args, { operands }) => [connects(operands[0])],
  },
  {
    names: 'rsh rlogin rexec pssh pdsh clush',
    class: 'runs',
    about: 'runs a command on other machines',
    read: (args) => [connects(args[0])],
  },
];
