/** Programs that talk to other machines. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import {
  connects,
  type Program,
  reads,
  runs,
  runsCode,
  runsFile,
  runsScript,
  unknown,
  WRITES_HERE,
  writes,
  writesInto,
} from './program.ts';
import { rest, splitAtBlanks } from './unknown-words.ts';

const connector = (names: string, about: string, values: Grammar['values'] = {}, careful = false): Program => ({
  names,
  class: 'reads',
  about,
  grammar: { values, careful },
  read: (_args, { operands }) => [connects(operands[0])],
});

const CURL: Grammar = {
  values: {
    writes:
      '-o --output -D --dump-header -c --cookie-jar --trace --trace-ascii --stderr --etag-save --hsts --alt-svc --libcurl --unix-socket --abstract-unix-socket --ssl-sessions',
    reads:
      '-T --upload-file -E --cert --key --cacert --capath --netrc-file --etag-compare --crlfile --proxy-cacert --pubkey --random-file --egd-file',
    special:
      '-d --data --data-binary --data-urlencode --data-ascii --json -F --form -H --header -w --write-out -b --cookie --url --output-dir --proxy-header --variable',
    unknown: '-K --config --engine',
    connects: '-x --proxy --preproxy --socks5 --socks5-hostname --socks4 --socks4a --doh-url',
    text: '-X --request -u --user -A --user-agent -e --referer -m --max-time --connect-timeout -r --range -C --continue-at --retry --retry-delay --retry-max-time --resolve --connect-to -z --time-cond -Q --quote -y -Y -P --ftp-port -t --telnet-option -U --proxy-user --limit-rate --max-filesize --max-redirs --interface --dns-servers --ciphers --tls-max --cert-type --key-type --pass --data-raw --form-string --oauth2-bearer --keepalive-time --parallel-max --noproxy --aws-sigv4 --url-query --proto --proto-default --proto-redir --create-file-mode --delegation --expect100-timeout --happy-eyeballs-timeout-ms --local-port --login-options --mail-from --mail-rcpt --rate --service-name --tls13-ciphers',
  },
  flags:
    '--remote-name --remote-name-all --remote-header-name --compressed --fail --fail-with-body --fail-early --location --location-trusted --proxy-insecure --ssl --ssl-reqd --netrc --request-target --head --parallel --parallel-immediate --disable',
  careful: true,
};

/** A value that begins with `@` is a file. @param mark what stands before the name */
function fileIn(word: Word, mark: RegExp): readonly Effect[] {
  const [found] = mark.exec(word.value ?? '') ?? [];
  const path = found === undefined ? undefined : rest(word, found.length);
  return path && path.value !== '-' ? [reads(path)] : [];
}

function readCurl(taken: Arguments): readonly Effect[] {
  const effects: Effect[] = [];
  const folder = taken.value('--output-dir');
  if (folder) effects.push(writesInto(folder));
  else if (taken.has('-O', '--remote-name', '--remote-name-all')) effects.push(WRITES_HERE);
  const data = taken.values(
    '-d',
    '--data',
    '--data-binary',
    '--data-ascii',
    '--json',
    '-H',
    '--header',
    '-w',
    '--write-out',
    '--proxy-header',
  );
  effects.push(...data.flatMap((word) => fileIn(word, /^@/)));
  effects.push(...taken.values('--data-urlencode', '--variable').flatMap((word) => fileIn(word, /^[\w%]*@/)));
  effects.push(
    ...taken
      .values('-F', '--form')
      .flatMap((word) => fileIn({ ...word, value: word.value?.replace(/;(?:type|filename)=.*$/, '') }, /^[^=]*=[@<]/)),
  );
  effects.push(
    ...taken
      .values('-b', '--cookie')
      .filter(({ value }) => value !== undefined && value !== '' && !value.includes('='))
      .map(reads),
  );
  for (const url of [...taken.operands, ...taken.values('--url')]) {
    const [file] = /^file:(?:\/\/[^/]*)?/i.exec(url.value ?? '') ?? [];
    effects.push(file === undefined ? connects(url) : reads(rest(url, file.length)));
  }
  return effects;
}

const WGET: Grammar = {
  values: {
    writes: '-o --output-file -a --append-output --save-cookies --warc-file --warc-tempdir --rejected-log --hsts-file',
    special: '-O --output-document -P --directory-prefix -e --execute',
    reads:
      '-i --input-file --post-file --body-file --load-cookies --certificate --private-key --ca-certificate --ca-directory --crl-file',
    program: '--use-askpass',
    unknown: '--config',
    text: '-n? -U --user-agent --header --post-data --body-data --method -t --tries -T --timeout -l --level -A --accept -R --reject -D --domains -I -X -w --wait -Q --quota -B --base --user --password --limit-rate --referer --max-redirect --cut-dirs --waitretry --random-wait? --restrict-file-names --progress --bind-address --dns-timeout --connect-timeout --read-timeout --retry-on-http-error --secure-protocol --ciphers --regex-type --accept-regex --reject-regex',
  },
  flags: '--spider --no-verbose --content-disposition --timestamping',
  careful: true,
};

/** socat(1): addresses name files, hosts and programs. */
function socatAddress(text: string): readonly Effect[] {
  if (text.includes('!!')) return text.split('!!').flatMap(socatAddress);
  const [, kind = '', value = ''] = /^([\w-]+):(.*)$/s.exec(text) ?? [];
  const plain = value.split(',')[0] ?? '';
  switch (kind.toUpperCase()) {
    case 'EXEC': {
      const argv = /["'\\]/.test(value) ? undefined : splitAtBlanks(plain);
      return argv ? runs(argv) : [unknown('runs a program that cannot be read')];
    }
    case 'SYSTEM':
    case 'SHELL':
      return /["'\\]/.test(value) ? [unknown('runs a script that cannot be read')] : runsScript(plain, '');
    case 'OPEN':
    case 'CREATE':
    case 'CREAT':
    case 'FILE':
    case 'GOPEN':
    case 'PIPE':
    case 'UNIX-LISTEN':
    case 'UNIX-CONNECT':
    case 'UNIX':
    case 'UNIX-CLIENT':
      return [writes(plain)];
    case '':
      return /^[./~\w]+$/.test(text) && /[./]/.test(text) ? [writes(text)] : [];
    default:
      return [connects()];
  }
}

const SAFE_PROVIDERS = /^(?:default|legacy|base|fips|null)$/;

export const NETWORK: readonly Program[] = [
  {
    names: 'curl',
    class: 'reads',
    about: 'fetches and sends; options that name files are found',
    grammar: CURL,
    read: (_args, taken) => readCurl(taken),
  },
  {
    names: 'wget wget2',
    class: 'reads',
    about: 'fetches into files',
    grammar: WGET,
    read: (_args, taken) => {
      const target = taken.value('-O', '--output-document');
      const effects: Effect[] = taken.operands.map((url) => connects(url));
      if (taken.has('-i', '--input-file')) effects.push(connects());
      if (target) effects.push(...(target.value === '-' ? [] : [writes(target)]));
      else if (!taken.has('--spider') && (taken.operands.length > 0 || taken.has('-i', '--input-file')))
        effects.push(writesInto(taken.value('-P', '--directory-prefix') ?? knownWord('.')));
      for (const setting of taken.values('-e', '--execute')) {
        if (!/^(?:robots|https?_proxy|use_proxy|check_certificate|timeout|tries)\s*=/.test(setting.value ?? ''))
          effects.push(unknown(`is given the setting ${setting.source.slice(0, 40)}`));
      }
      return effects;
    },
  },
  {
    names: 'aria2c axel lftp',
    class: 'writes',
    about: 'fetches into files',
    grammar: {
      values: {
        writes: '-d --dir -o --out -l --log --save-session --output',
        'runs file': '--conf-path -f',
        program:
          '--on-download-complete --on-download-start --on-download-error --on-download-stop --on-download-pause --on-bt-download-complete',
        reads: '-i --input-file --load-cookies',
        code: '-e -c',
        text: '-x -s -j -n -k -u -p --header --max-connection-per-server',
      },
      careful: true,
    },
    read: (_args, { operands }) => [connects(operands[0]), WRITES_HERE],
  },
  connector(
    'ping ping6 traceroute traceroute6 tracepath mtr arping fping hping3 dig host whois drill kdig nslookup ntpdate',
    'talks to other machines',
    { reads: '-f', text: '-c -i -W -w -s -p -t -n -m -q -I -l -M -Q -S -T -k -b -x -y -z' },
  ),
  connector(
    'iperf iperf3 ab wrk hey k6 siege vegeta speedtest speedtest-cli snmpwalk snmpget ldapsearch rpcinfo showmount smbclient websocat grpcurl wscat httpstat',
    'talks to other machines',
    { writes: '-o --output -g -e --logfile', reads: '-T', 'runs file': '--script', text: '-c -n -t -p -H -d -s -R' },
  ),
  {
    names: 'ftp telnet tftp',
    class: 'runs',
    about: 'talks to another machine; `!` among its commands runs a shell',
    grammar: { values: { writes: '-o -n?', text: '-l -e -b -P -p?' } },
    read: (_args, { operands }, { piped, stdin }) => {
      const scripts = stdin?.split('\n').flatMap((line) => (/^\s*!/.test(line) ? runsScript(line.replace(/^\s*!/, ''), '') : []));
      return [connects(operands[0]), ...(piped ? (scripts ?? [runsCode('ftp', 'from its input')]) : [])];
    },
  },
  {
    names: 'nmap masscan zmap',
    class: 'reads',
    about: 'looks for services of other machines',
    grammar: {
      oneDash: true,
      values: {
        writes: '-oN -oX -oG -oS -oA -o',
        'runs file': '-script -datadir -servicedb',
        reads: '-iL -excludefile -script-args-file',
        unknown: '-interactive',
        text: '-p -T? -D -e -g -source-port -host-timeout -max-retries -min-rate -max-rate -top-ports -script-args -exclude',
      },
      careful: true,
    },
    read: (_args, { operands }) => [connects(operands[0])],
  },
  {
    names: 'tcpdump tshark dumpcap ngrep',
    class: 'reads',
    about: 'looks at what goes over the network',
    grammar: {
      values: {
        writes: '-w -O',
        reads: '-r -F -V',
        program: '-z',
        'runs file': '-X',
        text: '-i -c -s -C -G -W -n? -e? -E -T -Y -f -a -b -d -B -Z',
      },
      careful: true,
    },
  },
  {
    names: 'http https xh xhs httpie',
    class: 'reads',
    about: 'talks to a web server',
    grammar: {
      values: {
        writes: '-o --output --session --session-read-only',
        text: '-a --auth -A --auth-type -p --print --timeout --verify --proxy -s --style --pretty --boundary -x? --raw',
        reads: '--cert --cert-key --json? --form?',
      },
      flags: '-d --download',
    },
    read: (_args, taken) => {
      const [first, second] = taken.operands;
      const host = /^[A-Z]+$/.test(first?.value ?? '') ? second : first;
      return [
        connects(host),
        ...(taken.has('-d', '--download') ? [WRITES_HERE] : []),
        ...taken.operands.flatMap((word) => fileIn(word, /^[^@=:]+=?:?=?@/)),
      ];
    },
  },
  {
    names: 'lynx links elinks w3m',
    class: 'runs',
    about: 'shows web pages; its settings name viewers',
    grammar: {
      oneDash: true,
      values: {
        'runs file': '-cfg -config -cmd_script -lss',
        writes: '-cookie_save_file -cmd_log -source?',
        unknown: '-o -editor',
        reads: '-cookie_file',
        text: '-width -T -I -O -cols -useragent -dump?',
      },
      careful: true,
    },
    read: (_args, { operands }) => [connects(operands[0])],
  },
  {
    names: 'nc ncat netcat nc.openbsd nc.traditional',
    class: 'runs',
    about: 'opens connections; -e, -c and their like run programs on them',
    grammar: {
      values: {
        script: '-e --exec -c --sh-exec',
        'runs file': '--lua-exec',
        writes: '-o --output -x? --hex-dump',
        reads: '--ssl-cert --ssl-key --ssl-trustfile --allowfile --denyfile',
        connects: '--proxy',
        text: '-p --source-port -s --source -w --wait -X -q -i --idle-timeout -g -G -I -O -T -P -V -m --max-conns -d --delay',
      },
      careful: true,
    },
    read: (_args, { operands }) => [connects(operands[0])],
  },
  {
    names: 'socat',
    class: 'runs',
    about: 'joins streams; EXEC, SYSTEM and SHELL run programs',
    grammar: { values: { writes: '-L -W -lf -r -R', text: '-b -t -T -lp -ly? -lm? -d?' }, oneDash: true },
    read: (args, { operands }) =>
      // Two addresses in one may begin with that of standard input, a dash.
      [...operands, ...args.filter(({ value }) => value?.startsWith('-') && value.includes('!!'))].flatMap(({ value }) =>
        value === undefined ? [unknown('gets an address that is computed')] : socatAddress(value),
      ),
  },
  {
    names: 'openssl',
    class: 'reads',
    about: 'works with keys, files and connections',
    grammar: {
      oneDash: true,
      values: {
        writes: '-out -keyout -writerand -sess_out -keylogfile -msgfile -outdir -CRLfile -certsout -caout',
        reads:
          '-in -inkey -key -cert -certfile -CAfile -CApath -CA -CAkey -CAserial -chainCAfile -signkey -extfile -rand -kfile -data -sigfile -signature -dcert -dkey -untrusted -verify -prverify -cert_chain',
        connects: '-connect -proxy -host',
        unknown: '-engine -provider-path',
        'runs file': '-config -configfile',
        special: '-provider -passin -passout -pass -k -K',
        text: '-subj -days -newkey -name -keyform -inform -outform -noout? -text? -nodes? -servername -iv -S -md -iter -port -starttls -alpn -cipher -ciphersuites -min -bits -pkeyopt -algorithm -addext -set_serial -serial? -purpose -hash? -fingerprint? -dates? -sha256? -e -d? -base64? -a? -salt? -pbkdf2? -hex? -sign -macopt -mac -hmac',
      },
      careful: true,
    },
    read: (_args, taken, { piped }) => [
      ...taken
        .values('-provider')
        .flatMap(({ value }) => (SAFE_PROVIDERS.test(value ?? '') ? [] : [unknown('loads a provider that is not known')])),
      ...taken.values('-passin', '-passout', '-pass').flatMap((word) => fileIn(word, /^file:/)),
      ...(taken.operands.some(({ value }) => value === 'engine' || value === 'ca' || value === 's_server') &&
      taken.operands.length > 1
        ? [unknown('runs a command that is not followed')]
        : []),
      ...(taken.operands.length === 0 && piped ? [runsCode('openssl', 'from its input')] : []),
      ...(taken.operands[0]?.value === 'rand' ? [] : taken.operands.slice(1).map(reads)),
    ],
  },
  {
    ...connector(
      'aws gcloud az doctl flyctl fly heroku vercel netlify wrangler firebase s3cmd rclone mc gsutil bq oci ibmcloud linode-cli hcloud supabase railway',
      'talks to a cloud',
    ),
    class: 'writes',
    read: () => [connects()],
  },
  {
    names: 'mail mailx sendmail msmtp mutt neomutt swaks s-nail',
    class: 'writes',
    about: 'sends mail; its commands can run programs',
    grammar: { values: { reads: '-a -q', code: '-e -S', 'runs file': '-F -C -f', text: '-s -c -b -r' } },
    read: (_args, taken) => [connects(), ...(taken.has('-~') ? [unknown('reads commands that can run programs')] : [])],
  },
  {
    names: 'gpg gpg2 gpgv gpgsm',
    class: 'writes',
    about: 'signs and encrypts',
    grammar: {
      values: {
        writes: '-o --output --log-file --attribute-file',
        reads: '--homedir --keyring --secret-keyring --passphrase-file --trustdb-name',
        script: '--photo-viewer',
        program: '--agent-program --dirmngr-program --keyboxd-program --gpg-program',
        'runs file': '--options --load-extension',
        unknown: '--exec-path',
        connects: '--keyserver --recv-keys',
        text: '-r --recipient -u --local-user --default-key --passphrase --pinentry-mode --batch? --status-fd --command-fd -z --cipher-algo --digest-algo --trust-model',
      },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'age rage sops pass',
    class: 'writes',
    about: 'encrypts',
    grammar: {
      values: { writes: '-o --output', reads: '-i --identity -R --recipients-file', text: '-r --recipient' },
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'xdg-open open start gio see run-mailcap sensible-browser www-browser',
    class: 'runs',
    about: 'runs the program for a file',
    read: (args) => args.slice(-1).flatMap((word) => [...runsFile(word), unknown('runs a program that settings name')]),
  },
];
