/** Programs that fetch files from other machines, and send them there. */
import { knownWord, type Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments, Grammar } from './options.ts';
import { connects, type Program, reads, unknown, WRITES_HERE, writes, writesInto } from './program.ts';
import { rest } from './unknown-words.ts';

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
export function fileIn(word: Word, mark: RegExp): readonly Effect[] {
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

export const DOWNLOADS: readonly Program[] = [
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
];
