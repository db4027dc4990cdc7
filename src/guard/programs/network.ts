/** Programs that talk to other machines. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import { type Program, SOMEWHERE_HERE } from './program.ts';

const connects = (names: string, about: string, grammar: Grammar = {}, programClass: Program['class'] = 'reads'): Program => ({
  names,
  class: programClass,
  about,
  grammar,
  read: (_args, { operands }) => [{ kind: 'connects', host: operands[0] }],
});

/** Options of ssh that run something here (ssh_config(5)). */
const SSH_RUNS =
  /^\s*(?:proxycommand|localcommand|permitlocalcommand|knownhostscommand|match|include|xauthlocation|pkcs11provider|securitykeyprovider|smartcarddevice|proxyusefdpass)\b/i;

const SSH: Grammar = {
  values: {
    '-o': 'text',
    '-F': 'unknown',
    '-i': 'reads',
    '-l': 'text',
    '-p': 'text',
    '-b': 'text',
    '-c': 'text',
    '-D': 'text',
    '-E': 'writes',
    '-e': 'text',
    '-I': 'unknown',
    '-J': 'text',
    '-L': 'text',
    '-m': 'text',
    '-O': 'text',
    '-Q': 'text',
    '-R': 'text',
    '-S': 'text',
    '-W': 'text',
    '-w': 'text',
    '-B': 'text',
  },
  operandsEnd: true,
  careful: true,
};

function readSsh(options: readonly { option: string; value: Word | undefined }[]): Effect[] {
  return options.flatMap(({ option, value }): Effect[] => {
    if (option !== '-o' || !value) return [];
    if (value.value !== undefined && !SSH_RUNS.test(value.value)) return [];
    return [{ kind: 'unknown', reason: `is given -o ${value.source.slice(0, 40)}, which can run programs` }];
  });
}

const remote = (word: Word) => /^[^/]+:/.test(word.value ?? word.source);

export const NETWORK: readonly Program[] = [
  {
    names: 'curl',
    class: 'reads',
    about: 'fetches; -o, -O and -K name files',
    grammar: {
      values: {
        '-o': 'writes',
        '--output': 'writes',
        '--output-dir': 'writes',
        '-K': 'unknown',
        '--config': 'unknown',
        '-T': 'reads',
        '--upload-file': 'reads',
        '-D': 'writes',
        '--dump-header': 'writes',
        '-c': 'writes',
        '--cookie-jar': 'writes',
        '--trace': 'writes',
        '--trace-ascii': 'writes',
        '--stderr': 'writes',
        '-b': 'text',
        '--cookie': 'text',
        '-d': 'text',
        '--data': 'text',
        '--data-binary': 'text',
        '--data-raw': 'text',
        '--data-urlencode': 'text',
        '--json': 'text',
        '-F': 'text',
        '--form': 'text',
        '-H': 'text',
        '--header': 'text',
        '-X': 'text',
        '--request': 'text',
        '-u': 'text',
        '--user': 'text',
        '-A': 'text',
        '--user-agent': 'text',
        '-e': 'text',
        '--referer': 'text',
        '-m': 'text',
        '--max-time': 'text',
        '--connect-timeout': 'text',
        '-x': 'text',
        '--proxy': 'text',
        '-w': 'text',
        '--write-out': 'text',
        '-E': 'text',
        '--cert': 'text',
        '--key': 'reads',
        '--cacert': 'reads',
        '-r': 'text',
        '--range': 'text',
        '--url': 'text',
        '-C': 'text',
        '--retry': 'text',
        '--resolve': 'text',
        '--engine': 'unknown',
        '--unix-socket': 'unknown',
        '--abstract-unix-socket': 'unknown',
        '-z': 'text',
        '-Q': 'text',
        '--netrc-file': 'reads',
        '--etag-save': 'writes',
        '--etag-compare': 'reads',
        '--hsts': 'writes',
        '--alt-svc': 'writes',
        '--libcurl': 'writes',
      },
      flags: { '-O': 'marks', '-J': 'marks' },
      careful: true,
    },
    read: (_args, taken) => [
      ...taken.operands.map(
        (host): Effect =>
          /^file:/i.test(host.value ?? '')
            ? { kind: 'reads', path: knownWord((host.value ?? '').replace(/^file:(?:\/\/[^/]*)?/i, '')) }
            : { kind: 'connects', host },
      ),
      ...(taken.has('-O', '--remote-name', '--remote-name-all') ? [{ kind: 'writes', path: SOMEWHERE_HERE } as const] : []),
    ],
  },
  {
    names: 'wget wget2',
    class: 'writes',
    about: 'fetches into files',
    grammar: {
      values: {
        '-O': 'writes',
        '--output-document': 'writes',
        '-P': 'writes',
        '--directory-prefix': 'writes',
        '-o': 'writes',
        '--output-file': 'writes',
        '-a': 'writes',
        '--append-output': 'writes',
        '-e': 'unknown',
        '--execute': 'unknown',
        '--config': 'unknown',
        '--use-askpass': 'program',
        '-i': 'reads',
        '--input-file': 'reads',
        '--post-file': 'reads',
        '--body-file': 'reads',
        '--save-cookies': 'writes',
        '--load-cookies': 'reads',
        '-U': 'text',
        '--header': 'text',
        '--post-data': 'text',
        '-t': 'text',
        '-T': 'text',
        '-l': 'text',
        '-A': 'text',
        '-R': 'text',
        '-D': 'text',
        '-w': 'text',
        '-Q': 'text',
        '--warc-file': 'writes',
        '--rejected-log': 'writes',
      },
      careful: true,
    },
    read: (_args, taken) => [
      ...taken.operands.map((host): Effect => ({ kind: 'connects', host })),
      ...(taken.has('-O', '-P', '--output-document', '--directory-prefix', '--spider')
        ? []
        : [{ kind: 'writes', path: SOMEWHERE_HERE } as const]),
    ],
  },
  {
    names: 'ssh slogin autossh mosh',
    class: 'runs',
    about: 'runs a command on another machine; ProxyCommand and its like run one here',
    grammar: SSH,
    read: (_args, taken) => [...readSsh(taken.options), { kind: 'connects', host: taken.operands[0] }],
  },
  {
    names: 'sshpass',
    class: 'runs',
    about: 'runs ssh with a password',
    grammar: { values: { '-p': 'text', '-f': 'reads', '-d': 'text', '-P': 'text' }, operandsEnd: true },
    operands: 'argv',
  },
  {
    names: 'scp sftp',
    class: 'writes',
    about: 'copies files between machines',
    grammar: {
      ...SSH,
      operandsEnd: false,
      values: { ...SSH.values, '-S': 'program', '-D': 'program', '-P': 'text', '-s': 'text', '-X': 'text', '-b': 'runs file' },
    },
    read: (_args, taken) => [
      ...readSsh(taken.options),
      { kind: 'connects', host: undefined },
      ...taken.operands
        .filter((word) => !remote(word))
        .map((path, index, all): Effect => ({ kind: index === all.length - 1 ? 'writes' : 'reads', path })),
    ],
  },
  {
    names: 'rsync',
    class: 'writes',
    about: 'copies files; -e and --rsync-path run programs',
    grammar: {
      values: {
        '-e': 'script',
        '--rsh': 'script',
        '--rsync-path': 'unknown',
        '-f': 'text',
        '--filter': 'text',
        '--exclude': 'text',
        '--include': 'text',
        '--exclude-from': 'reads',
        '--include-from': 'reads',
        '--files-from': 'reads',
        '-T': 'writes',
        '--temp-dir': 'writes',
        '--log-file': 'writes',
        '--partial-dir': 'writes',
        '--backup-dir': 'writes',
        '--write-batch': 'writes',
        '--only-write-batch': 'writes',
        '--read-batch': 'reads',
        '--password-file': 'reads',
        '--port': 'text',
        '--bwlimit': 'text',
        '--timeout': 'text',
        '-M': 'unknown',
        '--remote-option': 'unknown',
        '--early-input': 'reads',
        '--daemon': 'unknown',
      },
      flags: { '--daemon': 'unknown' },
      careful: true,
    },
    read: (_args, { operands }) =>
      operands.map(
        (word, index): Effect =>
          remote(word)
            ? { kind: 'connects', host: word }
            : { kind: index === operands.length - 1 && operands.length > 1 ? 'writes' : 'reads', path: word },
      ),
  },
  {
    names: 'nc ncat netcat nc.openbsd nc.traditional',
    class: 'runs',
    about: 'opens connections; -e, -c and --sh-exec run programs',
    grammar: {
      values: {
        '-e': 'script',
        '--exec': 'script',
        '-c': 'script',
        '--sh-exec': 'script',
        '--lua-exec': 'unknown',
        '-p': 'text',
        '-s': 'text',
        '-w': 'text',
        '-x': 'text',
        '-X': 'text',
        '-q': 'text',
        '-o': 'writes',
      },
      careful: true,
    },
    read: (_args, { operands }) => [{ kind: 'connects', host: operands[0] }],
  },
  {
    names: 'socat',
    class: 'runs',
    about: 'joins streams; EXEC and SYSTEM run programs',
    read: (args) => [
      { kind: 'connects', host: undefined },
      ...args.flatMap((word): Effect[] => {
        if (word.value === undefined) return [{ kind: 'unknown', reason: 'gets an address that is computed' }];
        const [, , script] = /^(EXEC|SYSTEM|SHELL):([^,]*)/i.exec(word.value) ?? [];
        if (script !== undefined) return [{ kind: 'runs script', script: knownWord(script) }];
        const [, file] = /^(?:OPEN|CREATE|FILE|GOPEN|PIPE):([^,]*)/i.exec(word.value) ?? [];
        return file === undefined ? [] : [{ kind: 'writes', path: knownWord(file) }];
      }),
    ],
  },
  {
    names: 'openssl',
    class: 'writes',
    about: 'works with keys and connections',
    grammar: {
      singleDash: true,
      values: {
        '-out': 'writes',
        '-in': 'reads',
        '-engine': 'unknown',
        '-provider': 'unknown',
        '-provider-path': 'unknown',
        '-keyout': 'writes',
        '-config': 'reads',
        '-connect': 'connects',
        '-writerand': 'writes',
        '-passin': 'text',
        '-passout': 'text',
        '-key': 'reads',
        '-CAfile': 'reads',
        '-sess_out': 'writes',
        '-keylogfile': 'writes',
      },
    },
  },
  connects(
    'ping ping6 traceroute tracepath mtr dig nslookup host drill whois telnet ftp tftp lftp finger-net http https xh httpie aria2c axel lynx links w3m elinks speedtest nmap arping fping iperf iperf3 ab wrk hey k6',
    'talks to other machines',
    {
      values: {
        '-c': 'text',
        '-i': 'text',
        '-W': 'text',
        '-w': 'text',
        '-s': 'text',
        '-p': 'text',
        '-t': 'text',
        '-n': 'text',
        '-o': 'writes',
        '-oN': 'writes',
        '-d': 'text',
        '-e': 'text',
        '-cfg': 'unknown',
      },
    },
  ),
  connects(
    'aws gcloud az doctl flyctl heroku vercel netlify wrangler firebase s3cmd rclone mc gsutil',
    'talks to a cloud',
    {},
    'writes',
  ),
  {
    names: 'ssh-keygen ssh-add ssh-copy-id ssh-keyscan gpg gpg2 age pass',
    class: 'writes',
    about: 'works with keys',
    grammar: {
      values: {
        '-f': 'writes',
        '-o': 'writes',
        '--output': 'writes',
        '-D': 'unknown',
        '-P': 'text',
        '-w': 'unknown',
        '--photo-viewer': 'program',
        '--agent-program': 'program',
        '-N': 'text',
        '-t': 'text',
        '-b': 'text',
        '-C': 'text',
      },
      careful: true,
    },
  },
];
