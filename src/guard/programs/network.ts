/** Programs that talk to other machines. */
import type { Effect } from './effect.ts';
import type { Grammar } from './options.ts';
import { connects, type Program, runs, runsCode, runsScript, unknown, writes } from './program.ts';
import { splitAtBlanks } from './unknown-words.ts';

const connector = (names: string, about: string, values: Grammar['values'] = {}, careful = false): Program => ({
  names,
  class: 'reads',
  about,
  grammar: { values, careful },
  read: (_args, { operands }) => [connects(operands[0])],
});

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

export const NETWORK: readonly Program[] = [
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
    ...connector(
      'aws gcloud az doctl flyctl fly heroku vercel netlify wrangler firebase s3cmd rclone mc gsutil bq oci ibmcloud linode-cli hcloud supabase railway',
      'talks to a cloud',
    ),
    class: 'writes',
    read: () => [connects()],
  },
];
